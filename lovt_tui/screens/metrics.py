"""Choosing which curves a run shows."""

from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Label, SelectionList
from textual.widgets.selection_list import Selection

from lovt_core.runs.metric_meanings import find_meaning
from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.key_bar import KeyBar


class TickList(SelectionList[str]):
    """Boxes whose state can be told without colour: an empty one is blank."""

    def render_line(self, y: int) -> Strip:
        """The line, without the cross in a box that is not ticked."""
        strip = super().render_line(y)
        number = self.scroll_offset.y + y
        if number >= self.option_count or self.get_option_at_index(number).value in self.selected:
            return strip
        left, cross, *rest = strip
        return Strip([left, Segment(" " * len(cross.text), cross.style), *rest])


class MetricsScreen(ModalScreen[tuple[str, ...] | None], inherit_bindings=False):
    """All metrics of a run; nothing chosen means the usual ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "accept", "show these", priority=True),
        bind("a", "none", "usual ones", "choose none, which shows the usual ones"),
        bind("escape", "cancel", "back"),
    ]

    def __init__(self, names: tuple[str, ...], chosen: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """A list to tick."""
        with Vertical(classes="dialog"):
            yield Label("Curves to show: space ticks, enter shows them, esc forgets the ticks", classes="title")
            yield TickList(
                *(Selection(clean(name), name, name in self._chosen, id=None) for name in self._names), compact=True
            )
            yield Label("", id="meaning", markup=False)
            yield KeyBar()

    def on_selection_list_selection_highlighted(self, event: SelectionList.SelectionHighlighted[str]) -> None:
        """Say what the metric under the cursor is."""
        self.query_one("#meaning", Label).update(find_meaning(event.selection.value))

    def action_accept(self) -> None:
        """Show them, in the order of their names."""
        ticked = set(self.query_one(TickList).selected)
        self.dismiss(tuple(name for name in self._names if name in ticked))

    def action_none(self) -> None:
        """The usual ones."""
        self.dismiss(())

    def action_cancel(self) -> None:
        """As it was."""
        self.dismiss(None)
