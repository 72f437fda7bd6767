"""Plots of a sweep for a terminal: pure functions from views to text of at most `width` cells a line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from lovt_core.sweeps.importance import Importance
from lovt_core.sweeps.judging import watched_metric
from lovt_core.sweeps.parameter_axes import Axis, AxisTick, list_ticks, name_places
from lovt_core.sweeps.views import Contour, Front, History, Intermediate, Line, Parallel, Slice
from lovt_tui.formatting import Cell, clean, fit
from lovt_tui.sweeping.plane import BEST, FAILED, FINISHED, MIN_WIDTH, PRUNED, Plane, append_cells, describe_marks

if TYPE_CHECKING:
    from lovt_core.config.sweep import SweepConfig

HEIGHT: Final = 16
SHADES: Final = " ░▒▓█"
_NOTHING: Final = "no finished trial yet"
_AXIS_WIDTH: Final = 10
_ENDS: Final = {"pruned": PRUNED, "failed": FAILED}


def draw_history(view: History, width: int = 80, height: int = HEIGHT) -> Text:
    """Values by number; the best so far as stairs, trials without a value below."""
    plane = Plane(view.x, view.y, width, height)
    for before, after in zip(view.best, view.best[1:], strict=False):
        plane.line([(before.x, before.y), (after.x, before.y), (after.x, after.y)], "good")
    for last in view.best[-1:]:
        plane.line([(last.x, last.y), (view.x.high, last.y)], "good")
    for point in view.points:
        plane.mark(point.x, point.y, FINISHED)
    for last in view.best[-1:]:
        plane.mark(last.x, last.y, BEST)
    plane.rug(view.pruned, PRUNED)
    plane.rug(view.failed, FAILED)
    legend = _legend(view.pruned, view.failed)
    return _compose(f"{view.y.name} of each trial, and the best so far", plane, legend, is_empty=not view.points)


def draw_slice(view: Slice, width: int = 80, height: int = HEIGHT) -> Text:
    """The value over one parameter, trials without a value below."""
    plane = Plane(view.x, view.y, width, height)
    for point in sorted(view.points, key=lambda point: point.number == view.best):
        plane.mark(point.x, point.y, BEST if point.number == view.best else FINISHED)
    plane.rug(view.pruned, PRUNED)
    plane.rug(view.failed, FAILED)
    legend = _legend(view.pruned, view.failed)
    return _compose(f"{view.y.name} over {view.x.name}", plane, legend, is_empty=not view.points)


def draw_contour(view: Contour, width: int = 80, height: int = HEIGHT) -> Text:
    """Two parameters: the better the interpolated value, the fuller the shade."""
    plane = Plane(view.x, view.y, width, height)
    rows, columns = len(view.grid), len(view.grid[0])
    for row in range(plane.height):
        values = view.grid[rows - 1 - row * rows // plane.height]
        for column in range(plane.width):
            if (value := values[column * columns // plane.width]) is not None:
                share = view.value.share(value)
                goodness = 1 - share if view.is_minimized else share
                level = 1 + min(len(SHADES) - 2, int(goodness * (len(SHADES) - 1)))
                plane.fill(column, row, Cell(SHADES[level], "accent"))
    for place in view.pruned:
        plane.mark(*place, PRUNED)
    for place in view.failed:
        plane.mark(*place, FAILED)
    for point in sorted(view.points, key=lambda point: point.number == view.best):
        plane.mark(point.x, point.y, BEST if point.number == view.best else Cell("•", "strong"))
    title = f"{view.value.name} over {view.x.name}; upwards {view.y.name}"
    legend = _legend(view.pruned, view.failed).append("   █ better ░ worse", "dim")
    return _compose(title, plane, legend, is_empty=not view.points)


def draw_parallel(view: Parallel, width: int = 80, height: int = HEIGHT) -> Text:
    """All parameters side by side, in several bands where they do not fit into one; the best trial is marked."""
    size = max(2, max(MIN_WIDTH, width) // _AXIS_WIDTH)
    last = len(view.axes) - 1
    bands = [range(start, min(start + size - 1, last)) for start in range(0, last, size - 1)]
    text = Text(no_wrap=True)
    text.append("Trials across all parameters\n", "bold")
    for band in bands:
        text.append_text(_draw_band(view, (*band, last), width, height))
        text.append("\n")
    if not view.lines:
        text.append(f"{_NOTHING}\n", "yellow")
    return text.append_text(describe_marks((BEST, "best"), (Cell("⠒", "dim"), "pruned or failed")))


def _draw_band(view: Parallel, places: Sequence[int], width: int, height: int) -> Text:
    axes = [view.axes[place] for place in places]
    gap = max(4, width // len(axes) - 3)
    names = tuple(name if len(name) <= gap else f"…{name[1 - gap :]}" for name in (clean(each.name) for each in axes))
    plane = Plane(Axis("", -0.5, len(axes) - 0.5, choices=names), Axis("", 0.0, 1.0, choices=("",)), width, height)
    for number in range(len(axes)):
        plane.line([(number, 0.0), (number, 1.0)], "dim")
    lines = [*((line, "dim") for line in (*view.failed, *view.pruned)), *((line, "accent") for line in view.lines)]
    lines += [(line, "good") for line in view.lines[-1:]]
    for line, tone in lines:
        for stretch in _list_stretches(view, line, places):
            plane.line(stretch, tone)
    for line in view.lines[-1:]:
        for place in (place for stretch in _list_stretches(view, line, places) for place in stretch):
            plane.mark(*place, BEST)
    ends = [[AxisTick(number, _name_ends(axis)[end]) for number, axis in enumerate(axes)] for end in (0, 1)]
    titles = [AxisTick(number, name) for number, name in enumerate(names)]
    text = plane.draw_labels(ends[1]).append_text(plane.draw_rows())
    return text.append_text(plane.draw_labels(ends[0])).append_text(plane.draw_labels(titles))


def _name_ends(axis: Axis) -> tuple[str, str]:
    """What stands at the bottom and at the top of an axis."""
    if axis.choices:
        ticks = list_ticks(axis, 2)
        return ticks[0].label, ticks[-1].label
    low, high = name_places([axis.low, axis.high])
    return low, high


def _list_stretches(view: Parallel, line: Line, places: Sequence[int]) -> list[list[tuple[float, float]]]:
    """Heights over neighbouring axes on which the trial has a place."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for number, place in enumerate(places):
        value = line.places[place]
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append((number, view.axes[place].share(value)))
    return [stretch for stretch in stretches if stretch]


