"""The list of what a form can begin from, with a line to find something in it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from lovt_tui.keyboard.keys import bind
from lovt_tui.screens.prompt import Prompt, PromptScreen
from lovt_tui.starting import StartChoice
from lovt_tui.widgets.line_table import LineTable
from lovt_tui.widgets.start_table import StartTable
from lovt_tui.widgets.type_bar import TypeBar

if TYPE_CHECKING:
    from collections.abc import Sequence


class StartPane(Vertical):
    """Files, then past runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("slash", "find", "find", "show only those that have a text"),
        bind("o", "type_path", "type a path", "open the file at a path"),
    ]

    @dataclass
    class Picked(Message):
        """Begin from this."""

        choice: StartChoice

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices: tuple[StartChoice, ...] = ()
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """Table and line."""
        yield StartTable(id="starts")
        yield TypeBar()

    def show(self, choices: "Sequence[StartChoice]") -> None:
        """List these."""
        if tuple(choices) != self._choices:
            self._choices = tuple(choices)
            self._arrange()

    def drop_find(self) -> bool:
        """Show all again; whether some were hidden."""
        was_hiding, self._wanted = bool(self._wanted), ""
        self._arrange()
        return was_hiding

    def _arrange(self) -> None:
        words = self._wanted.lower().split()
        shown = tuple(each for each in self._choices if all(word in each.text for word in words))
        empty = "Nothing fits. esc shows all, o takes any path." if self._wanted else "Looking for experiment files …"
        self.query_one(StartTable).show(shown, empty)

    def action_find(self) -> None:
        """Type what to look for."""
        self.query_one(TypeBar).open("/", self._wanted, "part of a name, or: sweep, run, shipped, finished")

    def action_type_path(self) -> None:
        """Type the path of a file."""

        def take(text: str | None) -> None:
            if text:
                self.post_message(self.Picked(StartChoice("experiment", text.strip(), "")))

        self.app.push_screen(
            PromptScreen(Prompt("Open an experiment or sweep file", hint="path, or name of a shipped one")), take
        )

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """Begin from it."""
        event.stop()
        choice = self.query_one(StartTable).selected
        if choice is not None:
            self.drop_find()
            self.post_message(self.Picked(choice))

    def on_line_table_highlighted(self, event: LineTable.Highlighted) -> None:
        """Nothing else shows it."""
        event.stop()

    def on_type_bar_typed(self, event: TypeBar.Typed) -> None:
        """Find while typing."""
        event.stop()
        self._wanted = event.text
        self._arrange()

    def on_type_bar_kept(self, event: TypeBar.Kept) -> None:
        """Back to the list."""
        event.stop()
        self.query_one(StartTable).focus()

    def on_type_bar_left(self, event: TypeBar.Left) -> None:
        """Back to the list, all of it."""
        event.stop()
        self.drop_find()
        self.query_one(StartTable).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While somebody types the keys are letters."""
        if action in ("find", "type_path"):
            return not self.query_one(TypeBar).is_open
        return super().check_action(action, parameters)
