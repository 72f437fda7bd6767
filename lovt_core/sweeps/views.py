"""What plots of a sweep show, as plain data in the units of the parameters; nothing is drawn here.

Finished trials with a finite value are points. Pruned and failed ones have no value and are kept apart; trials at work
appear only where their intermediate values do.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from lovt_core.config.sweep import SweepConfig
from lovt_core.errors import InputError
from lovt_core.sweeps.judging import watched_metric
from lovt_core.sweeps.parameter_axes import Axis, cover, find_axes, find_axis, list_axes
from lovt_core.sweeps.trials import Trial, TrialState, best_trials

Place = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """A finished trial: its place, and its value where no axis shows that."""

    number: int
    x: float
    y: float
    value: float = math.nan


@dataclass(frozen=True)
class History:
    """Values in the order of trials."""

    x: Axis
    y: Axis
    points: tuple[Point, ...]
    best: tuple[Point, ...]
    """The best so far: each trial that was better than all before it."""
    pruned: tuple[int, ...]
    failed: tuple[int, ...]
    """Numbers of trials."""


@dataclass(frozen=True)
class Slice:
    """The value over one parameter."""

    x: Axis
    y: Axis
    points: tuple[Point, ...]
    pruned: tuple[float, ...]
    failed: tuple[float, ...]
    """Places on x."""
    best: int | None
    """Number of the best trial."""


@dataclass(frozen=True)
class Contour:
    """The value over two parameters."""

    x: Axis
    y: Axis
    value: Axis
    is_minimized: bool
    points: tuple[Point, ...]
    pruned: tuple[Place, ...]
    failed: tuple[Place, ...]
    grid: tuple[tuple[float | None, ...], ...]
    """Rows from low to high y, columns from low to high x: the interpolated value, None where no trial is near."""
    best: int | None


@dataclass(frozen=True)
class Line:
    """A trial across all axes; None where it lacks a parameter, and for the value of one that has none."""

    number: int
    places: tuple[float | None, ...]


@dataclass(frozen=True)
class Parallel:
    """All parameters side by side; the last axis is the objective's."""

    axes: tuple[Axis, ...]
    is_minimized: bool
    lines: tuple[Line, ...]
    """Of finished trials, the best one last."""
    pruned: tuple[Line, ...]
    failed: tuple[Line, ...]


@dataclass(frozen=True)
class TrialCurve:
    """What the pruner was told of a trial."""

    number: int
    state: TrialState
    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Intermediate:
    """Curves of all trials that reported something finite."""

    x: Axis
    y: Axis
    curves: tuple[TrialCurve, ...]
    best: int | None


@dataclass(frozen=True)
class Front:
    """Two objectives of all finished trials."""

    x: Axis
    y: Axis
    is_minimized: tuple[bool, bool]
    points: tuple[Point, ...]
    front: tuple[Point, ...]
    """Those that no other trial beats in all objectives of the sweep, by x."""


def compute_history(trials: Sequence[Trial], config: SweepConfig, objective: int = 0) -> History:
    """Values by number, and the best so far; raises InputError for an objective that the sweep has not."""
    scored = _score(trials, config, objective)
    best: list[Point] = []
    for trial, value in scored:
        if not best or _beats(value, best[-1].y, config, objective):
            best.append(Point(trial.number, trial.number, value))
    return History(
        x=cover("trial", (float(trial.number) for trial in trials)),
        y=_value_axis(scored, config, objective),
        points=tuple(Point(trial.number, trial.number, value) for trial, value in scored),
        best=tuple(best),
        pruned=tuple(trial.number for trial in trials if trial.state == "pruned"),
        failed=tuple(trial.number for trial in trials if trial.state == "failed"),
    )


def compute_slices(
    trials: Sequence[Trial], config: SweepConfig, objective: int = 0, names: Sequence[str] = ()
) -> tuple[Slice, ...]:
    """One for each named parameter, part of shares, or all; raises InputError for what the sweep has not."""
    scored = _score(trials, config, objective)
    y, best = _value_axis(scored, config, objective), _best_number(scored, config, objective)
    axes = [axis for name in names for axis in find_axes(config.space, name)] or list_axes(config.space)
    return tuple(
        Slice(
            x=axis,
            y=y,
            points=tuple(
                Point(trial.number, place, value)
                for trial, value in scored
                if (place := axis.locate(trial)) is not None
            ),
            pruned=_places(axis, trials, "pruned"),
            failed=_places(axis, trials, "failed"),
            best=best,
        )
        for axis in axes
    )


def _places(axis: Axis, trials: Iterable[Trial], state: TrialState) -> tuple[float, ...]:
    located = (axis.locate(trial) for trial in trials if trial.state == state)
    return tuple(place for place in located if place is not None)


