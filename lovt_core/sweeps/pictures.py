"""Plots of a sweep as pictures for a template."""

from collections.abc import Iterable, Sequence
from typing import Final

from lovt_core.sweeps.export import format_value
from lovt_core.sweeps.importance import Importance
from lovt_core.sweeps.parameter_axes import Axis, list_ticks
from lovt_core.sweeps.shapes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    RUG,
    TOP,
    WIDE,
    WIDTH,
    Box,
    Field,
    Label,
    Mark,
    Path,
    Picture,
    Tone,
    join,
    name_axis,
    shorten,
    shorten_start,
)
from lovt_core.sweeps.views import Contour, Front, History, Intermediate, Line, Parallel, Slice

_BAR: Final = 20
_NAME_WIDTH: Final = 195
_MAX_NAME: Final = 28


def _name(number: int, *values: float) -> str:
    return f"trial {number}: {', '.join(map(format_value, values))}"


def draw_history(view: History) -> Picture:
    """Values by number with the best so far as stairs."""
    field = Field(view.x, view.y, rug=RUG)
    stairs: list[tuple[float, float]] = []
    for point in view.best:
        if stairs:
            stairs.append((field.across(point.x), stairs[-1][1]))
        stairs.append((field.across(point.x), field.up(point.y)))
    if stairs:
        stairs.append((field.across(view.x.high), stairs[-1][1]))
    best = {point.number for point in view.best[-1:]}
    marks = [_mark(field, point.number, point.x, point.y, is_best=point.number in best) for point in view.points]
    marks += [Mark(field.across(number), field.rug, "pruned", f"trial {number}: pruned") for number in view.pruned]
    marks += [Mark(field.across(number), field.rug, "failed", f"trial {number}: failed") for number in view.failed]
    return Picture(
        "History",
        f"{view.y.name} of each trial, and the best so far",
        paths=(*field.grid(), *([join(stairs, "best")] if stairs else [])),
        marks=tuple(marks),
        labels=tuple(field.labels()),
    )


def _mark(field: Field, number: int, x: float, y: float, *, is_best: bool) -> Mark:
    return Mark(field.across(x), field.up(y), "best" if is_best else "value", _name(number, y))


def draw_slice(view: Slice) -> Picture:
    """The value over one parameter."""
    field = Field(view.x, view.y, rug=RUG)
    points = sorted(view.points, key=lambda point: point.number == view.best)
    marks = [_mark(field, each.number, each.x, each.y, is_best=each.number == view.best) for each in points]
    marks += [Mark(field.across(place), field.rug, "pruned", "pruned") for place in view.pruned]
    marks += [Mark(field.across(place), field.rug, "failed", "failed") for place in view.failed]
    return Picture(view.x.name, f"{view.y.name} over it", (), tuple(field.grid()), tuple(marks), tuple(field.labels()))


def draw_contour(view: Contour) -> Picture:
    """Two parameters; the better the interpolated value, the stronger the colour of the cell."""
    field = Field(view.x, view.y)
    points = sorted(view.points, key=lambda point: point.number == view.best)
    marks = [
        Mark(
            field.across(each.x),
            field.up(each.y),
            "best" if each.number == view.best else "value",
            _name(each.number, each.value),
        )
        for each in points
    ]
    marks += [Mark(field.across(x), field.up(y), "pruned", "pruned") for x, y in view.pruned]
    marks += [Mark(field.across(x), field.up(y), "failed", "failed") for x, y in view.failed]
    return Picture(
        f"{view.x.name}, {view.y.name}",
        f"upwards {view.y.name}; stronger: better {view.value.name}, interpolated",
        tuple(_cells(view)),
        tuple(field.grid()),
        tuple(marks),
        tuple(field.labels()),
    )


def _cells(view: Contour) -> Iterable[Box]:
    rows, columns = len(view.grid), len(view.grid[0])
    width, height = (WIDTH - LEFT - RIGHT) / columns, (HEIGHT - TOP - BOTTOM) / rows
    for row, values in enumerate(view.grid):
        for column, value in enumerate(values):
            if value is not None:
                share = view.value.share(value)
                goodness = 1 - share if view.is_minimized else share
                x, y = LEFT + column * width, HEIGHT - BOTTOM - (row + 1) * height
                opacity = round(0.05 + 0.6 * goodness, 2)
                yield Box(round(x, 1), round(y, 1), round(width, 1), round(height, 1), opacity, format_value(value))


