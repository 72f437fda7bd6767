"""What the keys do here: read from the live bindings, so that it lists exactly those that work."""

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from lovt_tui.formatting import Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.key_bar import KeyBar, LiveKey
from lovt_tui.widgets.line_view import Line
from lovt_tui.widgets.wrapped_view import WrappedView
from lovt_tui.widgets.wrapping import wrap_lines

SCROLL_BAR = 1
"""Its width in cells."""


class HelpScreen(ModalScreen[None], inherit_bindings=False):
    """Keys of the screen below, then those that work everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("escape,question_mark,f1,q", "close", "close")]

    def __init__(self, keys: tuple[LiveKey, ...], notes: tuple[str, ...]) -> None:
        super().__init__()
        self._keys = keys
        self._notes = notes

    def compose(self) -> ComposeResult:
        """A list that scrolls."""
        with Vertical(classes="dialog"):
            yield Label("Keys that work here", classes="title")
            yield WrappedView(id="help-lines", grows=True)
            yield KeyBar()

    def on_mount(self) -> None:
        """Fill in the list."""
        view = self.query_one(WrappedView)
        lines = help_lines(self._keys, self._notes)
        view.styles.width = max(sum(len(cell.text) for cell in line) for line in lines) + SCROLL_BAR
        view.wrap(partial(wrap_lines, lines))
        view.focus()

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss()


def help_lines(keys: tuple[LiveKey, ...], notes: tuple[str, ...]) -> tuple[Line, ...]:
    """One line a key, in two groups, then the notes."""
    width = max(len(key.label) for key in keys)
    here = [_key_line(key, width) for key in keys if not key.is_everywhere]
    everywhere = [_key_line(key, width) for key in keys if key.is_everywhere]
    lines: list[Line] = [*here, (Cell(""),), (Cell("Everywhere", "strong"),), *everywhere]
    if notes:
        lines += [(Cell(""),), *((Cell(note, "dim"),) for note in notes)]
    return tuple(lines)


def _key_line(key: LiveKey, width: int) -> Line:
    return (Cell(f"{key.label:<{width}}  ", "accent"), Cell(key.help))