def compute_contour(
    trials: Sequence[Trial], config: SweepConfig, names: tuple[str, str], objective: int = 0
) -> Contour:
    """Two parameters and the value; raises InputError for a name or an objective that the sweep has not."""
    from lovt_core.sweeps.interpolation import interpolate

    if names[0] == names[1]:
        raise InputError(f"a contour needs two different parameters: '{names[0]}' is given twice")
    scored = _score(trials, config, objective)
    x, y = (find_axis(config.space, name) for name in names)
    points = tuple(
        Point(trial.number, *place, value) for trial, value in scored if (place := _locate(x, y, trial)) is not None
    )
    pruned, failed = (
        tuple(place for trial in trials if trial.state == state and (place := _locate(x, y, trial)) is not None)
        for state in ("pruned", "failed")
    )
    return Contour(
        x=x,
        y=y,
        value=_value_axis(scored, config, objective),
        is_minimized=config.objective[objective].is_minimized,
        points=points,
        pruned=pruned,
        failed=failed,
        grid=interpolate(x, y, [(point.x, point.y, point.value) for point in points]),
        best=_best_number(scored, config, objective),
    )


def _locate(x: Axis, y: Axis, trial: Trial) -> Place | None:
    across, up = x.locate(trial), y.locate(trial)
    return None if across is None or up is None else (across, up)


def compute_parallel(trials: Sequence[Trial], config: SweepConfig, objective: int = 0) -> Parallel:
    """Every parameter of every ended trial; raises InputError for an objective that the sweep has not."""
    scored = _score(trials, config, objective)
    axes = list_axes(config.space)
    is_minimized = config.objective[objective].is_minimized
    worst_first = sorted(scored, key=lambda each: (each[1] if is_minimized else -each[1], each[0].number), reverse=True)

    def line(trial: Trial, value: float | None) -> Line:
        return Line(trial.number, (*(axis.locate(trial) for axis in axes), value))

    return Parallel(
        axes=(*axes, _value_axis(scored, config, objective)),
        is_minimized=is_minimized,
        lines=tuple(line(trial, value) for trial, value in worst_first),
        pruned=tuple(line(trial, None) for trial in trials if trial.state == "pruned"),
        failed=tuple(line(trial, None) for trial in trials if trial.state == "failed"),
    )


def compute_intermediate(trials: Sequence[Trial], config: SweepConfig) -> Intermediate:
    """What the pruner was told of each trial; without a pruner there are no curves."""
    watched = watched_metric(config.pruner, config.objective[0])
    curves = [curve for trial in trials if (curve := _curve(trial)).steps]
    return Intermediate(
        x=cover("epoch" if watched else "task", (float(step) for curve in curves for step in curve.steps)),
        y=cover(watched[0] if watched else config.objective[0].name, (v for curve in curves for v in curve.values)),
        curves=tuple(curves),
        best=_best_number(_score(trials, config, 0), config, 0) if len(config.objective) == 1 else None,
    )


def _curve(trial: Trial) -> TrialCurve:
    told = [(step, value) for step, value in sorted(trial.intermediate.items()) if math.isfinite(value)]
    return TrialCurve(trial.number, trial.state, tuple(step for step, _ in told), tuple(value for _, value in told))


def compute_fronts(trials: Sequence[Trial], config: SweepConfig) -> tuple[Front, ...]:
    """One for each pair of objectives; raises InputError when the sweep has a single one."""
    if len(config.objective) < 2:
        raise InputError(f"sweep {config.name} has one objective: a Pareto front needs two or more")
    minimized = tuple(each.is_minimized for each in config.objective)
    complete = [trial for trial in trials if trial.state == "finished" and all(map(math.isfinite, trial.values))]
    best = {trial.number for trial in best_trials(complete, minimized)}
    fronts = []
    for first, second in combinations(range(len(minimized)), 2):
        points = tuple(Point(trial.number, trial.values[first], trial.values[second]) for trial in complete)
        fronts.append(
            Front(
                x=cover(config.objective[first].name, (point.x for point in points)),
                y=cover(config.objective[second].name, (point.y for point in points)),
                is_minimized=(minimized[first], minimized[second]),
                points=points,
                front=tuple(sorted((each for each in points if each.number in best), key=lambda each: each.x)),
            )
        )
    return tuple(fronts)


def _score(trials: Iterable[Trial], config: SweepConfig, objective: int) -> list[tuple[Trial, float]]:
    """Finished trials with their finite values."""
    check_objective(config, objective)
    values = ((trial, trial.values[objective]) for trial in trials if trial.state == "finished")
    return [(trial, value) for trial, value in values if math.isfinite(value)]


def check_objective(config: SweepConfig, objective: int) -> None:
    """Raise InputError unless the sweep has an objective of this number, counted from 0."""
    if not 0 <= objective < len(config.objective):
        known = ", ".join(f"{number} ({each.name})" for number, each in enumerate(config.objective, start=1))
        raise InputError(f"sweep {config.name} has no objective number {objective + 1}: it has {known}")


def _beats(value: float, other: float, config: SweepConfig, objective: int) -> bool:
    return value < other if config.objective[objective].is_minimized else value > other


def _value_axis(scored: Iterable[tuple[Trial, float]], config: SweepConfig, objective: int) -> Axis:
    return cover(config.objective[objective].name, (value for _, value in scored))


def _best_number(scored: Sequence[tuple[Trial, float]], config: SweepConfig, objective: int) -> int | None:
    """The earliest of the best, as in `best_trials`."""
    if not scored:
        return None
    sign = 1 if config.objective[objective].is_minimized else -1
    return min(scored, key=lambda each: sign * each[1])[0].number
