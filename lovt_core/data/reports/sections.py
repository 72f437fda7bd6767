"""Findings and impression of a radiology report, by the headings in its text (reference vectors, section 15)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r"\n ([A-Z ()/,-]+):\s")

_FINDINGS_NAMES = (
    *("findings", "finding", "findins", "findindgs", "findgings", "findngs", "findnings", "finidngs"),
    *("reference findings", "chest, two views"),
)
_IMPRESSION_NAMES = (
    *("impression", "conclusion", "findings and impression", "findings/impression", "findings/ impression"),
    *("impresson", "imprression", "imoression", "impressoin", "imprssion", "impresion", "imperssion"),
    *("mpression", "impession"),
    "ndication",  # misspells another section, but the published sections have it here
)
_OTHER_NAMES = (
    *("preamble", "comparison", "comparisons", "indication", "examination", "technique", "history"),
    *("clinical history", "reason for examination", "notification", "reason for exam", "clinical information"),
    *("exam", "clinical indication", "recommendation(s)", "type of examination", "reference exam"),
    *("patient history", "addendum", "comparison exam", "date", "comment", "wet read", "comparison film"),
    *("recommendations", "pfi", "recommendation", "wetread", "idication", "comparision", "comparsion"),
    *("comparrison", "comparisions"),
)
_SECTIONS = {
    **dict.fromkeys(_FINDINGS_NAMES, "findings"),
    **dict.fromkeys(_IMPRESSION_NAMES, "impression"),
    **dict.fromkeys(_OTHER_NAMES, "other"),
}
"""Whole headings in lower case."""

_CONTAINED = (
    ("impression", "impression"),
    ("findings", "findings"),
    ("history", "other"),
    ("comparison", "other"),
    ("addendum", "other"),
)
"""For headings that are not in the table: the first of these words that is part of it decides."""

_VIEWS = (
    *("chest", "portable", "pa and lateral", "lateral and pa", "ap and lateral", "lateral and ap", "frontal and"),
    *("two views", "frontal view", "pa view", "ap view", "one view", "lateral view", "bone window"),
    *("frontal upright", "frontal semi-upright", "ribs", "pa and lat"),
)
"""A heading that only names the views is followed by findings."""


@dataclass(frozen=True)
class Sections:
    """The two sections that describe the images, as they stand in the report; at least one is not empty."""

    findings: str
    impression: str


def find_sections(text: str) -> Sections | None:
    """Findings and impression of a report; None where it has neither.

    A section is left out where it is blank; where one occurs several times, the last that is not blank counts.
    """
    found = {_classify(name): section for name, section in _split(text) if section.strip()}
    sections = Sections(found.get("findings", ""), found.get("impression", ""))
    return sections if sections.findings or sections.impression else None


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Each heading in lower case with the text after it; what stands before the first heading is left out."""
    heading = _HEADING.search(text)
    while heading is not None:
        line_end = text.find("\n", heading.end())
        following = None if line_end < 0 else _HEADING.search(text, line_end)
        yield heading.group(1).strip().lower(), text[heading.end() : following.start() if following else len(text)]
        heading = following


def _classify(heading: str) -> str:
    """`findings`, `impression` or `other`."""
    if heading in _SECTIONS:
        return _SECTIONS[heading]
    for word, section in _CONTAINED:
        if word in heading:
            return section
    return "findings" if any(view in heading for view in _VIEWS) else "other"
