"""The table of runs."""

from typing import ClassVar

from textual.binding import BindingType

from lovt_tui.formatting import Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.line_table import LineTable
from lovt_tui.widgets.run_columns import Entry, choose_columns, entry_cells, find_clicked, heading_cells


class RunTable(LineTable[Entry]):
    """One line a run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "open", "open", "open the run: curves, log, config, events"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sort = ""

    def set_sort(self, sort: str) -> None:
        """Show in the headings by which column the rows are sorted; with a minus: largest first."""
        self._sort = sort
        self.redraw()

    def key_of(self, entry: Entry) -> str:
        """The run's id."""
        return entry.row.id

    def heading(self, width: int) -> list[Cell]:
        """Titles of the columns that fit."""
        return heading_cells(choose_columns(width), self._sort)

    def cells(self, entry: Entry, width: int) -> list[Cell]:
        """A run."""
        return entry_cells(entry, choose_columns(width))

    def column_at(self, x: int) -> str:
        """Name of the column to sort by at a cell of the headings; empty where there is none."""
        return find_clicked(choose_columns(self.scrollable_content_region.width - 2), x)
