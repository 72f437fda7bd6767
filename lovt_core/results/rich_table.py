"""The comparison as tables for the terminal: as many columns side by side as its width holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from lovt_core.results.column import Column
from lovt_core.results.comparison import PUBLISHED_SUFFIX, Comparison, Entry, Missing, Row
from lovt_core.results.footnotes import (
    Footnotes,
    collect_footnotes,
    describe_pin,
    describe_significance,
    format_difference,
    format_score,
)

_PUBLISHED_MARK = " †"
_HEADING_WIDTH = 14
"""Characters of a line of a heading: as wide as the score below it."""
_PADDING = 2
"""Between two columns: a space of the cell and the line that is none."""
_MAX_LABEL_WIDTH = 34
_GROUP_WIDTH = 22
"""From which on headings of groups go on in the next line."""
_ENCODER = "encoder"
_COLUMNS_WITH_COMMON_MARKS = 3
"""From so many columns on."""
_RANK_STYLES = {1: "bold", 2: "underline"}
_MISSING_STYLES = {"not run": "dim", "queued": "cyan", "running": "green", "failed": "red"}


@dataclass(frozen=True)
class ComparisonTables:
    """Encoders by tasks in blocks that fit the console; best bold, second underlined; footnotes below the last."""

    comparison: Comparison
    with_significance: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Blocks of columns, split between data sets where that is possible."""
        footnotes = collect_footnotes(self.comparison)
        grid = [[self._entry(entry, footnotes) for entry in row.scores] for row in self.comparison.rows]
        common = _find_common_marks(self.comparison.columns)
        headings = [_heading(column, common) for column in self.comparison.columns]
        widths = [
            _PADDING + max(_width(text) for text in (heading, *(line[place] for line in grid)))
            for place, heading in enumerate(headings)
        ]
        labels = [_label(row) for row in self.comparison.rows]
        groups = [row.group for row in self.comparison.rows]
        label_width = min(_MAX_LABEL_WIDTH, max((_width(text) for text in labels), default=0))
        label_width = max(label_width, *(min(_GROUP_WIDTH, len(group)) for group in groups), len(_ENCODER))
        blocks = split_columns(self.comparison.columns, widths, options.max_width - label_width - _PADDING)
        for block in blocks:
            table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _PADDING - 1, 0, 0))
            table.add_column(_ENCODER, width=label_width)
            for place in block:
                table.add_column(headings[place], justify="right")
            for place, row in enumerate(self.comparison.rows):
                if place == 0 or row.group != groups[place - 1]:
                    table.add_row(Text(row.group, style="italic"))
                style = "dim" if row.is_published else ""
                table.add_row(labels[place], *(grid[place][column] for column in block), style=style)
            yield table
            yield Text()
        if common:
            yield Text(f"all columns: {', '.join(common)}", style="yellow")
        yield from self._lines(footnotes)

    def _entry(self, entry: Entry, footnotes: Footnotes) -> Text:
        if isinstance(entry, Missing):
            return Text("–" if entry.state == "not run" else entry.state, style=_MISSING_STYLES[entry.state])
        text = Text(format_score(entry), style=_RANK_STYLES.get(entry.rank or 0, ""))
        if letters := footnotes.letters_of(entry):
            text.append(f" {letters}", style="not bold not underline yellow")
        if difference := format_difference(entry, self.with_significance):
            text.append(f"\n{difference}", style="not bold not underline")
        return text

    def _lines(self, footnotes: Footnotes) -> Iterator[Text]:
        for letter, text in footnotes.lines():
            yield Text(f"{letter}  {text}", style="dim")
        if any(row.is_published for row in self.comparison.rows):
            yield Text("†  published by the authors", style="dim")
        if self.comparison.pin is not None:
            yield Text(describe_pin(self.comparison), style="dim")
            if self.with_significance:
                yield Text(describe_significance(self.comparison), style="dim")
        for text in self.comparison.summary:
            yield Text(text, style="dim")
        for run in self.comparison.unreadable:
            yield Text(f"run {run} holds results that this version cannot read", style="yellow")


def render_comparison(comparison: Comparison, with_significance: bool = False) -> RenderableType:
    """The comparison for a console of any width from 60 characters on."""
    return ComparisonTables(comparison, with_significance)


def split_columns(columns: Sequence[Column], widths: Sequence[int], available: int) -> list[list[int]]:
    """Places of the columns of each block: no wider than `available`, data sets torn only where one is too wide."""
    blocks: list[list[int]] = []
    for place, column in enumerate(columns):
        is_first = place == 0 or column.data != columns[place - 1].data
        together = [other for other in range(place, len(columns)) if is_first and columns[other].data == column.data]
        needed = max(widths[place], sum(widths[other] for other in together))
        used = sum(widths[other] for other in blocks[-1]) if blocks else available
        fits = used + needed <= available or (used + widths[place] <= available and not is_first)
        if blocks and fits:
            blocks[-1].append(place)
        else:
            blocks.append([place])
    return blocks


def _find_common_marks(columns: Sequence[Column]) -> tuple[str, ...]:
    """Marks that every one of several columns has: they are said once, not in each heading."""
    if len(columns) < _COLUMNS_WITH_COMMON_MARKS:
        return ()
    return tuple(mark for mark in columns[0].marks if all(mark in column.marks for column in columns))


def _heading(column: Column, common: Sequence[str]) -> Text:
    heading = Text("\n".join(_break_at_hyphens(column.task)))
    heading.append(f"\n{column.metric_title}")
    for mark in column.marks:
        if mark in common:
            continue
        lines = "\n".join(_wrap(mark.split(" "), " "))
        heading.append(f"\n{lines}", style="dim" if mark.endswith(" split") else "yellow")
    return heading


def _break_at_hyphens(name: str) -> list[str]:
    parts = name.split("-")
    return _wrap([*(f"{part}-" for part in parts[:-1]), parts[-1]], "")


def _wrap(parts: Sequence[str], separator: str) -> list[str]:
    """Lines of at most `_HEADING_WIDTH` characters, longer parts whole."""
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]}{separator}{part}"
        if len(longer) <= _HEADING_WIDTH:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _label(row: Row) -> Text:
    return Text(row.label.removesuffix(PUBLISHED_SUFFIX) + _PUBLISHED_MARK if row.is_published else row.label)


def _width(text: Text) -> int:
    return max(cell_len(line) for line in text.plain.split("\n"))
