"""One line to type words in that rows must have, and beside it how many rows they hide."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from lovt_tui.formatting import plural
from lovt_tui.keyboard.keys import bind


class RowFilter(Horizontal):
    """Hidden while there is no filter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("escape", "drop", "show all", "drop the filter and show all rows", priority=True)
    ]

    @dataclass
    class Changed(Message):
        """Other words."""

        words: str

    @dataclass
    class Left(Message):
        """Somebody is done typing."""

    def compose(self) -> ComposeResult:
        """The words and what they do."""
        yield Label("/", id="row-filter-sign")
        yield Input(placeholder="words of the label or of the group", compact=True, id="row-filter-text")
        yield Label("", id="row-filter-count", markup=False)

    @property
    def words(self) -> str:
        """What is typed."""
        return self.query_one(Input).value.strip()

    def open(self) -> None:
        """Show the line and type."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def drop(self) -> None:
        """No filter any more."""
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        self.remove_class("-open")
        self.post_message(self.Changed(""))

    def action_drop(self) -> None:
        """Escape while typing."""
        self.drop()
        self.post_message(self.Left())

    def show_count(self, shown: int, hidden: int) -> None:
        """Say how much is hidden."""
        self.query_one("#row-filter-count", Label).update(
            f"{shown} of {plural(shown + hidden, 'row')} shown, {hidden} hidden"
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while typing."""
        event.stop()
        self.post_message(self.Changed(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the table, with the filter."""
        event.stop()
        if not self.words:
            self.remove_class("-open")
        self.post_message(self.Left())

    def on_click(self, event: events.Click) -> None:
        """Type here."""
        self.open()
