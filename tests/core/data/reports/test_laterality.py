"""Left and right of report sentences exchanged, and everything else left alone."""

import io
import re
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.data.reports.laterality import swap_sides
from lovt_core.data.reports.text import split_sentences

PIECES = [
    *(
        "left",
        "right",
        "Left",
        "RIGHT",
        "lEFT",
        "rt",
        "Lt",
        "RT",
        "L",
        "R",
        "l",
        "RUL",
        "LML",
        "LV",
        "L1",
        "mid",
        "Mid",
    ),
    *(
        "levo",
        "Dextro",
        "dextrose",
        "scoliosis",
        "curve",
        "lung",
        "upper",
        "ribs",
        "sided",
        "ward",
        "most",
        "bilateral",
    ),
    *("-", " ", "  ", ".", ",", ">", "<", "/", "'", "’", "_", "&", ";", "é", "1", "\n"),
]
ALONE = [
    *("No pleural effusion.", "Bilateral opacities.", "Opacity in the lingula.", "Middle lobe collapse.", ""),
    *("Cleft, bright, upright, copyright, leftover, rightly.", "L1 and L spine.", "Normal LV, RV and LAD."),
    *("After RT. LT. Dextrose and levofloxacin.", "Dr. R. Smith", "heart &lt; 50 %", "R. and L.", "the patient's L"),
]


@pytest.mark.parametrize(
    ("sentence", "exchanged"),
    [
        ("Left lower lobe opacity.", "Right lower lobe opacity."),
        ("LEFT EFFUSION, RIGHT CLEAR", "RIGHT EFFUSION, LEFT CLEAR"),
        ("left greater than right", "right greater than left"),
        ("Left-sided PICC, right-sided port.", "Right-sided PICC, left-sided port."),
        ("A rightward, leftmost, rightsided thing", "A leftward, rightmost, leftsided thing"),
        ("Right-to-left shift", "Left-to-right shift"),
        ("left/right and (left)", "right/left and (right)"),
        ("midright and mid-left lung", "midleft and mid-right lung"),
        ("Rt base, lt. apex", "Lt base, rt. apex"),
        ("RUL, RLL and LIJ; LUQ", "LUL, LLL and RIJ; RUQ"),
        ("RML, or right middle lobe", "LML, or left middle lobe"),
        ("R lung, L ribs", "L lung, R ribs"),
        ("effusions L>R, R < L", "effusions R>L, L < R"),
        ("Dextroscoliosis and levo curvature", "Levoscoliosis and dextro curvature"),
        ("Dilated left ventricle (LV)", "Dilated right ventricle (LV)"),
    ],
)
def test_sides_are_exchanged(sentence: str, exchanged: str) -> None:
    assert swap_sides(sentence) == exchanged
    assert swap_sides(exchanged) == sentence


@pytest.mark.parametrize("sentence", ALONE)
def test_what_is_no_side_stays(sentence: str) -> None:
    assert swap_sides(sentence) == sentence


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_twice_gives_the_sentence_back(sentence: str) -> None:
    assert swap_sides(swap_sides(sentence)) == sentence


def test_real_reports(data_folder: Path) -> None:
    archive = data_folder / "nlmcxr" / "NLMCXR_reports.tgz"
    if not archive.is_file():
        pytest.skip(f"{archive} is not there")
    sentences: list[str] = []
    with tarfile.open(archive) as reports:
        for member in list(reports)[:600]:
            if file := reports.extractfile(member):
                texts = ElementTree.parse(io.BytesIO(file.read())).iter("AbstractText")
                sentences += [sentence for text in texts for sentence in split_sentences(text.text or "")]
    named = [sentence for sentence in sentences if re.search("left|right", sentence, re.IGNORECASE)]
    assert len(named) > 200
    assert all(swap_sides(sentence) != sentence for sentence in named)
    assert all(swap_sides(swap_sides(sentence)) == sentence for sentence in sentences)
    changed = [sentence for sentence in sentences if swap_sides(sentence) != sentence]
    assert len(changed) < 0.2 * len(sentences)