def draw_parallel(view: Parallel) -> Picture:
    """All parameters side by side; the best trial in front."""
    gap = (WIDE - 2 * LEFT) / max(1, len(view.axes) - 1)
    paths, labels = [], []
    for place, axis in enumerate(view.axes):
        x = round(LEFT + place * gap, 1)
        paths.append(join([(x, 2 * TOP), (x, HEIGHT - BOTTOM)], "ink"))
        labels.append(name_axis(place, len(view.axes), gap, axis.name))
        labels += [
            Label(x + 4, _parallel_height(axis, t.place) + 4, shorten(t.label, 10), "start")
            for t in list_ticks(axis, 4)
        ]
    lines: list[tuple[Line, Tone]] = [*((each, "failed") for each in view.failed)]
    lines += [(each, "pruned") for each in view.pruned]
    lines += [(each, "value") for each in view.lines[:-1]] + [(each, "best") for each in view.lines[-1:]]
    paths += [path for line, tone in lines for path in _parallel_paths(view, line, tone, gap)]
    note = "pruned and failed trials end before the last axis; the best is in front"
    return Picture("Parallel coordinates", note, (), tuple(paths), (), tuple(labels), WIDE)


def _parallel_height(axis: Axis, place: float) -> float:
    bottom, top = HEIGHT - BOTTOM, 2 * TOP
    return round(bottom - axis.share(place) * (bottom - top), 1)


def _parallel_paths(view: Parallel, line: Line, tone: Tone, gap: float) -> Iterable[Path]:
    """One path for each stretch of axes on which the trial has a place."""
    stretch: list[tuple[float, float]] = []
    for index, (axis, place) in enumerate(zip(view.axes, line.places, strict=True)):
        if place is not None:
            stretch.append((round(LEFT + index * gap, 1), _parallel_height(axis, place)))
        if (place is None or index == len(view.axes) - 1) and stretch:
            value = line.places[-1]
            title = f"trial {line.number}: {tone}" if value is None else _name(line.number, value)
            yield join(stretch, tone, title)
            stretch = []


def draw_intermediate(view: Intermediate) -> Picture:
    """What the pruner was told; a pruned or failed trial ends in its mark."""
    field = Field(view.x, view.y)
    tones: dict[str, Tone] = {"pruned": "pruned", "failed": "failed", "running": "running"}
    paths, marks = field.grid(), []
    for curve in sorted(view.curves, key=lambda curve: curve.number == view.best):
        tone = "best" if curve.number == view.best else tones.get(curve.state, "value")
        points = [(field.across(step), field.up(value)) for step, value in zip(curve.steps, curve.values, strict=True)]
        title = f"trial {curve.number}: {curve.state}, {format_value(curve.values[-1])} at {curve.steps[-1]}"
        paths.append(join(points, tone, title))
        if len(points) == 1 or tone in ("pruned", "failed"):
            marks.append(Mark(*points[-1], tone, title))
    note = f"{view.y.name} by {view.x.name}"
    return Picture("Intermediate values", note, (), tuple(paths), tuple(marks), tuple(field.labels()))


def draw_front(view: Front) -> Picture:
    """Two objectives with their front."""
    field = Field(view.x, view.y)
    numbers = {point.number for point in view.front}
    marks = [
        Mark(
            field.across(each.x),
            field.up(each.y),
            "best" if each.number in numbers else "value",
            _name(each.number, each.x, each.y),
        )
        for each in sorted(view.points, key=lambda point: point.number in numbers)
    ]
    line = [(field.across(point.x), field.up(point.y)) for point in view.front]
    words = ["lower" if low else "higher" for low in view.is_minimized]
    return Picture(
        f"{view.x.name}, {view.y.name}",
        f"upwards {view.y.name}; better: {words[0]} {view.x.name}, {words[1]} {view.y.name}",
        paths=(*field.grid(), *([join(line, "best")] if len(line) > 1 else [])),
        marks=tuple(marks),
        labels=tuple(field.labels()),
    )


def draw_importance(importances: Sequence[Importance], title: str, note: str) -> Picture:
    """A bar for each parameter."""
    left, right = _NAME_WIDTH, 50
    boxes, labels = [], []
    for place, each in enumerate(importances):
        y = TOP + place * _BAR
        width = round(each.value * (WIDTH - left - right), 1)
        boxes.append(Box(left, y, width, _BAR - 6, 0.8, f"{each.name}: {each.value:.3f}"))
        name = shorten_start(each.name, _MAX_NAME)
        labels.append(Label(left - 8, y + _BAR - 9, name, "end", is_faint=False))
        labels.append(Label(left + width + 5, y + _BAR - 9, f"{each.value:.2f}", "start"))
    return Picture(title, note, tuple(boxes), labels=tuple(labels), height=2 * TOP + len(importances) * _BAR)
