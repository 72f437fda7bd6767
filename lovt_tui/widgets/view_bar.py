"""The names of the views of a sweep, the current one in brackets. A click goes there."""

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS, Cell
from lovt_tui.sweeping.drawing import View
from lovt_tui.widgets.painting import paint, tone_styles

MORE = "… "


class ViewBar(Widget):
    """Where not all names have room, those around the current one stand there."""

    COMPONENT_CLASSES = COMPONENTS

    @dataclass
    class Chosen(Message):
        """Somebody wants this view."""

        view: View

    def __init__(self) -> None:
        super().__init__()
        self._views: tuple[View, ...] = ()
        self._current: View = "trials"
        self._beside: View | None = None

    def show(self, views: tuple[View, ...], current: View, beside: View | None) -> None:
        """Mark the current view, and one that is seen beside the trials."""
        if (views, current, beside) != (self._views, self._current, self._beside):
            self._views, self._current, self._beside = views, current, beside
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        shown = fit_names(self._views, self._current, self.size.width)
        before = MORE if shown and shown[0] != self._views[0] else ""
        after = MORE if shown and shown[-1] != self._views[-1] else ""
        cells = [Cell(before, "dim"), *map(self._cell, shown), Cell(after, "dim")]
        return paint(cells, tone_styles(self), self.rich_style, self.size.width)

    def _cell(self, view: View) -> Cell:
        if view == self._current:
            return Cell(f"[{view}] ", "accent")
        return Cell(f"({view}) ", "") if view == self._beside else Cell(f" {view}  ", "dim")

    def on_click(self, event: events.Click) -> None:
        """Find the name that was clicked."""
        shown = fit_names(self._views, self._current, self.content_size.width)
        start = len(MORE) if shown and shown[0] != self._views[0] else 0
        x = event.x - self.gutter.left
        for view in shown:
            end = start + len(view) + 3
            if start <= x < end:
                self.post_message(self.Chosen(view))
            start = end


def fit_names(views: tuple[View, ...], current: View, width: int) -> tuple[View, ...]:
    """As many neighbours of the current name as fit, from the first one on where possible."""
    for start in range(len(views)):
        shown: list[View] = []
        left = width - (len(MORE) if start else 0) + 1
        for view in views[start:]:
            left -= len(view) + 3
            if left < (0 if view == views[-1] else len(MORE)):
                break
            shown.append(view)
        if current in shown:
            return tuple(shown)
    return (current,)
