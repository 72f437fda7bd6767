"""The list of sweeps."""

from typing import ClassVar

from textual.binding import BindingType

from lovt_tui.formatting import Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.sweeping.listing import SweepEntry, sweep_cells, sweep_heading
from lovt_tui.widgets.line_table import LineTable


class SweepTable(LineTable[SweepEntry]):
    """One line a sweep."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "open", "trials", "go to the trials of the sweep"),
    ]

    def key_of(self, entry: SweepEntry) -> str:
        """The sweep's name."""
        return entry.summary.name

    def heading(self, width: int) -> list[Cell]:
        """Titles of the columns that fit."""
        return sweep_heading(width)

    def cells(self, entry: SweepEntry, width: int) -> list[Cell]:
        """A sweep."""
        return sweep_cells(entry, width)
