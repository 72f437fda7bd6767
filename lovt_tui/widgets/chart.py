"""Curves of one metric in a box, drawn again only when the curves, the options or the size have changed."""

from typing import TYPE_CHECKING

from textual.markup import escape
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS, fit_metric
from lovt_tui.widgets.chart_layers import Layer, is_stack
from lovt_tui.widgets.chart_options import ChartOptions
from lovt_tui.widgets.painting import paint, tone_styles

if TYPE_CHECKING:
    from lovt_tui.widgets.chart_drawing import Row

DEFAULT_OPTIONS = ChartOptions()
TITLE_MARGIN = 4
"""Cells of the upper border that a title leaves free."""
MIN_NAME = 16
"""Cells of a metric's name that stay, whatever stands behind it."""


class Chart(Widget):
    """A live chart; the drawing code and numpy are loaded with the first curve."""

    COMPONENT_CLASSES = COMPONENTS

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._layers: tuple[Layer, ...] = ()
        self._options: ChartOptions | None = None
        self._rows_drawn: list[Row] | None = None
        self._size_drawn = (0, 0)
        self._title = ("", "")
        """Metric, and what stands behind it."""

    def show(self, layers: tuple[Layer, ...], options: ChartOptions) -> None:
        """Draw these lines from now on, the first one on top; none empties the chart."""
        if _is_same(layers, self._layers) and options == self._options:
            return
        self._layers, self._options, self._rows_drawn = layers, options, None
        if not layers:
            self.border_title = self.border_subtitle = ""
        elif is_stack(layers):
            from lovt_tui.widgets.share_drawing import describe_shares

            self.border_title, self.border_subtitle = "shares of the loss", escape(describe_shares(layers))
        else:
            from lovt_tui.widgets.chart_drawing import describe_curve

            curve = layers[0].curves[0]
            signs = [f"mean of {options.smoothing}"] * (options.smoothing > 1) + ["log"] * options.log_scale
            legend = [f"{layer.marker} {layer.label}".strip() for layer in layers if layer.label]
            self._title = curve.metric, " · ".join(["", *signs, *legend])
            self._fit_title()
            self.border_subtitle = escape(describe_curve(curve, options.log_scale))
        self.refresh()

    def on_resize(self) -> None:
        """Another width has room for more or less of the metric's name."""
        if self._layers and not is_stack(self._layers):
            self._fit_title()

    def _fit_title(self) -> None:
        metric, rest = self._title
        room = max(MIN_NAME, self.size.width - TITLE_MARGIN - len(rest)) if self.size.width else len(metric)
        self.border_title = escape(fit_metric(metric, room) + rest)

    def render_line(self, y: int) -> Strip:
        """A row of the chart."""
        base = self.rich_style
        rows = self._rows()
        if y >= len(rows):
            return Strip.blank(self.size.width, base)
        return paint(rows[y], tone_styles(self), base, self.size.width)

    def _rows(self) -> "list[Row]":
        layers, options = self._layers, self._options
        if options is None or not layers or not layers[0].curves[0].values:
            return []
        size = (self.size.width, self.size.height)
        if self._rows_drawn is None or size != self._size_drawn:
            self._rows_drawn, self._size_drawn = _draw(layers, options, size), size
        return self._rows_drawn


def _draw(layers: "tuple[Layer, ...]", options: ChartOptions, size: tuple[int, int]) -> "list[Row]":
    if is_stack(layers):
        from lovt_tui.widgets.share_drawing import draw_shares

        return draw_shares(layers, size)
    from lovt_tui.widgets.chart_drawing import draw_chart

    return draw_chart(layers, options, size)


def _is_same(some: "tuple[Layer, ...]", others: "tuple[Layer, ...]") -> bool:
    """By the curves' identity: comparing a million points takes longer than drawing them."""

    def look(layers: "tuple[Layer, ...]") -> list[object]:
        return [([id(curve) for curve in layer.curves], layer.tone, layer.label, layer.marker) for layer in layers]

    return look(some) == look(others)
