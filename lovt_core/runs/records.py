"""What readers of the index get: frozen values."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lovt_core.config.metrics import find_choice
from lovt_core.runs.states import ACTIVE, RESUMABLE, State

NAMED_TASKS = 3
"""More tasks than these are counted, not named."""


@dataclass(frozen=True)
class StandingAlarm:
    """An alarm that no later note has ended."""

    time: float
    message: str
    topic: str = ""


@dataclass(frozen=True)
class Headline:
    """The one value that stands for a training in lists."""

    metric: str
    value: float
    is_last: bool = False
    """The newest value: the weights to use are the last ones, not those of the best value."""

    @property
    def label(self) -> str:
        """`best val/loss`, `last val/loss`."""
        return f"{'last' if self.is_last else 'best'} {self.metric}"


@dataclass(frozen=True)
class RunRow:
    """One run as the index knows it."""

    id: str
    name: str
    """That of the experiment, unless the run was renamed."""
    kind: str
    """`pretrain`, `evaluate`, `selftest` or `imported`."""
    state: State
    attempt: int
    detail: str
    """Why it ended, or what it waits for."""
    stop_asked: bool
    created: float
    """Unix seconds, as all times."""
    started: float | None
    ended: float | None
    updated: float | None
    """Time of the newest event."""
    done: int
    """Steps, or other units, done."""
    total: int | None
    unit: str
    note: str
    """What it is doing, where steps do not tell."""
    epoch: float
    seconds_left: float | None
    host: str
    slot: str
    tags: tuple[str, ...]
    latest: dict[str, float]
    """Newest value of each metric."""
    best: dict[str, float]
    """Best value of each `val/` metric that has one: the smallest of losses, the largest of scores."""
    experiment: dict[str, Any]
    origin: dict[str, Any]
    cause: str = ""
    """Why it ended badly, in one word (causes.py)."""
    remark: str = ""
    """What people have noted on it."""
    priority: int = 0
    """Of queued runs those of a higher one start first."""
    group: str = ""
    """Shared by the runs that were queued as repetitions of one another."""
    alarms: tuple[StandingAlarm, ...] = ()
    """Those that still hold, oldest first."""

    @property
    def seed(self) -> int | None:
        """Of its experiment."""
        seed = self.experiment.get("seed")
        return seed if isinstance(seed, int) else None

    @property
    def is_active(self) -> bool:
        """Queued, launched or running."""
        return self.state in ACTIVE

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; a finished run is whole, though it may have ended early."""
        if self.state == "finished":
            return 1.0
        return self.done / self.total if self.total else None

    @property
    def is_resumable(self) -> bool:
        """Whether `lovt resume` would take it."""
        return self.state in RESUMABLE

    @property
    def headline(self) -> Headline | None:
        """The metric that the method's checkpoint is chosen by; of what was imported without it the first there is."""
        return find_headline(self.experiment, self.best, self.latest)

    @property
    def subject(self) -> str:
        """Method of a pre-training, tasks of an evaluation."""
        match self.kind:
            case "pretrain":
                return str(self.experiment.get("method", {}).get("name", ""))
            case "evaluate":
                tasks = self.experiment.get("tasks", [])
                return ", ".join(tasks) if len(tasks) <= NAMED_TASKS else f"{len(tasks)} tasks"
            case "imported":
                return f"imported {self.experiment.get('format', '')}".rstrip()
            case _:
                return self.kind


def find_headline(
    experiment: Mapping[str, Any], best: Mapping[str, float], latest: Mapping[str, float]
) -> Headline | None:
    """What stands for a run of that stored experiment; None before its first validation."""
    choice = find_choice(experiment)
    values = latest if choice.uses_last else best
    if choice.metric in values:
        return Headline(choice.metric, values[choice.metric], choice.uses_last)
    if experiment.get("kind") == "imported" and best:
        return Headline(first := min(best), best[first])
    return None


@dataclass(frozen=True, eq=False)
class Curve:
    """Values of one metric over rising steps, attempts joined where the next one resumed.

    Whatever sequences it is given, it keeps them as `array.array`, which numpy takes without a copy.
    """

    metric: str
    steps: Sequence[int]
    epochs: Sequence[float]
    times: Sequence[float]
    values: Sequence[float]
    """May hold NaN and infinities."""

    def __post_init__(self) -> None:
        for name, typecode in CURVE_TYPES.items():
            given = getattr(self, name)
            if not isinstance(given, array):
                object.__setattr__(self, name, array(typecode, given))

    def __eq__(self, other: object) -> bool:
        """Bit by bit: a NaN is equal to itself, so that a curve that did not change is seen as such."""
        if not isinstance(other, Curve) or self.metric != other.metric:
            return False
        return all(bytes(getattr(self, name)) == bytes(getattr(other, name)) for name in CURVE_TYPES)

    __hash__ = None  # type: ignore[assignment]


CURVE_TYPES = {"steps": "q", "epochs": "d", "times": "d", "values": "d"}


@dataclass(frozen=True)
class EventRow:
    """One event other than a metric line."""

    attempt: int
    time: float
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class StoredResult:
    """One result of an evaluation run."""

    run_id: str
    run_name: str
    attempt: int
    data: dict[str, Any]
