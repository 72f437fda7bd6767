"""The table of data sets."""

from typing import ClassVar

from textual.binding import BindingType

from lovt_tui.datasets.describing import format_origin, format_samples, format_set_state, format_sizes, format_use
from lovt_tui.formatting import Cell, clean, fit
from lovt_tui.keyboard.keys import bind
from lovt_tui.pages.data import SetRow
from lovt_tui.widgets.line_table import LineTable

COLUMNS = (
    ("data set", 15, "left"),
    ("state", 15, "left"),
    ("samples", 8, "right"),
    ("size [px]", 11, "left"),
    ("origin", 11, "left"),
    ("used for", 12, "left"),
    ("kind", 9, "left"),
)
"""Title, width, alignment; as many as fit from the left, then what it is."""
MIN_TITLE_WIDTH = 12


class SetTable(LineTable[SetRow]):
    """One line a data set."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter,v", "open", "samples", "look at samples; of a set that is not prepared: prepare it"),
    ]

    def key_of(self, entry: SetRow) -> str:
        """Name of the data set."""
        return entry.name

    def heading(self, width: int) -> list[Cell]:
        """Titles of the columns that fit."""
        titles = [Cell(title) for title, _, _ in COLUMNS]
        line = "".join(cell.text for cell in _join(titles, Cell("what it is"), width))
        return [Cell(line, "dim")]

    def cells(self, entry: SetRow, width: int) -> list[Cell]:
        """A data set."""
        cells = [
            Cell(clean(entry.name), "strong"),
            format_set_state(entry),
            Cell(format_samples(entry)),
            Cell(format_sizes(entry)),
            format_origin(entry),
            Cell(format_use(entry)),
            Cell(entry.data_set.kind, "dim"),
        ]
        return _join(cells, Cell(clean(entry.data_set.title)), width)


def _join(cells: list[Cell], title: Cell, width: int) -> list[Cell]:
    """The cells that fit in `width`, each in its column's width, one blank between two."""
    joined: list[Cell] = []
    left = width
    for cell, (_, size, align) in zip(cells, COLUMNS, strict=True):
        if size > left:
            return joined
        joined += [Cell(fit(cell.text, size, align), cell.tone), Cell(" ")]
        left -= size + 1
    return [*joined, Cell(fit(title.text, left), title.tone)] if left >= MIN_TITLE_WIDTH else joined
