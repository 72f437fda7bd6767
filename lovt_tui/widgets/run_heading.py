"""Two lines on top of the run screen: which run, in what state, how far."""

from typing import TYPE_CHECKING

from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS
from lovt_tui.listing.describing import heading_cells
from lovt_tui.widgets.line_view import Line
from lovt_tui.widgets.painting import paint, tone_styles

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow


class RunHeading(Widget):
    """Redrawn when one of its words has changed."""

    COMPONENT_CLASSES = COMPONENTS

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[Line, ...] = ()

    def show(self, row: "RunRow") -> None:
        """Show this run."""
        lines = heading_cells(row)
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the two."""
        cells = self._lines[y] if y < len(self._lines) else ()
        return paint(cells, tone_styles(self), self.rich_style, self.size.width)
