"""Reading the report files of NLM Open-i (`ecgen-radiology/*.xml`), packed or unpacked, and cleaning their text.

De-identification left `XXXX` in place of words: 3,734 times in the findings and impressions of 1,855 of the 3,955
reports, often in place of harmless ones (`chest x-XXXX`, `pulmonary XXXX are normal`). The marks stay where they are:
without them a sentence would read as if nothing were missing, and what stands around them is right either way. A run of
marks (`XXXX XXXX, XXXX`; 343 of them) becomes one, and a sentence of marks alone goes.
"""

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn

from lovt_core.data.archives import iterate_members
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.reports.text import split_sentences
from lovt_core.data.sources.download import printable
from lovt_core.errors import DataError

MARK = "XXXX"

_MARKUP = re.compile(r"<br/?>|\[<|>\]", re.IGNORECASE)
"""Left over in six reports, some of it escaped twice."""
_RUN_OF_MARKS = re.compile(rf"{MARK}(?:[ ,/-]+{MARK})+")
_ID = re.compile(r"CXR\d+")


@dataclass(frozen=True)
class Report:
    """One file."""

    where: str
    """Name of the file relative to the download; behind the name of the archive where it lies in one."""
    id: str
    """`CXR1`"""
    images: tuple[str, ...]
    """Ids of its images, `CXR1_1_IM-0001-4001`: names of files without the suffix."""
    findings: str
    impression: str
    """Raw text, marks included."""

    @property
    def num_marks(self) -> int:
        """Marks of de-identification in both sections."""
        return self.findings.count(MARK) + self.impression.count(MARK)

    def split(self) -> tuple[str, ...]:
        """Clean sentences of findings, then impression."""
        return (*_split_section(self.findings), *_split_section(self.impression))


def read_reports(root: Path, name: str) -> tuple[list[Report], list[Problem]]:
    """All reports of an archive or folder below `root`, by number, and a problem for each file that is unusable.

    Raises DataError where there is no report file at all, for a damaged archive and for one with members that are not
    to be trusted.
    """
    reports: dict[str, Report] = {}
    problems: list[Problem] = []
    files = _iterate_folder(root / name) if (root / name).is_dir() else iterate_members(root / name, ".xml")
    for file, content in files:
        where = f"{name}: {printable(file)}" if (root / name).is_file() else f"{name}/{printable(file)}"
        if PurePosixPath(file).name.startswith("."):
            continue  # what a Mac adds
        try:
            report = _parse(where, content)
        except ReportError as error:
            problems.append(Problem(where=where, what=str(error)))
            continue
        if report.id in reports:
            problems.append(Problem(where=where, what=f"the id {report.id} stands in {reports[report.id].where} too"))
        else:
            reports[report.id] = report
    if not reports and not problems:
        raise DataError(f"{root / name}: no .xml file there")
    return sorted(reports.values(), key=lambda report: int(report.id.removeprefix("CXR"))), problems


class ReportError(Exception):
    """A file that cannot be used, and why."""


class _StrictBuilder(ET.TreeBuilder):
    """Refuses document type declarations: they could define entities that grow without end or open other files."""

    def doctype(self, name: str, pubid: str, system: str) -> NoReturn:
        raise ReportError("it declares a document type: reports of this collection do not")


def _iterate_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    top = folder.resolve()
    for path in sorted(folder.glob("*.xml")):
        if path.resolve().is_relative_to(top):
            yield path.name, path.read_bytes()


def _parse(where: str, content: bytes) -> Report:
    try:
        parser = ET.XMLParser(target=_StrictBuilder())  # noqa: S314 - without document types nothing can be expanded
        tree = ET.fromstring(content, parser)  # noqa: S314
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ReportError(f"damaged XML ({error})") from error
    uid = tree.find("uId")
    identifier = "" if uid is None else uid.get("id", "")
    if not _ID.fullmatch(identifier):
        raise ReportError("no <uId id> such as CXR1")
    return Report(
        where=where,
        id=identifier,
        images=tuple(dict.fromkeys(image.get("id", "") for image in tree.iter("parentImage"))),
        findings=_read_section(tree, "FINDINGS"),
        impression=_read_section(tree, "IMPRESSION"),
    )


def _read_section(tree: ET.Element, label: str) -> str:
    texts = ["".join(part.itertext()) for part in tree.iter("AbstractText") if part.get("Label", "").upper() == label]
    return "\n\n".join(text.strip() for text in texts).strip()


def _split_section(text: str) -> Iterator[str]:
    for sentence in split_sentences(_MARKUP.sub(" ", html.unescape(text))):
        shorter = _RUN_OF_MARKS.sub(MARK, sentence)
        if any(character.isalnum() for character in shorter.replace(MARK, "")):
            yield shorter
