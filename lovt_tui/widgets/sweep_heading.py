"""What stands above the study of a sweep: state and counts, the best so far, how it searches."""

from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS, Cell
from lovt_tui.widgets.painting import paint, tone_styles


class SweepHeading(Widget):
    """As many of the lines as the style sheet gives it."""

    COMPONENT_CLASSES = COMPONENTS

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[tuple[Cell, ...], ...] = ()

    def show(self, lines: tuple[tuple[Cell, ...], ...]) -> None:
        """Show these."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        cells = self._lines[y] if y < len(self._lines) else ()
        return paint(cells, tone_styles(self), self.rich_style, self.size.width)
