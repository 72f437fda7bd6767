"""The headings of the comparison above its table: data sets, heads, and what keeps columns from being compared."""

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.comparing.grid import Grid
from lovt_tui.comparing.window import Window, count_heading_lines, heading_cells
from lovt_tui.formatting import COMPONENTS, Cell
from lovt_tui.widgets.line_table import MARGIN
from lovt_tui.widgets.painting import paint, tone_styles


class ComparisonHeading(Widget):
    """As many lines as the longest heading has; that of the metrics belongs to the table."""

    COMPONENT_CLASSES = COMPONENTS

    class Clicked(Message):
        """Somebody wants the cursor in this column."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Grid, Window] | None = None

    def show(self, grid: Grid, window: Window) -> None:
        """Show the headings of the columns in sight."""
        if self._shown == (grid, window):
            return
        self._shown = (grid, window)
        self.set_class(bool(grid.columns), "-given")
        self.styles.height = count_heading_lines(grid)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """A line."""
        is_there = self._shown is not None and y < count_heading_lines(self._shown[0])  # its height follows later
        cells = heading_cells(*self._shown, y) if self._shown is not None and is_there else []
        return paint([Cell(" " * MARGIN), *cells], tone_styles(self), self.rich_style, self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Go to the column."""
        if self._shown is not None and (place := self._shown[1].column_at(event.x - MARGIN)) is not None:
            self.post_message(self.Clicked(place))
