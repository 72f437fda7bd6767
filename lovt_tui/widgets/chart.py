"""One curve in a box. It is drawn again only when its curve, its options or its size have changed."""

from typing import TYPE_CHECKING

from textual.markup import escape
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS
from lovt_tui.widgets.chart_options import ChartOptions
from lovt_tui.widgets.painting import paint, tone_styles

if TYPE_CHECKING:
    from lovt_core.runs.records import Curve
    from lovt_tui.widgets.chart_drawing import Row

DEFAULT_OPTIONS = ChartOptions()


class Chart(Widget):
    """A live curve; the drawing code and numpy are loaded with the first one."""

    COMPONENT_CLASSES = COMPONENTS

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._curve: Curve | None = None
        self._options: ChartOptions | None = None
        self._drawn: tuple[object, list[Row]] = (None, [])

    def show(self, curve: "Curve | None", options: ChartOptions) -> None:
        """Draw this curve from now on; None empties the chart."""
        if curve is self._curve and options == self._options:
            return
        self._curve, self._options = curve, options
        if curve is None:
            self.border_title = self.border_subtitle = ""
        else:
            from lovt_tui.widgets.chart_drawing import describe_curve

            signs = [f"mean of {options.smoothing}"] * (options.smoothing > 1) + ["log"] * options.log_scale
            self.border_title = escape(" · ".join([curve.metric, *signs]))
            self.border_subtitle = escape(describe_curve(curve, options.log_scale))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """A row of the chart."""
        base = self.rich_style
        rows = self._rows()
        if y >= len(rows):
            return Strip.blank(self.size.width, base)
        return paint(rows[y], tone_styles(self), base, self.size.width)

    def _rows(self) -> "list[Row]":
        curve, options = self._curve, self._options
        if curve is None or options is None or not curve.values:
            return []
        size = (self.size.width, self.size.height)
        key = (id(curve), options, size)
        if self._drawn[0] != key:
            from lovt_tui.widgets.chart_drawing import draw_chart

            self._drawn = (key, draw_chart(curve, options, size))
        return self._drawn[1]
