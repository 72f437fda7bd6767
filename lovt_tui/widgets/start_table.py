"""What a form can begin from: experiment files, sweep files, past runs."""

from typing import ClassVar

from textual.binding import BindingType

from lovt_tui.formatting import Cell, clean, fit
from lovt_tui.keyboard.keys import bind
from lovt_tui.starting import StartChoice
from lovt_tui.widgets.line_table import LineTable

KIND_WIDTH, NOTE_WIDTH = 12, 20
NOTE_FROM = 56
"""Cells from which on there is room for the note."""
SIGNS = {"draft": "✎", "experiment": "≡", "sweep": "~"}
"""A run has that of its state."""


class StartTable(LineTable[StartChoice]):
    """One line each."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("enter", "open", "open", "open it as a form")]

    def key_of(self, entry: StartChoice) -> str:
        """Kind and name."""
        return f"{entry.kind}:{entry.name}"

    def heading(self, width: int) -> list[Cell]:
        """Titles of the columns."""
        name, note = _widths(width)
        return [Cell(f"{fit('what', KIND_WIDTH)} {fit('name', name)} {fit('', note)}", "dim")]

    def cells(self, entry: StartChoice, width: int) -> list[Cell]:
        """What it is, what it is called, where it comes from."""
        name, note = _widths(width)
        glyph, _, state = entry.state.text.partition(" ")
        return [
            Cell(f"{glyph or SIGNS[entry.kind]} ", entry.state.tone or "dim"),
            Cell(f"{fit(entry.kind, KIND_WIDTH - 2)} ", "dim"),
            Cell(fit(clean(entry.name), name), "strong"),
            Cell(f" {fit(clean(f'{entry.note} {state}').rstrip(), note)}", "dim"),
        ]


def _widths(width: int) -> tuple[int, int]:
    """Of name and note."""
    note = NOTE_WIDTH if width >= NOTE_FROM else 0
    return max(0, width - KIND_WIDTH - note - 2), note