def draw_intermediate(view: Intermediate, width: int = 80, height: int = HEIGHT) -> Text:
    """What the pruner was told of each trial; pruned and failed ones end in their glyph."""
    plane = Plane(view.x, view.y, width, height)
    for curve in sorted(view.curves, key=lambda curve: curve.number == view.best):
        points = [(float(step), value) for step, value in zip(curve.steps, curve.values, strict=True)]
        tone = "good" if curve.number == view.best else "accent" if curve.state == "finished" else "dim"
        plane.line(points, tone)
        if curve.number == view.best:
            plane.mark(*points[-1], BEST)
    for curve in view.curves:
        if (cell := _ENDS.get(curve.state)) is not None:
            plane.mark(float(curve.steps[-1]), curve.values[-1], cell)
    states = {state: [curve for curve in view.curves if curve.state == state] for state in _ENDS}
    legend = describe_marks(
        (BEST, "best"), *((_ENDS[state], f"{len(curves)} {state}") for state, curves in states.items() if curves)
    )
    title = f"{view.y.name} by {view.x.name} of {len(view.curves)} trials"
    return _compose(title, plane, legend, is_empty=not view.curves, nothing="no trial has intermediate values")


def explain_no_curves(config: "SweepConfig") -> str:
    """Why no trial has intermediate values, and what would give some."""
    own = "the run of each trial has curves of its own"
    if config.pruner.name == "none" and len(config.objective) > 1:
        return f"No curves: with several objectives nothing is pruned, so no trial is watched on its way; {own}."
    if config.pruner.name == "none":
        example = "pruner: {name: median, metric: val/loss}"
        return (
            f"No curves: this sweep has no pruner, so no trial is watched on its way; {own}. "
            f"A pruner in the sweep file, such as {example}, would show them here."
        )
    watched = watched_metric(config.pruner, config.objective[0])
    each = f"an epoch with a value of {watched[0]}" if watched else "a task of the objective"
    return f"No curves yet: they begin when a trial has ended {each}, which is what {config.pruner.name} compares."


def draw_front(view: Front, width: int = 80, height: int = HEIGHT) -> Text:
    """Two objectives with their front."""
    plane = Plane(view.x, view.y, width, height)
    front = {point.number for point in view.front}
    if len(view.front) > 1:
        plane.line([(point.x, point.y) for point in view.front], "good")
    for point in sorted(view.points, key=lambda point: point.number in front):
        plane.mark(point.x, point.y, BEST if point.number in front else FINISHED)
    words = ["lower" if low else "higher" for low in view.is_minimized]
    title = f"upwards {view.y.name}; better: {words[0]} {view.x.name}, {words[1]} {view.y.name}"
    legend = describe_marks((FINISHED, "finished"), (BEST, "Pareto front"))
    return _compose(title, plane, legend, is_empty=not view.points)


def draw_importance(importances: Sequence[Importance], width: int = 80) -> Text:
    """A bar for each parameter, the greatest first."""
    size = max(MIN_WIDTH, width)
    label = min(size // 2, max((len(clean(each.name)) for each in importances), default=0))
    text = Text(no_wrap=True)
    for number, each in enumerate(importances):
        name = clean(each.name)
        name = name if len(name) <= label else f"…{name[1 - label :]}"
        text.append("\n" if number else "")
        text.append(f"{fit(name, label)} {each.value:4.2f} ")
        append_cells(text, [Cell("█" * round(each.value * (size - label - 6)), "accent")])
    return text


def _legend(pruned: Sequence[object], failed: Sequence[object]) -> Text:
    counts = ((PRUNED, len(pruned), "pruned"), (FAILED, len(failed), "failed"))
    return describe_marks(
        (FINISHED, "finished"), (BEST, "best"), *((cell, f"{count} {word}") for cell, count, word in counts if count)
    )


def _compose(title: str, plane: Plane, legend: Text, *, is_empty: bool, nothing: str = _NOTHING) -> Text:
    """Title, plot and legend; without points one line that says so."""
    text = Text(no_wrap=True)
    text.append(f"{fit(clean(title), plane.full_width).rstrip()}\n", "bold")
    if is_empty:
        return text.append(nothing, "yellow")
    return text.append_text(plane.render()).append("\n").append_text(legend)
