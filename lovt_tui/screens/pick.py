"""One of several: a format, a sort order, a run to compare with."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.key_bar import KeyBar


class Choice(NamedTuple):
    """One of them."""

    value: str
    text: str
    """What is shown."""


class PickList(OptionList, inherit_bindings=False):
    """Moves like every list here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "select", "pick"),
        bind("up,k", "cursor_up", "up", bar=False),
        bind("down,j", "cursor_down", "down", bar=False),
        bind("pageup", "page_up", "page up", bar=False),
        bind("pagedown", "page_down", "page down", bar=False),
        bind("home,g", "first", "first", bar=False),
        bind("end,G", "last", "last", bar=False),
    ]


class PickScreen(ModalScreen[str | None], inherit_bindings=False):
    """The value that was picked, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("escape,q", "leave", "back")]

    def __init__(self, title: str, choices: Sequence[Choice], current: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._current = current

    def compose(self) -> ComposeResult:
        """A list."""
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="title", markup=False)
            yield PickList(
                *(Option(clean(choice.text), id=choice.value) for choice in self._choices), compact=True, markup=False
            )
            yield KeyBar()

    def on_mount(self) -> None:
        """The cursor on what is so now."""
        values = [choice.value for choice in self._choices]
        self.query_one(PickList).highlighted = values.index(self._current) if self._current in values else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Picked."""
        self.dismiss(event.option_id)

    def action_leave(self) -> None:
        """None."""
        self.dismiss(None)
