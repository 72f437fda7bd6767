"""The reports of MIMIC-CXR, in their archive or unpacked: `files/p10/p10000032/s50414267.txt`."""

from collections.abc import Generator, Mapping
from pathlib import Path

from lovt_core.data.archives import MAX_MEMBER_BYTES, iterate_members
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.reports.sections import Sections, find_sections
from lovt_core.data.reports.text import split_sentences
from lovt_core.data.sources.download import printable
from lovt_core.data.sources.mimic_tables import Study

ARCHIVE = "mimic-cxr-reports.zip"
_FOLDERS = ("mimic-cxr-reports/files", "mimic-cxr-reports", "files")
"""Where reports may lie unpacked; the first that exists."""

Report = str | Problem
"""The text, or why it cannot be used."""


def split_report(text: str) -> tuple[Sections, tuple[str, ...]] | None:
    """Sections and sentences of a report, findings first (PROTOCOL B.1); None where it has neither section."""
    sections = find_sections(text)
    if sections is None:
        return None
    return sections, (*split_sentences(sections.findings), *split_sentences(sections.impression))


def iterate_reports(root: Path, studies: Mapping[str, Study]) -> Generator[tuple[str, Report], None, None]:
    """Study and report for every report of the `studies` that is there; raises DataError for a damaged archive.

    A study that has several reports comes several times, from the second time on with a problem.
    """
    if (root / ARCHIVE).is_file():
        yield from _iterate_archive(root, studies)
    else:
        yield from _iterate_folder(root, studies)


def _iterate_archive(root: Path, studies: Mapping[str, Study]) -> Generator[tuple[str, Report], None, None]:
    seen: set[str] = set()
    for name, content in iterate_members(root / ARCHIVE, ".txt", lambda name: _name_study(name) in studies):
        id_ = _name_study(name)
        where = f"{ARCHIVE}: {printable(name)}"
        if not name.endswith(f"{studies[id_].folder}/{id_}.txt"):
            yield id_, Problem(where=where, what="the report lies in the folder of another patient")
        elif id_ in seen:
            yield id_, Problem(where=where, what="a second report of this study")
        else:
            seen.add(id_)
            yield id_, _decode(where, content)


def _iterate_folder(root: Path, studies: Mapping[str, Study]) -> Generator[tuple[str, Report], None, None]:
    place = next((folder for folder in _FOLDERS if (root / folder).is_dir()), _FOLDERS[-1])
    for id_, study in studies.items():
        where = f"{place}/{study.folder}/{id_}.txt"
        try:
            with (root / where).open("rb") as file:
                content = file.read(MAX_MEMBER_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield id_, Problem(where=where, what=f"cannot be read: {error.strerror}")
        else:
            yield id_, _decode(where, content)


def _name_study(member: str) -> str:
    return member.rpartition("/")[2].removesuffix(".txt")


def _decode(where: str, content: bytes) -> Report:
    if len(content) > MAX_MEMBER_BYTES:
        return Problem(where=where, what=f"the file has more than {MAX_MEMBER_BYTES >> 20} MiB: no report is that long")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        return Problem(where=where, what=f"not UTF-8 text (byte {error.start})")
