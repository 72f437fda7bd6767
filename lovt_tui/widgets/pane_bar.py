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
    """Shown while not all panes are."""

    COMPONENT_CLASSES = COMPONENTS

    @dataclass
    class Chosen(Message):
        """Somebody wants this pane."""

        pane: Pane

    def __init__(self) -> None:
        super().__init__()
        self._current: Pane = "charts"

    def show(self, current: Pane, is_needed: bool) -> None:
        """Mark the current pane."""
        self.display = is_needed
        self._current = current
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        cells = [Cell(f"[{pane}] ", "accent") if pane == self._current else Cell(f" {pane}  ", "dim") for pane in PANES]
        return paint(cells, tone_styles(self), self.rich_style, self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Find the name that was clicked."""
        start = 0
        for pane in PANES:
            end = start + len(pane) + 3
            if start <= event.x < end:
                self.post_message(self.Chosen(pane))
            start = end
