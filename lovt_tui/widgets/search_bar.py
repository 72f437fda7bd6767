"""One line to type what to look for."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.line_input import LineInput


class SearchBar(Horizontal):
    """Shown while somebody types."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("escape", "leave", "back", priority=True)]

    @dataclass
    class Asked(Message):
        """Look for this; empty: no longer."""

        text: str

    def compose(self) -> ComposeResult:
        """The sign and the text."""
        yield Label("search ", id="search-sign")
        yield LineInput(compact=True, id="search-text")

    def open(self, pane: str) -> None:
        """Show the line and type."""
        self.add_class("-open")
        text = self.query_one(Input)
        text.placeholder = f"text in the {pane}, enter looks for it"
        text.value = ""
        self.display = True  # at once, so that the next key is typed into it
        self.screen.set_focus(text)

    def action_leave(self) -> None:
        """Look for nothing."""
        self._ask("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Look for it."""
        event.stop()
        self._ask(event.value)

    def _ask(self, text: str) -> None:
        self.remove_class("-open")
        self.display = False
        self.post_message(self.Asked(text))
