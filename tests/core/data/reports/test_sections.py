"""Findings and impression of reports, against the reference and at the edges of its rules."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.data.reports.sections import Sections, find_sections


@pytest.mark.vectors("15_sections")
def test_sections_equal_the_reference(vector_settings):
    assert len(vector_settings) >= 1
    for case in vector_settings:
        found = find_sections(case["text"])
        got = None if found is None else {"findings": found.findings, "impression": found.impression}
        assert got == case["sections"], json.dumps(case)


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("FINDINGS", "findings"),
        ("FINDINDGS", "findings"),
        ("CHEST, TWO VIEWS", "findings"),
        ("CONCLUSION", "impression"),
        ("FINDINGS/ IMPRESSION", "impression"),
        ("NDICATION", "impression"),
        ("PRELIMINARY IMPRESSION", "impression"),
        ("OTHER FINDINGS AND IMPRESSION", "impression"),
        ("ADDITIONAL FINDINGS", "findings"),
        ("CHEST HISTORY", None),
        ("COMPARISON CHEST FILM", None),
        ("PORTABLE ABDOMEN", "findings"),
        ("AP AND LATERAL", "findings"),
        ("LEFT RIBS", "findings"),
        ("RECOMMENDATION(S)", None),
        ("NOTE", None),
    ],
)
def test_headings(heading, section):
    found = find_sections(f"TITLE\n {heading}:  Text of it.\n")
    if section is None:
        assert found is None
    else:
        assert found is not None
        assert getattr(found, section) == " Text of it.\n"


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("\n FINDINGS:", None),
        ("\n FINDINGS: a", Sections("a", "")),
        ("\n\tFINDINGS: a", None),
        ("\n FINDINGS : a", Sections("a", "")),
        ("\n FINDINGS 2: a", None),
        ("\n FINDINGS: a IMPRESSION: b", Sections("a IMPRESSION: b", "")),
        ("\n FINDINGS:\n IMPRESSION: b", Sections(" IMPRESSION: b", "")),
        ("\n FINDINGS: a\n\n IMPRESSION: b", Sections("a\n", "b")),
        ("\n FINDINGS: a\n FINDINGS: b\n FINDINGS: \n", Sections("b", "")),
    ],
)
def test_edges(text, sections):
    assert find_sections(text) == sections


@given(st.text(alphabet="\n :AFINDGSx,/", max_size=60))
def test_sections_are_parts_of_the_text_and_never_blank_together(text):
    found = find_sections("\n FINDINGS: " + text)
    if found is not None:
        assert found.findings.strip() or found.impression.strip()
        assert found.findings in "\n FINDINGS: " + text
