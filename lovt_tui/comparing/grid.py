"""The comparison laid out in cells of a terminal: what stands in each column, and how wide it is. Pure functions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lovt_core.tasks import TASKS
from lovt_tui.formatting import STATE_LOOKS, clean, fit

if TYPE_CHECKING:
    from lovt_core.results.column import Column
    from lovt_core.results.comparison import Comparison, Entry, Score
    from lovt_core.results.footnotes import Footnotes

BEST, SECOND, PUBLISHED, NOT_RUN = "◆", "◇", "†", "–"
RANK_SIGNS = {1: BEST, 2: SECOND}
MISSING = {
    "not run": NOT_RUN,
    **{state: f"{STATE_LOOKS[state].glyph} {state}" for state in ("queued", "running", "failed")},
}
PUBLISHED_SUFFIX = ", published"
USUAL_REPLICATES = 5
SPLIT = " split"
"""End of the mark that every column has one of."""
MARK_WIDTH = 14
"""Words of a mark go on in the next line of the heading beyond it."""
HEADS = {"yolo": "YOLOv3", "unet": "U-Net", "linear": "linear"}
MODES = {"frozen": "frozen", "finetuned": "fine-tuned"}
RIGHT_PARTS = (0, 2, 5)
"""Of an entry, aligned to the right: mean, interval, difference."""
_TASKS = {task.id: task for task in TASKS}


@dataclass(frozen=True)
class Look:
    """An entry as it is drawn."""

    text: str
    """As wide as its column."""
    tone: str = ""
    rank: int | None = None


@dataclass(frozen=True)
class GridColumn:
    """A column of the table."""

    place: int
    """Among the columns of the comparison."""
    task: str
    data: str
    """Title of the data set."""
    is_first: bool
    """Whether another data set begins here."""
    heading: tuple[str, ...]
    """Head, frozen or fine-tuned, share of the training images, then what keeps it from being compared."""
    metric: str
    number: str
    """Of the task in the paper's tables; empty for an unknown task."""
    width: int


@dataclass(frozen=True)
class GridRow:
    """A row, or the heading of a group."""

    key: str
    label: str
    place: int | None
    """Among the rows of the comparison; None: the heading of a group."""
    is_published: bool = False
    is_pin: bool = False
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True)
class Grid:
    """The whole table."""

    columns: tuple[GridColumn, ...] = ()
    rows: tuple[GridRow, ...] = ()
    common_marks: tuple[str, ...] = ()
    """What all columns have in common, and the split of most: said once, not in each heading."""
    num_hidden: int = 0
    """Rows that do not fit the filter."""
    label_width: int = 0
    """Of the longest label."""

    @property
    def num_rows(self) -> int:
        """Rows without the headings of groups."""
        return sum(row.place is not None for row in self.rows)


def build_grid(comparison: "Comparison", *, with_significance: bool = False, words: str = "") -> Grid:
    """Lay out the rows whose label or group has all of `words`, whatever their case."""
    from lovt_core.results.footnotes import collect_footnotes

    footnotes = collect_footnotes(comparison)
    wanted = words.casefold().split()
    kept = [
        place
        for place, row in enumerate(comparison.rows)
        if all(word in f"{row.label} {row.group}".casefold() for word in wanted)
    ]
    common = _find_common_marks(comparison.columns)
    columns, looks = [], []
    for place, column in enumerate(comparison.columns):
        entries = [comparison.rows[row].scores[place] for row in kept]
        heading = _describe_column(column, common)
        drawn = _draw_entries(entries, footnotes, with_significance)
        width = max(cell_len(text) for text in (*heading, column.metric_title, *(look.text for look in drawn)))
        looks.append([Look(fit(look.text, width, "right"), look.tone, look.rank) for look in drawn])
        before = comparison.columns[place - 1] if place else None
        is_first = before is None or before.data != column.data or not column.data
        columns.append(_build_column(place, column, heading, is_first, width))
    rows = _build_rows(comparison, kept, looks)
    label_width = max((cell_len(row.label) for row in rows if row.place is not None), default=0)
    return Grid(tuple(columns), rows, common, len(comparison.rows) - len(kept), label_width)


