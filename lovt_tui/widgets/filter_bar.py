"""One line to type a filter in, and beside it how many rows it hides or what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from lovt_core.errors import InputError
from lovt_tui.formatting import plural
from lovt_tui.keyboard.keys import bind
from lovt_tui.listing.filtering import Filter, parse_filter
from lovt_tui.widgets.line_input import LineInput

RUN_HINT = "words of the name, state:failed, age<2d …"


class FilterBar(Horizontal):
    """Hidden while there is no filter. A filter that means nothing leaves the old one at work."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("escape", "drop", "show all", "drop the filter and show all", priority=True)
    ]

    @dataclass
    class Changed(Message):
        """Another filter is at work."""

        filter: Filter

    @dataclass
    class Left(Message):
        """Somebody is done typing."""

    def __init__(self, noun: str = "run", hint: str = RUN_HINT, parse: Callable[[str], Filter] = parse_filter) -> None:
        """`noun`: one of what is filtered; `parse` raises InputError for a text that means nothing."""
        super().__init__()
        self._noun = noun
        self._hint = hint
        self._parse = parse
        self.filter = Filter()
        self._problem = ""
        self._said = ""

    def compose(self) -> ComposeResult:
        """The text and what it does."""
        yield Label("/", id="filter-sign")
        yield LineInput(placeholder=self._hint, compact=True, id="filter-text")
        yield Label("", id="filter-count", markup=False)

    def open(self) -> None:
        """Show the line and type."""
        self.add_class("-open")
        self.display = True  # at once, so that the next key is typed into it
        self.screen.set_focus(self.query_one(Input))

    def drop(self) -> None:
        """No filter any more."""
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        self._take("")
        self._close()

    def _close(self) -> None:
        self.remove_class("-open")
        self.display = False

    def action_drop(self) -> None:
        """Escape while typing."""
        self.drop()
        self.post_message(self.Left())

    def show_count(self, shown: int, total: int, unknown: str = "") -> None:
        """Say how much is hidden, unless something is wrong; `unknown` is a key that none of the rows has."""
        nobody = f"no {self._noun} has {unknown}" if unknown else ""
        text = nobody or f"{shown} of {plural(total, self._noun)} shown, {total - shown} hidden"
        if text != self._said:
            self._said = text
            label = self.query_one("#filter-count", Label)
            label.set_class(bool(nobody), "-problem")
            label.update(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while typing."""
        event.stop()
        self._take(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the table, with the filter."""
        event.stop()
        if self._problem:
            return
        if not self.filter.text:
            self._close()
        self.post_message(self.Left())

    def on_click(self, event: events.Click) -> None:
        """Type here."""
        self.open()

    def _take(self, text: str) -> None:
        try:
            self.filter = self._parse(text)
            self._problem = ""
        except InputError as error:
            self._problem = str(error)
        self.post_message(self.Changed(self.filter))

    @property
    def problem(self) -> str:
        """What is wrong with what is typed; the filter that was understood last is still at work."""
        return self._problem
