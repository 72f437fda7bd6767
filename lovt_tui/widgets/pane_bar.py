"""The names of the run screen's panes, the current one in brackets. A click goes there."""

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS, Cell
from lovt_tui.widgets.painting import paint, tone_styles
from lovt_tui.widgets.panes import PANES, Pane


class PaneBar(Widget):
    """One line."""

    COMPONENT_CLASSES = COMPONENTS

    @dataclass
    class Chosen(Message):
        """Somebody wants this pane."""

        pane: Pane

    def __init__(self) -> None:
        super().__init__()
        self._current: Pane = "charts"
        self._shown: tuple[Pane, ...] = ()

    def show(self, current: Pane, shown: tuple[Pane, ...]) -> None:
        """Mark the current pane; those that are seen stand out from the others."""
        self._current, self._shown = current, shown
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        return paint(map(self._cell, PANES), tone_styles(self), self.rich_style, self.size.width)

    def _cell(self, pane: Pane) -> Cell:
        if pane == self._current:
            return Cell(f"[{pane}]", "accent")
        return Cell(f" {pane} ", "" if pane in self._shown else "dim")

    def on_click(self, event: events.Click) -> None:
        """Find the name that was clicked."""
        start = 0
        for pane in PANES:
            end = start + len(pane) + 2
            if start <= event.x < end:
                self.post_message(self.Chosen(pane))
            start = end