def _build_column(place: int, column: "Column", heading: tuple[str, ...], is_first: bool, width: int) -> GridColumn:
    task = _TASKS.get(column.task)
    return GridColumn(
        place=place,
        task=clean(column.task),
        data=task.title.partition(",")[0] if task else "",
        is_first=is_first,
        heading=heading,
        metric=clean(column.metric_title),
        number=str(task.number) if task else "",
        width=width,
    )


def _build_rows(comparison: "Comparison", kept: Sequence[int], looks: Sequence[Sequence[Look]]) -> tuple[GridRow, ...]:
    rows: list[GridRow] = []
    numbered = list(enumerate(kept))
    for group, members in groupby(numbered, key=lambda pair: comparison.rows[pair[1]].group):
        rows.append(GridRow(f"group {group}", clean(group), None))
        for number, place in members:
            row = comparison.rows[place]
            label = f"{row.label.removesuffix(PUBLISHED_SUFFIX)} {PUBLISHED}" if row.is_published else row.label
            drawn = tuple(column[number] for column in looks)
            is_pin = row.label == comparison.pin
            rows.append(GridRow(row.label, clean(label), place, row.is_published, is_pin, drawn))
    return tuple(rows)


def _find_common_marks(columns: "Sequence[Column]") -> tuple[str, ...]:
    """Marks of all columns, and the split of most: columns of another split say so, those of none do not exist."""
    if len(columns) < 2:
        return ()
    counts = Counter(mark for column in columns for mark in column.marks)
    return tuple(
        mark
        for mark, count in counts.items()
        if count == len(columns) or (mark.endswith(SPLIT) and 2 * count > len(columns))
    )


def _describe_column(column: "Column", common: Sequence[str]) -> tuple[str, ...]:
    task = _TASKS.get(column.task)
    if task is None:
        lines = [clean(column.task)]
    else:
        has_shares = task.data == "rsna"
        lines = [HEADS[task.head], MODES[task.encoder], *([f"{task.train_fraction:.0%}"] if has_shares else [])]
        lines = [line.replace("%", " %") for line in lines]
    for mark in column.marks:
        if mark not in common:
            lines += _wrap(clean(mark))
    return tuple(lines)


def _wrap(text: str) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= MARK_WIDTH or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _draw_entries(entries: "Sequence[Entry]", footnotes: "Footnotes", with_significance: bool) -> list[Look]:
    """Entries of one column, their parts aligned with each other's."""
    from lovt_core.results.comparison import Missing

    parts = [None if isinstance(entry, Missing) else _split(entry, footnotes, with_significance) for entry in entries]
    scored = [part for part in parts if part is not None]
    widths = [max((len(text) for text in texts), default=0) for texts in zip(*scored, strict=True)]
    looks = []
    for entry, part in zip(entries, parts, strict=True):
        if isinstance(entry, Missing):
            tone = "dim" if entry.state == "not run" else STATE_LOOKS[entry.state].tone
            trailing = sum(widths[3:])
            looks.append(Look(MISSING[entry.state] + " " * trailing, tone))
        else:
            assert part is not None
            aligned = [
                text.rjust(width) if number in RIGHT_PARTS else text.ljust(width)
                for number, (text, width) in enumerate(zip(part, widths, strict=True))
            ]
            looks.append(Look(RANK_SIGNS.get(entry.rank or 0, " ") + "".join(aligned), "", entry.rank))
    return looks


def _split(score: "Score", footnotes: "Footnotes", with_significance: bool) -> tuple[str, ...]:
    """Mean, ±, interval, number of replicates, letters of its notes, difference to the pin; any may be empty."""
    from lovt_core.results.footnotes import format_difference, format_score

    mean, _, interval = format_score(score).partition(" ± ")
    count = f" n={score.num_replicates}" if score.num_replicates != USUAL_REPLICATES else ""
    letters = footnotes.letters_of(score)
    difference = format_difference(score, with_significance)
    return (
        mean,
        " ± " if interval else "",
        interval,
        count,
        f" {letters}" if letters else "",
        f"  {difference}" if difference else "",
    )
