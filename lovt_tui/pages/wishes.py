"""What a screen wants to be read beside the runs."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SweepsWish:
    """All sweeps, and one of them in full."""

    sweep: str | None = None


@dataclass(frozen=True)
class ComparisonWish:
    """The comparison, as `lovt compare` would print it."""

    published: bool = False
    tasks: tuple[str, ...] = ()
    """Patterns; empty: the evaluated ones."""
    pin: str | None = None
    interval: Literal["student", "published"] = "student"


@dataclass(frozen=True)
class DataWish:
    """All data sets, and one of them in full."""

    name: str | None = None


PageWish = SweepsWish | ComparisonWish | DataWish
