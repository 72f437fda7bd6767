"""The rows of a form: a line a key, under headings that fold."""

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from lovt_tui.formatting import Cell
from lovt_tui.forms.lines import Heading, heading_cells, line_cells
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from lovt_tui.forms.views import Row


class FormTable(LineTable["Heading | Row"]):
    """Enter on a heading folds it, on a key edits its value."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("enter", "open", "edit", "edit the value, or fold a heading")]

    def key_of(self, entry: "Heading | Row") -> str:
        """Its part of the form and its key."""
        return entry.id

    def heading(self, width: int) -> list[Cell]:
        """Titles of the columns that fit."""
        return heading_cells(width)

    def cells(self, entry: "Heading | Row", width: int) -> list[Cell]:
        """A heading, or a key and its value."""
        return line_cells(entry, width)
