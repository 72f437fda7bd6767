"""The table of runs."""

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from lovt_tui.formatting import Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.line_table import LineTable
from lovt_tui.widgets.run_columns import Surroundings, choose_columns, entry_cells, find_clicked, heading_cells

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow


class RunTable(LineTable["RunRow"]):
    """One line a run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "open", "open", "open the run: curves, log, config, events"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sort = ""
        self._surroundings = Surroundings({}, 0.0)

    def set_surroundings(self, surroundings: Surroundings) -> None:
        """What the lines show beside the runs, from the next `show` on."""
        self._surroundings = surroundings

    def set_sort(self, sort: str) -> None:
        """Show in the headings by which column the rows are sorted; with a minus: largest first."""
        self._sort = sort
        self.redraw()

    def key_of(self, entry: "RunRow") -> str:
        """The run's id."""
        return entry.id

    def heading(self, width: int) -> list[Cell]:
        """Titles of the columns that fit."""
        return heading_cells(choose_columns(width), self._sort)

    def cells(self, entry: "RunRow", width: int) -> list[Cell]:
        """A run."""
        return entry_cells(self._surroundings.entry(entry), choose_columns(width))

    def column_at(self, x: int) -> str:
        """Name of the column to sort by at a cell of the headings; empty where there is none."""
        return find_clicked(choose_columns(self.scrollable_content_region.width - 2), x)
