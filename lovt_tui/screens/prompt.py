"""One line to type in a box: tags, a note, a number, the name of a file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from lovt_core.errors import LovtError
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_input import LineInput
from lovt_tui.widgets.reason import Reason


def accept_any(text: str) -> None:
    """Whatever is typed is right."""


@dataclass(frozen=True)
class Prompt:
    """What is to be typed."""

    title: str
    text: str = ""
    """What stands there at first."""
    hint: str = ""
    """Shown while nothing is typed."""
    check: Callable[[str], object] = accept_any
    """Raises LovtError saying what is wrong with a text; called with every change."""


class PromptScreen(ModalScreen[str | None], inherit_bindings=False):
    """The text, or None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("escape", "leave", "back", priority=True)]

    def __init__(self, prompt: Prompt) -> None:
        super().__init__()
        self._prompt = prompt
        self._early = ""

    def compose(self) -> ComposeResult:
        """Title, line, what is wrong with it."""
        with Vertical(classes="dialog prompt"):
            yield Label(self._prompt.title, classes="title", markup=False)
            yield LineInput(self._prompt.text, placeholder=self._prompt.hint, compact=True)
            yield Reason()
            yield KeyBar()

    def on_key(self, event: events.Key) -> None:
        """What was typed before the line was there, or had the focus, belongs into it."""
        if event.is_printable and event.character:
            event.stop()
            if line := self.query(Input):
                line.first().insert_text_at_cursor(event.character)
            else:
                self._early += event.character

    def on_mount(self) -> None:
        """Type at once."""
        line = self.query_one(Input)
        self.set_focus(line)
        line.insert_text_at_cursor(self._early)

    def _find_problem(self, text: str) -> str:
        try:
            self._prompt.check(text)
        except (LovtError, ValueError) as error:
            return str(error)
        return ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is wrong while typing."""
        self.query_one(Reason).show(self._find_problem(event.value) if event.value else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it, unless something is wrong with it."""
        if problem := self._find_problem(event.value):
            self.query_one(Reason).show(problem)
        else:
            self.dismiss(event.value)

    def action_leave(self) -> None:
        """Nothing is taken."""
        self.dismiss(None)
