"""Axes of plots over a sweep: where the value of a parameter, or of an objective, lies on them."""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from lovt_core.config.sweep import (
    CategoricalParameter,
    FloatParameter,
    IntParameter,
    Parameter,
    Scalar,
    SharesParameter,
)
from lovt_core.errors import InputError
from lovt_core.sweeps.trials import Trial

_MIN_DIGITS: Final = 4
_MAX_DIGITS: Final = 17
"""As many as a number in double precision has."""


@dataclass(frozen=True)
class Axis:
    """A named range of places; that of a choice is its position among all of them, with half a place on either side."""

    name: str
    low: float
    high: float
    is_log: bool = False
    choices: tuple[Scalar | None, ...] = ()
    keys: tuple[str, ...] = ()
    """Of a part of shares: the keys of the experiment whose sum it is; else the parameter itself counts."""

    def share(self, place: float) -> float:
        """How far along the axis a place is: 0 at its low end, 1 at its high one."""
        low, high = self.low, self.high
        if self.is_log:
            place, low, high = (math.log(max(value, 1e-300)) for value in (place, low, high))
        return (place - low) / (high - low)

    def place(self, share: float) -> float:
        """The place so far along the axis: the inverse of `share`."""
        if self.is_log:
            return math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        return self.low + share * (self.high - self.low)

    def locate(self, trial: Trial) -> float | None:
        """The place of a trial; None where the trial lacks the parameter, or has a value that no axis shows."""
        if self.keys:
            values = [trial.settings.get(key) for key in self.keys]
            numbers = [float(value) for value in values if isinstance(value, int | float)]
            return sum(numbers) if len(numbers) == len(values) else None
        if self.name not in trial.params:
            return None
        value = trial.params[self.name]
        if self.choices:
            return float(self.choices.index(value)) if value in self.choices else None
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def list_axes(space: Mapping[str, Parameter]) -> tuple[Axis, ...]:
    """One for each parameter, in the order of the sweep file.

    A part of shares has what it got of the total, not the fraction that Optuna was asked for, and the last part, which
    Optuna does not know, has an axis too.
    """
    return tuple(axis for name, parameter in space.items() for axis in _axes_of(name, parameter))


def _axes_of(name: str, parameter: Parameter) -> tuple[Axis, ...]:
    match parameter:
        case FloatParameter() | IntParameter():
            return (Axis(name, float(parameter.low), float(parameter.high), parameter.log),)
        case CategoricalParameter():
            return (Axis(name, -0.5, len(parameter.choices) - 0.5, choices=parameter.choices),)
        case SharesParameter():
            return tuple(
                Axis(f"{name}.{part}", 0.0, parameter.total, keys=tuple(keys)) for part, keys in parameter.parts.items()
            )


def find_axes(space: Mapping[str, Parameter], name: str) -> tuple[Axis, ...]:
    """The axis of a parameter, or those of all parts of shares; raises InputError as `find_axis`."""
    parameter = space.get(name)
    return _axes_of(name, parameter) if parameter is not None else (find_axis(space, name),)


def find_axis(space: Mapping[str, Parameter], name: str) -> Axis:
    """The axis of a parameter; raises InputError with the nearest name where there is none."""
    axes = {axis.name: axis for axis in list_axes(space)}
    if name in axes:
        return axes[name]
    if name in space:
        raise InputError(f"'{name}' has several parts: name one of {', '.join(a.name for a in find_axes(space, name))}")
    near = difflib.get_close_matches(name, axes, n=1)
    raise InputError(
        f"the sweep has no parameter '{name}': did you mean '{near[0]}'?"
        if near
        else f"the sweep has no parameter '{name}': it has {', '.join(axes)}"
    )


def cover(name: str, values: Iterable[float]) -> Axis:
    """An axis from the lowest to the highest of some finite values; around a single one, or none, there is room."""
    known = list(values) or [0.0]
    low, high = min(known), max(known)
    margin = abs(low) * 0.05 or 0.5
    return Axis(name, low, high) if high > low else Axis(name, low - margin, high + margin)


@dataclass(frozen=True)
class AxisTick:
    """A place with its label."""

    place: float
    label: str


def list_ticks(axis: Axis, max_count: int) -> tuple[AxisTick, ...]:
    """Each choice, powers of ten, or round numbers; the ends where fewer than two of those lie on the axis."""
    if axis.choices:
        return tuple(AxisTick(float(place), name_choice(choice)) for place, choice in enumerate(axis.choices))
    places = _powers(axis, max_count) if axis.is_log else _multiples(axis, max_count)
    if len(places) < 2:
        places = [axis.low, axis.high]
    return tuple(AxisTick(place, label) for place, label in zip(places, name_places(places), strict=True))


def name_choice(choice: Scalar | None) -> str:
    """As in a sweep file."""
    if choice is None or isinstance(choice, bool):
        return {None: "null", True: "true", False: "false"}[choice]
    return str(choice)


def name_places(places: Sequence[float]) -> list[str]:
    """Numbers with as many digits as tell them apart, four at least."""
    gap = min((high - low for low, high in pairwise(sorted(places))), default=math.inf)
    digits = next((each for each in range(_MIN_DIGITS, _MAX_DIGITS) if _is_exact(places, each, gap)), _MAX_DIGITS)
    return [f"{place:.{digits}g}".replace("e-0", "e-").replace("e+0", "e") for place in places]


def _is_exact(places: Sequence[float], digits: int, gap: float) -> bool:
    """Whether so many digits move no place by more than a small part of the smallest gap."""
    return all(abs(float(f"{place:.{digits}g}") - place) <= gap / 20 for place in places)


def _powers(axis: Axis, max_count: int) -> list[float]:
    first, last = math.ceil(math.log10(axis.low) - 1e-9), math.floor(math.log10(axis.high) + 1e-9)
    stride = max(1, math.ceil((last - first + 1) / max_count))
    return [10.0**power for power in range(first, last + 1, stride)]


def _multiples(axis: Axis, max_count: int) -> list[float]:
    raw = (axis.high - axis.low) / max_count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.ceil(axis.low / step - 1e-9), math.floor(axis.high / step + 1e-9)
    decimals = 12 - math.floor(math.log10(step))
    return [round(index * step, decimals) for index in range(first, last + 1)]
