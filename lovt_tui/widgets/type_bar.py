"""One line to type in: the value of a key, or what to look for."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from lovt_tui.formatting import clean, fit
from lovt_tui.forms.lines import fit_end
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.line_input import LineInput

MAX_TITLE = 30


class TypeLine(LineInput):
    """Says in the key bar what enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("enter", "submit", "keep", "keep what is typed")]


class TypeBar(Horizontal):
    """Shown while somebody types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("escape", "leave", "back", "back to the list, as it was before", priority=True),
    ]

    @dataclass
    class Typed(Message):
        """The text is another one."""

        text: str

    @dataclass
    class Kept(Message):
        """Somebody is done."""

        text: str

    @dataclass
    class Left(Message):
        """Nothing is kept."""

    def compose(self) -> ComposeResult:
        """What it is about, and the text."""
        yield Label("", id="type-title", markup=False)
        yield TypeLine(compact=True, id="type-text")

    @property
    def is_open(self) -> bool:
        """Whether somebody types."""
        return self.has_class("-open")

    def open(self, title: str, text: str = "", hint: str = "") -> None:
        """Show the line with a text to change."""
        self.add_class("-open")
        self.query_one(Label).update(fit_end(clean(title), min(MAX_TITLE, len(title))) + " ")
        line = self.query_one(Input)
        with self.prevent(Input.Changed):
            line.value = text
        line.placeholder = fit(hint, len(hint))
        line.cursor_position = len(text)
        self.display = True  # at once, so that the next key is typed into it
        self.screen.set_focus(line)

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")
        self.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Told at once: values are checked while they are typed."""
        event.stop()
        if self.is_open:
            self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self.close()
        self.post_message(self.Kept(event.value))

    def action_leave(self) -> None:
        """Escape."""
        self.close()
        self.post_message(self.Left())
