"""Two runs side by side, and what a run has saved."""

import pytest

from lovt_core.runs.records import EventRow
from lovt_tui.listing.describing import event_lines
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


def make_saved(step, marks=("last",)):
    flags = {f"is_{mark}": mark in marks for mark in ("last", "best")}
    return EventRow(1, NOW + step, "saved", {"checkpoint": f"{step}-a1", "step": step, **flags})


SAVED = (make_saved(60, ("last", "best")), make_saved(66), make_saved(69, ("last", "best")), make_saved(72))


def test_only_the_newest_checkpoints_are_last_and_best():
    files = tuple(RunFile(f"checkpoints/{step}-a1", 1, NOW) for step in (60, 69, 72))
    texts = texts_of(checkpoint_lines(RunDetail("r", (), (), SAVED, (), 0, "", files=files)))
    assert [text.partition("-a1  ")[2] for text in texts[:3]] == ["step 60", "step 69 best", "step 72 last"]


def test_checkpoints_saved_in_a_row_are_one_line():
    started, note = EventRow(1, NOW, "started", {}), EventRow(1, NOW, "note", {"message": "split of the download"})
    texts = texts_of(event_lines((started, *SAVED, note, make_saved(75)), "%H"))
    assert [text[14:] for text in texts[1:]] == [
        "checkpoint 72-a1 at step 72 (last); 4 in a row, best 69-a1",
        "split of the download",
        "checkpoint 75-a1 at step 75 (last)",
    ]
