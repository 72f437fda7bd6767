"""Two runs side by side, and what a run has saved."""

import pytest

from lovt_core.runs.records import EventRow
from lovt_tui.listing.describing_settings import checkpoint_lines, diff_lines
from lovt_tui.reading.snapshot import RunDetail, RunFile
from tests.tui.factories import NOW, make_row

LONG = "a note that says at length why this run was made at all"


def texts_of(lines):
    return ["".join(cell.text for cell in line) for line in lines]


@pytest.mark.parametrize("width", [24, 44, 72, 96, 180])
def test_a_difference_stands_in_columns_of_the_width(width):
    first = make_row("one", experiment={"training": {"batch_size": 32}, "method": {"name": LONG}})
    second = make_row("two", experiment={"training": {"batch_size": 64}, "method": {"name": "convirt"}})
    texts = texts_of(diff_lines(first, second, width))
    assert max(map(len, texts)) <= width
    words = " ".join(texts).split()
    assert {"32", "64", "convirt"} <= set(words)
    if width > 40:
        assert set(LONG.split()) <= set(words)


def test_columns_are_aligned():
    first, second = make_row("one"), make_row("two", best={"val/loss": 1.5})
    texts = texts_of(diff_lines(first, second, 96))
    (line,) = [text for text in texts if "val/loss" in text]
    assert (line.index("3.412"), line.index("1.500")) == (texts[0].index("one"), texts[0].index("two"))


def test_small_files_have_small_units():
    files = (RunFile("checkpoints/20-a1", 3_400_000, NOW), RunFile("artifacts/scores.json", 812, NOW))
    events = (EventRow(1, NOW, "saved", {"checkpoint": "20-a1", "step": 20, "is_last": True}),)
    texts = texts_of(checkpoint_lines(RunDetail("r", (), (), events, (), 0, "", files=files)))
    assert texts == [
        "  3.4 MB  checkpoints/20-a1  step 20 last",
        "   812 B  artifacts/scores.json  ",
        "  3.4 MB  in all",
    ]
