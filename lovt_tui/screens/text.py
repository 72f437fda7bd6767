"""Lines to read in a box: a difference, the cells behind a score, what an error says in full."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import Line, LineView


class TextScreen(ModalScreen[None], inherit_bindings=False):
    """Scrolls; any way back closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("escape,q,enter", "close", "close")]

    def __init__(self, title: str, lines: tuple[Line, ...]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Title and lines."""
        with Vertical(classes="dialog text"):
            yield Label(self._title, classes="title", markup=False)
            yield LineView(id="text-lines")
            yield KeyBar()

    def on_mount(self) -> None:
        """As high as the lines are."""
        view = self.query_one(LineView)
        view.styles.height = max(1, len(self._lines))
        view.show(self._lines)
        view.focus()

    def action_close(self) -> None:
        """Back."""
        self.dismiss()
