"""The table of trials."""

from typing import ClassVar

from textual.binding import BindingType

from lovt_tui.formatting import Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.sweeping.study import Study
from lovt_tui.sweeping.trials import (
    SORTS,
    TrialColumns,
    TrialEntry,
    choose_columns,
    find_sort,
    trial_cells,
    trial_heading,
)
from lovt_tui.widgets.line_table import MARGIN, LineTable

NO_COLUMNS = TrialColumns((), (), 0, 0, 0)


class TrialTable(LineTable[TrialEntry]):
    """One line a trial; as many parameters as the width has room for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "open", "run", "open the trial's training: curves, log, config"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._study: Study | None = None
        self._sort = SORTS[0]
        self._columns = NO_COLUMNS
        self._chosen_for: tuple[object, int] = (None, 0)

    def show_trials(self, study: Study | None, entries: tuple[TrialEntry, ...], sort: str, empty: str) -> None:
        """Show these trials of a study, in the order that `sort` names."""
        self._study, self._sort = study, sort
        self.show(entries, empty)

    def key_of(self, entry: TrialEntry) -> str:
        """The trial's number."""
        return str(entry.trial.number)

    def heading(self, width: int) -> list[Cell]:
        """Titles of the columns that fit."""
        return trial_heading(self._fit(width), self._sort)

    def cells(self, entry: TrialEntry, width: int) -> list[Cell]:
        """A trial."""
        return trial_cells(entry, self._fit(width))

    def sort_at(self, x: int) -> str:
        """What the heading at a cell sorts by; empty where it sorts by nothing."""
        return find_sort(self._fit(self.scrollable_content_region.width - MARGIN), x)

    def _fit(self, width: int) -> TrialColumns:
        if self._chosen_for != (self._study, width):
            self._columns = NO_COLUMNS if self._study is None else choose_columns(self._study, width)
            self._chosen_for = self._study, width
        return self._columns
