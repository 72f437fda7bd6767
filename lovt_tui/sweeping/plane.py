"""A plot of a sweep as lines of text: two axes, lines in braille, glyphs for what must be told apart without colour."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.text import Text

from lovt_core.sweeps.parameter_axes import Axis, AxisTick, list_ticks
from lovt_tui.formatting import Cell, clean, fit
from lovt_tui.widgets.braille import DOTS_ACROSS, DOTS_DOWN, Canvas

FINISHED: Final = Cell("•", "accent")
BEST: Final = Cell("◆", "good")
PRUNED: Final = Cell("▽", "dim")
FAILED: Final = Cell("✘", "error")
MIN_WIDTH: Final = 30
MIN_HEIGHT: Final = 4
_MAX_LABEL: Final = 12
_STYLES: Final = {
    "dim": "dim",
    "strong": "bold",
    "accent": "cyan",
    "good": "bold green",
    "warning": "yellow",
    "error": "red",
    "": "",
}


class Plane:
    """Lines and marks between a vertical axis on the left and a horizontal one below, `width` by `height` cells."""

    def __init__(self, x: Axis, y: Axis, width: int, height: int) -> None:
        self._x = x
        self._y = y
        self.height = max(MIN_HEIGHT, height - 2)
        self._ticks = list_ticks(y, max(2, self.height // 3))
        self._margin = min(_MAX_LABEL, max(len(clean(tick.label)) for tick in self._ticks)) + 1
        self.full_width = max(MIN_WIDTH, width)
        self.width = self.full_width - self._margin
        self._canvas = Canvas(self.width, self.height)
        self._marks: dict[tuple[int, int], Cell] = {}
        self._rugs: list[list[Cell]] = []

    def line(self, points: Sequence[tuple[float, float]], tone: str) -> None:
        """Through places of x and y; a single point is a dot."""
        dots = [
            (
                round(self._x.share(x) * (self._canvas.num_columns - 1)),
                round((1 - self._y.share(y)) * (self._canvas.num_rows - 1)),
            )
            for x, y in points
        ]
        for start, end in zip(dots, dots[1:] or dots, strict=False):
            self._canvas.line(start, end, tone)

    def mark(self, x: float, y: float, cell: Cell) -> None:
        """A glyph at places of x and y, over whatever is there."""
        row = round((1 - self._y.share(y)) * (self._canvas.num_rows - 1)) // DOTS_DOWN
        self._marks[self._column(x), row] = cell

    def fill(self, column: int, row: int, cell: Cell) -> None:
        """A glyph in a cell counted from the left and the top."""
        self._marks[column, row] = cell

    def rug(self, places: Iterable[float], cell: Cell) -> None:
        """A row below the plot with a glyph at each place of x; none where there is no place."""
        row = [Cell(" ")] * self.width
        taken = [self._column(place) for place in places]
        for column in taken:
            row[column] = cell
        if taken:
            self._rugs.append(row)

    def render(self) -> Text:
        """All rows, then the labels of x and its name."""
        name = fit(clean(self._x.name), self.width).rstrip().center(self.width).rstrip()
        ticks = list_ticks(self._x, max(2, self.width // 12))
        return self.draw_rows().append_text(self.draw_labels(ticks)).append(" " * self._margin + name)

    def draw_rows(self) -> Text:
        """The plot with the labels of y, and the rugs."""
        labels = {round((1 - self._y.share(t.place)) * (self.height - 1)): clean(t.label) for t in self._ticks}
        text = Text(no_wrap=True)
        for row in range(self.height):
            text.append(fit(labels.get(row, ""), self._margin - 1, "right") + " ", "dim")
            drawn = self._canvas.row(row)
            append_cells(text, (self._marks.get((column, row), Cell(*drawn[column])) for column in range(self.width)))
            text.append("\n")
        for rug in self._rugs:
            text.append(" " * self._margin)
            append_cells(text, rug)
            text.append("\n")
        return text

    def draw_labels(self, ticks: Sequence[AxisTick]) -> Text:
        """A row of labels under their places of x; one that would touch another is left out."""
        line, free = [" "] * self.width, 0
        for tick in ticks:
            label = clean(tick.label)
            label = fit(label, min(len(label), self.width // 3))
            start = max(0, min(self._column(tick.place) - len(label) // 2, self.width - len(label)))
            if start >= free:
                line[start : start + len(label)] = label
                free = start + len(label) + 1
        return Text((" " * self._margin + "".join(line)).rstrip() + "\n", "dim", no_wrap=True)

    def _column(self, x: float) -> int:
        return round(self._x.share(x) * (self._canvas.num_columns - 1)) // DOTS_ACROSS


def append_cells(text: Text, cells: Iterable[Cell]) -> None:
    """Add cells in the styles of their tones, equal ones as one piece."""
    before, tone = "", ""
    for cell in cells:
        if cell.tone != tone:
            text.append(before, _STYLES[tone])
            before, tone = "", cell.tone
        before += cell.text
    text.append(before, _STYLES[tone])


def describe_marks(*marks: tuple[Cell, str]) -> Text:
    """One line: each glyph and what it means."""
    text = Text()
    for number, (cell, meaning) in enumerate(marks):
        text.append("   " if number else "")
        append_cells(text, [cell])
        text.append(f" {meaning}", "dim")
    return text
