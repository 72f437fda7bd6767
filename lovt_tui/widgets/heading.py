"""Lines on top of a screen: what it is about, and in what state that is."""

from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS
from lovt_tui.widgets.line_view import Line
from lovt_tui.widgets.painting import paint, tone_styles


class Heading(Widget):
    """As many of the lines as the style sheet gives it, redrawn when one of their words has changed."""

    COMPONENT_CLASSES = COMPONENTS

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[Line, ...] = ()

    def show(self, lines: tuple[Line, ...]) -> None:
        """Show these."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        cells = self._lines[y] if y < len(self._lines) else ()
        return paint(cells, tone_styles(self), self.rich_style, self.size.width)
