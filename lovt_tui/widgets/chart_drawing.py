"""Curves as rows of characters: smoothed lines over the raw band, round ticks, not-finite values marked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from lovt_core.config.metrics import find_direction
from lovt_core.runs.records import Curve
from lovt_tui.formatting import Cell, fit, format_number
from lovt_tui.widgets.axes import Tick, TickRule, count_ticks, linear_ticks, log_ticks, time_ticks
from lovt_tui.widgets.braille import DOTS_ACROSS, DOTS_DOWN, Canvas
from lovt_tui.widgets.chart_layers import Layer
from lovt_tui.widgets.chart_options import BEST_MARK, BROKEN_MARK, ChartOptions, XAxis
from lovt_tui.widgets.thinning import Array, Columns, average, smooth, thin

MIN_WIDTH = 12
MIN_HEIGHT = 3
PADDING = 0.04
Row = list[Cell]
Places = list[list[tuple[str, str]]]
"""Character and tone of each cell of the plot."""


@dataclass(frozen=True)
class Frame:
    """Limits of the plot, and the canvas they are mapped to."""

    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    """Logarithms on a logarithmic scale."""
    log_scale: bool
    canvas: Canvas

    def row_of(self, value: float) -> int:
        """Row of dots of a plotted value."""
        low, high = self.y_limits
        return round((high - value) / (high - low) * (self.canvas.num_rows - 1))

    def column_of(self, x: float) -> int:
        """Column of dots."""
        low, high = self.x_limits
        return round((x - low) / (high - low) * (self.canvas.num_columns - 1)) if high > low else 0


@dataclass(frozen=True)
class Line:
    """A layer's points as they are plotted."""

    x: tuple[Array, ...]
    shown: tuple[Array, ...]
    """Values, or their logarithms; one array a curve of the layer."""


def draw_chart(layers: Sequence[Layer], options: ChartOptions, size: tuple[int, int]) -> list[Row]:
    """`size` (width, height) cells: the plot, and below it the ticks of x. The first layer lies on top."""
    width, height = size
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        return []
    lines = [_plot_line(layer, options) for layer in layers]
    limits = _limits([values for line in lines for values in line.shown])
    if limits is None:
        return [[Cell(fit(text, width), "warning")] for text in ("no value can be drawn", *[""] * (height - 1))]
    y_ticks = _y_ticks(limits, options.log_scale, height - 1)
    margin = max((len(tick.label) for tick in y_ticks), default=0) + 1
    canvas = Canvas(width - margin, height - 1)
    frame = Frame(_x_limits(lines), _pad(limits), options.log_scale, canvas)
    drawn = [
        (layer, _draw_layer(frame, layer, line, options))
        for layer, line in reversed(list(zip(layers, lines, strict=True)))
    ]
    rows = [canvas.row(y) for y in range(canvas.height)]
    for layer, columns in drawn:
        _mark_end(rows, frame, layer, columns)
    _mark_broken(rows, drawn[-1][1])
    if len(layers[0].curves) == 1:
        _mark_best(rows, frame, layers[0].curves[0], lines[0].x[0])
    labels = {frame.row_of(_scale_tick(tick, options.log_scale)) // DOTS_DOWN: tick.label for tick in y_ticks}
    joined = [_join_row(labels.get(y, ""), margin, row) for y, row in enumerate(rows)]
    return [*joined, [Cell(_x_labels(frame, margin, options.x_axis), "dim")]]


def describe_curve(curve: Curve, log_scale: bool) -> str:
    """Newest and best value, and what cannot be drawn."""
    if not curve.values:
        return ""
    parts = [format_number(curve.values[-1])]
    best = find_best(curve)
    if best is not None and curve.metric.startswith("val/"):
        parts.append(f"{BEST_MARK} best {format_number(curve.values[best])}")
    values = np.asarray(curve.values, dtype=np.float64)
    if broken := int((~np.isfinite(values)).sum()):
        parts.append(f"{BROKEN_MARK} {broken} not finite")
    if log_scale and (hidden := int((values <= 0).sum())):
        parts.append(f"{hidden} not above 0")
    return " · ".join(parts)


def find_best(curve: Curve) -> int | None:
    """Index of the best finite value: the smallest of losses, the largest of scores; of equals the first.

    None where there is none, and of metrics of which neither more nor less is better.
    """
    values = np.asarray(curve.values, dtype=np.float64)
    direction = find_direction(curve.metric)
    if direction is None or not np.isfinite(values).any():
        return None
    if direction == "min":
        return int(np.argmin(np.where(np.isfinite(values), values, np.inf)))
    return int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))


def _plot_line(layer: Layer, options: ChartOptions) -> Line:
    curves = [curve for curve in layer.curves if curve.values]
    values = [np.asarray(curve.values, dtype=np.float64) for curve in curves]
    return Line(
        tuple(_positions(curve, options.x_axis) for curve in curves),
        tuple(_scaled(each, options.log_scale) for each in values),
    )


def _positions(curve: Curve, axis: XAxis) -> Array:
    match axis:
        case "step":
            return np.asarray(curve.steps, dtype=np.float64)
        case "epoch":
            return np.asarray(curve.epochs, dtype=np.float64)
        case "time":
            times = np.asarray(curve.times, dtype=np.float64)
            return times - times[0] if len(times) else times
    assert_never(axis)


def _scaled(values: Array, log_scale: bool) -> Array:
    if not log_scale:
        return values
    positive = np.isfinite(values) & (values > 0)
    return np.where(positive, np.log10(np.where(positive, values, 1.0)), np.nan)


