"""Columns of the run table and what stands in them, chosen by the width there is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from lovt_tui.formatting import (
    Cell,
    clean,
    fit,
    format_age,
    format_duration,
    format_number,
    format_progress,
    format_state,
    label_run,
    plural,
)
from lovt_tui.reading.snapshot import Score

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

NORMAL_WIDTH = 108
WIDE_WIDTH = 150


@dataclass(frozen=True)
class Entry:
    """All that one line of the table shows."""

    row: "RunRow"
    scores: tuple[Score, ...]
    now: float
    is_pinned: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What lines show beside the runs themselves."""

    scores: Mapping[str, tuple[Score, ...]]
    """Finished tasks by run id."""
    now: float
    pinned: str | None = None

    def entry(self, row: "RunRow") -> Entry:
        """All that the line of a run shows."""
        return Entry(row, self.scores.get(row.id, ()), self.now, row.id == self.pinned)


@dataclass(frozen=True)
class Column:
    """A column: its heading, its width, and its cell of an entry."""

    title: str
    width: int
    cell: Callable[[Entry, int], Cell]
    align: Literal["left", "right"] = "left"
    yields_to_reason: bool = False
    """Makes room for the reason in the line of a run that failed."""


def choose_columns(width: int) -> tuple[Column, ...]:
    """Columns that fill `width`, one cell between two."""
    if width < NORMAL_WIDTH:
        columns = _columns(subject=9, bar=10, best=10)
    elif width < WIDE_WIDTH:
        columns = _columns(subject=12, bar=14, best=14, loss=9, slot=8)
    else:
        columns = _columns(subject=18, bar=24, best=22, loss=10, slot=14, tags=14)
    taken = sum(column.width for column in columns) + len(columns) - 1
    return tuple(
        replace(column, width=max(8, width - taken)) if column.title == "run" else column for column in columns
    )


def _columns(**widths: int) -> tuple[Column, ...]:
    """The columns that are given a width, and those that always stand; `run` takes what is left."""
    optional = {
        "subject": Column("what", 0, _subject),
        "bar": Column("progress", 0, _progress, yields_to_reason=True),
        "left": Column("left", 6, _left, "right", yields_to_reason=True),
        "best": Column("best", 0, _best, "right", yields_to_reason=True),
        "loss": Column("loss", 0, _loss, "right"),
        "slot": Column("slot", 0, _slot),
        "tags": Column("tags", 0, _tags),
        "age": Column("age", 4, _age, "right"),
    }
    sized = [
        replace(column, width=widths.get(name, column.width))
        for name, column in optional.items()
        if widths.get(name, column.width)
    ]
    return (Column("state", 13, lambda entry, width: format_state(entry.row)), Column("run", 0, _name), *sized)


def entry_cells(entry: Entry, columns: tuple[Column, ...]) -> list[Cell]:
    """Cells of one line, in exactly the columns' widths; a reason takes the place of the columns that yield to it."""
    cells: list[Cell] = []
    reason = clean(entry.row.detail) if entry.row.state in ("failed", "lost") else ""
    for yields, group in groupby(columns, lambda column: bool(reason) and column.yields_to_reason):
        merged = tuple(group)
        if yields:
            width = sum(column.width for column in merged) + len(merged) - 1
            cells += [Cell(fit(reason, width), format_state(entry.row).tone), Cell(" ")]
            continue
        for column in merged:
            cell = column.cell(entry, column.width)
            cells += [Cell(fit(cell.text, column.width, column.align), cell.tone), Cell(" ")]
    return cells[:-1]


SORTABLE = {
    "state": "state", "run": "name", "what": "what", "progress": "progress", "left": "left", "best": "best",
    "loss": "latest.train/loss", "slot": "slot", "tags": "tags", "age": "age",
}  # fmt: skip
"""Title of a column -> the name by which runs are sorted (`lovt runs --sort`)."""


def heading_cells(columns: tuple[Column, ...], sort: str = "") -> list[Cell]:
    """The line of headings; the one that the rows are sorted by has an arrow."""
    return [Cell(" ".join(fit(_title(column, sort), column.width, column.align) for column in columns), "dim")]


def _title(column: Column, sort: str) -> str:
    if SORTABLE[column.title] != sort.removeprefix("-"):
        return column.title
    return f"{column.title}{'↓' if sort.startswith('-') else '↑'}"


def find_clicked(columns: tuple[Column, ...], x: int) -> str:
    """The name to sort by of the column at a cell of the headings."""
    start = 0
    for column in columns:
        if start <= x <= start + column.width:
            return SORTABLE[column.title]
        start += column.width + 1
    return ""


def _name(entry: Entry, width: int) -> Cell:
    signs = ("P " if entry.is_pinned else "") + ("! " if entry.row.alarms else "")
    return Cell(signs + label_run(entry.row), "warning" if entry.row.alarms else "strong")


def _subject(entry: Entry, width: int) -> Cell:
    tasks = entry.row.experiment.get("tasks", ()) if entry.row.kind == "evaluate" else ()
    text = plural(len(tasks), "task") if len(tasks) > 1 else entry.row.subject
    return Cell(clean(text))


def _progress(entry: Entry, width: int) -> Cell:
    row = entry.row
    if row.state in ("queued", "launched", "cancelled"):
        return Cell("")
    return Cell(format_progress(row, width), "" if row.is_active else "dim")


def _left(entry: Entry, width: int) -> Cell:
    left = entry.row.seconds_left
    return Cell("" if left is None else format_duration(left))


def _best(entry: Entry, width: int) -> Cell:
    """The value of a training that stands for it; the score of an evaluation, the mean of several of one metric."""
    if entry.scores:
        return Cell(_score(entry.scores, width), "good")
    headline = entry.row.headline
    if headline is None:
        return Cell("")
    value = format_number(headline.value)
    shorter = (f"last {value}", value) if headline.is_last else (value,)
    texts = (f"{headline.label.removeprefix('best ')} {value}", *shorter)
    return Cell(next((text for text in texts if len(text) <= width), value))


def _score(scores: tuple[Score, ...], width: int) -> str:
    if len({score.metric for score in scores}) > 1:
        return f"{len(scores)} tasks"  # Dice, mAP and fROC have no mean
    mean = sum(score.mean for score in scores) / len(scores)
    name = scores[0].metric if len(scores) == 1 else f"{len(scores)} tasks"
    text = f"{mean:.3f}"
    interval = scores[0].ci95
    if len(scores) == 1 and interval is not None and width >= 10:
        text = f"{text}±{interval:.3f}".replace("±0.", "±.")
    return f"{name} {text}" if len(name) + len(text) < width else text


def _loss(entry: Entry, width: int) -> Cell:
    loss = entry.row.latest.get("train/loss")
    if loss is None:
        return Cell("")
    text = format_number(loss)
    return Cell(text, "error" if text in ("NaN", "∞", "-∞") else "")


def _slot(entry: Entry, width: int) -> Cell:
    return Cell(clean(entry.row.slot).removeprefix("NVIDIA ").removeprefix("GeForce ") if entry.row.is_active else "")


def _tags(entry: Entry, width: int) -> Cell:
    return Cell(clean(" ".join(f"#{tag}" for tag in entry.row.tags)), "accent")


def _age(entry: Entry, width: int) -> Cell:
    return Cell(format_age(max(0.0, entry.now - entry.row.created)), "dim")
