"""Several charts side by side, as large as they can be; more than fit scroll."""

import math
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import ScrollableContainer
from textual.widgets import Label

from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.chart import Chart
from lovt_tui.widgets.chart_layers import Layer
from lovt_tui.widgets.chart_options import ChartOptions

MIN_CHART_WIDTH = 34
MIN_CHART_HEIGHT = 7
"""Height of the rows where charts scroll, in the style sheet too."""
SHAPE = 5
"""Width of a pleasing chart in its heights."""


class ChartGrid(ScrollableContainer, can_focus=True, inherit_bindings=False):
    """One chart a curve; the charts stay when the curves grow."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("up,k", "scroll_up", "scroll up", bar=False),
        bind("down,j", "scroll_down", "scroll down", bar=False),
        bind("pageup", "page_up", "page up", bar=False),
        bind("pagedown", "page_down", "page down", bar=False),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._charts: list[Chart] = []

    @property
    def has_curves(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self._charts)

    def compose(self) -> ComposeResult:
        """What is said while there are no curves."""
        yield Label("", id="no-curves", markup=False)

    def show(self, charts: tuple[tuple[Layer, ...], ...], options: ChartOptions, empty: str) -> None:
        """Show these charts; without any, say `empty`."""
        label = self.query_one("#no-curves", Label)
        label.display = not charts
        if not charts:
            label.update(empty)
        while len(self._charts) > len(charts):
            self._charts.pop().remove()
        added = [Chart() for _ in charts[len(self._charts) :]]
        if added:
            self._charts += added
            self.mount(*added)
        for chart, layers in zip(self._charts, charts, strict=True):
            chart.show(layers, options)
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Fill the new size."""
        self._arrange()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Scrolling needs something out of sight."""
        return self.max_scroll_y > 0 or not action.startswith(("scroll_", "page_"))

    def _arrange(self) -> None:
        width, height = self.size
        if not self._charts or not width:
            return
        columns = choose_num_columns(len(self._charts), width, height)
        fits = -(-len(self._charts) // columns) * MIN_CHART_HEIGHT <= height
        self.styles.grid_size_columns = columns
        self.set_class(not fits, "-scrolls")


def choose_num_columns(count: int, width: int, height: int) -> int:
    """As few columns as let all charts be seen, as many as the width allows."""
    most = max(1, min(count, width // MIN_CHART_WIDTH))
    fewest = -(-count // max(1, height // MIN_CHART_HEIGHT))
    balanced = round(math.sqrt(count * width / (SHAPE * max(1, height))))
    return min(most, max(1, fewest, balanced))
