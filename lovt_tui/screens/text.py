"""Lines to read in a box: a difference, the cells behind a score, what an error says in full."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import Line
from lovt_tui.widgets.wrapped_view import WrappedView
from lovt_tui.widgets.wrapping import wrap_lines


class TextScreen(ModalScreen[None], inherit_bindings=False):
    """Wraps and scrolls; any way back closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("escape,q,enter", "close", "close")]

    def __init__(self, title: str, lines: tuple[Line, ...] | Callable[[int], tuple[Line, ...]]) -> None:
        """Lines, or what gives them for a width in cells."""
        super().__init__()
        self._title = title
        self._describe = lines if callable(lines) else partial(wrap_lines, lines)

    def compose(self) -> ComposeResult:
        """Title and lines."""
        with Vertical(classes="dialog text"):
            yield Label(self._title, classes="title", markup=False)
            yield WrappedView(id="text-lines", grows=True)
            yield KeyBar()

    def on_mount(self) -> None:
        """Show them."""
        view = self.query_one(WrappedView)
        view.wrap(self._describe)
        view.focus()

    def action_close(self) -> None:
        """Back."""
        self.dismiss()
