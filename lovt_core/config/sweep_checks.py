"""What ranges and choices of a sweep must be, and how a check says where in the file something is wrong."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

LARGEST_WHOLE = 2**53
"""Optuna counts in double precision: beyond this, neighbouring whole numbers are the same."""
REFUSED = "sweep_refused"
"""Type of the errors of `refuse`."""
Scalar = bool | int | float | str


def refuse(message: str, *where: str | int) -> PydanticCustomError:
    """An error of a check over several keys; `where` is the place of the wrong one, as in pydantic's locations."""
    return PydanticCustomError(REFUSED, "{message}", {"message": message, "where": where})


def check_range(low: float, high: float, step: float | None, *, log: bool) -> None:
    """Raise ValueError unless there is something to search between `low` and `high`."""
    if low > high:
        raise ValueError(f"low ({low:g}) is above high ({high:g}): exchange them")
    if low == high:
        raise ValueError(f"low and high are both {low:g}: nothing to search; set the key under `set` instead")
    if not math.isfinite(float(high) - float(low)):
        raise ValueError(f"the range from {low:g} to {high:g} is wider than numbers reach")
    if log and low <= 0:
        raise ValueError(f"log has no place for {low:g}: low must be above 0")
    if log and step is not None:
        raise ValueError("log and step exclude each other: leave one out")
    if step is not None and step > high - low:
        raise ValueError(f"step ({step:g}) is wider than the range from {low:g} to {high:g}")


def check_whole_range(low: int, high: int) -> None:
    """Raise ValueError where the ends are larger than what the sampler can tell apart."""
    for name, value in (("low", low), ("high", high)):
        if abs(value) > LARGEST_WHOLE:
            raise ValueError(f"{name} is beyond 2^53 ({LARGEST_WHOLE}), where whole numbers cannot be told apart")


def check_choices(choices: tuple[Scalar | None, ...]) -> tuple[Scalar | None, ...]:
    """The choices; raises ValueError unless all are of one type, `null` aside, and each stands once."""
    kinds = {_name_kind(choice) for choice in choices if choice is not None}
    if len(kinds) > 1:
        raise ValueError(f"choices of several types ({', '.join(sorted(kinds))}): write all of them as one")
    if len(set(choices)) < len(choices):
        raise ValueError("a choice stands twice")
    return choices


def check_configurations(
    choices: Sequence[Scalar | None], settings: Mapping[str, Mapping[str, Any]], keys: Sequence[str]
) -> None:
    """Raise ValueError unless `settings`, if there are any, are those of choices, and no two choices are the same."""
    if not settings:
        return
    if keys:
        raise ValueError("settings name the keys of each choice: leave `keys` out")
    if strange := [name for name in settings if name not in choices]:
        raise ValueError(f"settings: '{strange[0]}' is no choice: add it to `choices`")
    if any(choice is None for choice in choices):
        raise ValueError("settings belong to names: give the choice null one")
    bare = [str(choice) for choice in choices if choice not in settings]
    if len(bare) > 1:
        raise ValueError(
            f"settings: {' and '.join(bare)} have none, so they are the same: give all but one of them some"
        )
    names = list(settings)
    for place, name in enumerate(names):
        if same := next((other for other in names[:place] if settings[other] == settings[name]), None):
            raise ValueError(f"settings: {same} and {name} are the same: leave one out")


def _name_kind(choice: Scalar) -> str:
    if isinstance(choice, bool):
        return "true or false"
    return "text" if isinstance(choice, str) else "numbers"