def _x_limits(lines: Sequence[Line]) -> tuple[float, float]:
    ends = [(float(x[0]), float(x[-1])) for line in lines for x in line.x if len(x)]
    return min(first for first, _ in ends), max(last for _, last in ends)


def _limits(several: Sequence[Array]) -> tuple[float, float] | None:
    """Of the finite values."""
    finite = [values if np.isfinite(values).all() else values[np.isfinite(values)] for values in several]
    ends = [(float(values.min()), float(values.max())) for values in finite if len(values)]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None


def _pad(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    span = high - low or abs(high) * 0.1 or 1.0
    return low - span * PADDING, high + span * PADDING


def _y_ticks(limits: tuple[float, float], log_scale: bool, height: int) -> tuple[Tick, ...]:
    """Round values; the lowest and the highest where fewer than two round ones fit."""
    low, high = (float(10**value if log_scale else value) for value in limits)
    ticks = (log_ticks if log_scale else linear_ticks)(low, high, max(1, height // 2))
    return ticks if len(ticks) > 1 else tuple(Tick(value, format_number(value, 3)) for value in (low, high))


def _scale_tick(tick: Tick, log_scale: bool) -> float:
    return math.log10(tick.value) if log_scale else tick.value


def _draw_layer(frame: Frame, layer: Layer, line: Line, options: ChartOptions) -> Columns:
    """Draw its line, under it the band of several curves or of the raw points; what was drawn."""
    num_columns = frame.canvas.num_columns
    thinned = []
    for curve, x, shown in zip(layer.curves, line.x, line.shown, strict=False):
        if options.smoothing > 1:
            raw = np.asarray(curve.values, dtype=np.float64)
            shown = _scaled(smooth(raw, options.smoothing), options.log_scale)
        thinned.append(thin(x, shown, frame.x_limits, num_columns))
    if len(thinned) > 1:
        columns, low, high = average(thinned, num_columns)
        _draw_band(frame, columns.column, low, high)
    else:
        columns = thinned[0]
        if options.smoothing > 1 and layer.tone == "accent":
            band = thin(line.x[0], line.shown[0], frame.x_limits, num_columns)
            _draw_band(frame, band.column, band.low, band.high)
    _draw_line(frame, columns, layer.tone)
    return columns


def _draw_band(frame: Frame, column: "np.typing.NDArray[np.intp]", low: Array, high: Array) -> None:
    for x, bottom, top in zip(column.tolist(), low.tolist(), high.tolist(), strict=True):
        frame.canvas.column(x, frame.row_of(top), frame.row_of(bottom), "dim")


def _draw_line(frame: Frame, columns: Columns, tone: str) -> None:
    """Each column's extremes, joined to the column before unless a value in between is not finite."""
    before: tuple[int, int] | None = None
    for index, column in enumerate(columns.column.tolist()):
        start = (column, frame.row_of(columns.first[index]))
        if before is not None and not any(between in columns.broken for between in range(before[0], column + 1)):
            frame.canvas.line(before, start, tone)
        frame.canvas.column(column, frame.row_of(columns.high[index]), frame.row_of(columns.low[index]), tone)
        before = (column, frame.row_of(columns.last[index]))


def _mark_end(rows: Places, frame: Frame, layer: Layer, columns: Columns) -> None:
    if layer.marker and len(columns.column):
        row, column = frame.row_of(columns.last[-1]) // DOTS_DOWN, int(columns.column[-1]) // DOTS_ACROSS
        while column > 0 and rows[row][column][0].isalpha():
            column -= 1  # another line ends here
        rows[row][column] = (layer.marker, layer.tone)


def _mark_broken(rows: Places, columns: Columns) -> None:
    for column in columns.broken:
        rows[-1][column // DOTS_ACROSS] = (BROKEN_MARK, "error")


def _mark_best(rows: Places, frame: Frame, curve: Curve, x: Array) -> None:
    best = find_best(curve)
    if best is None or not curve.metric.startswith("val/"):
        return
    value = _scaled(np.asarray([curve.values[best]]), frame.log_scale)[0]
    if math.isfinite(value):
        rows[frame.row_of(value) // DOTS_DOWN][frame.column_of(x[best]) // DOTS_ACROSS] = (BEST_MARK, "good")


def _join_row(label: str, margin: int, row: list[tuple[str, str]]) -> Row:
    cells = [Cell(fit(label, margin - 1, "right") + " ", "dim")]
    for character, tone in row:
        if cells[-1].tone == tone and len(cells) > 1:
            cells[-1] = Cell(cells[-1].text + character, tone)
        else:
            cells.append(Cell(character, tone))
    return cells


def _x_labels(frame: Frame, margin: int, axis: XAxis) -> str:
    """Labels under their positions, and the name of the axis at the end where there is room."""
    width = margin + frame.canvas.width
    rule: TickRule = time_ticks if axis == "time" else count_ticks
    line = [" "] * width
    name = {"step": "step", "epoch": "epoch", "time": "elapsed"}[axis]
    free_to = width - len(name) - 1
    line[width - len(name) :] = name
    taken = -1
    for tick in rule(*frame.x_limits, max(2, width // 10)):
        start = margin + frame.column_of(tick.value) // DOTS_ACROSS - len(tick.label) // 2
        start = max(0, start)
        if start > taken and start + len(tick.label) <= free_to:
            line[start : start + len(tick.label)] = tick.label
            taken = start + len(tick.label)
    return "".join(line)
