"""What readers of the index get: frozen values."""

from dataclasses import dataclass
from typing import Any

from lovt_core.runs.state import ACTIVE, RESUMABLE, State

NAMED_TASKS = 3
"""More tasks than these are counted, not named."""


@dataclass(frozen=True)
class RunRow:
    """One run as the index knows it."""

    id: str
    name: str
    kind: str
    """`pretrain`, `evaluate` or `selftest`."""
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
    epoch: float
    seconds_left: float | None
    host: str
    slot: str
    tags: tuple[str, ...]
    latest: dict[str, float]
    """Newest value of each metric."""
    best: dict[str, float]
    """Best value of each `val/` metric: the smallest of losses, the largest of scores."""
    experiment: dict[str, Any]
    origin: dict[str, Any]

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
    def subject(self) -> str:
        """Method of a pre-training, tasks of an evaluation."""
        match self.kind:
            case "pretrain":
                return str(self.experiment.get("method", {}).get("name", ""))
            case "evaluate":
                tasks = self.experiment.get("tasks", [])
                return ", ".join(tasks) if len(tasks) <= NAMED_TASKS else f"{len(tasks)} tasks"
            case _:
                return self.kind


@dataclass(frozen=True)
class Curve:
    """Values of one metric over steps, attempts joined where the next one resumed."""

    metric: str
    steps: tuple[int, ...]
    epochs: tuple[float, ...]
    times: tuple[float, ...]
    values: tuple[float, ...]
    """May hold NaN and infinities."""


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


SCORES = ("accuracy", "dice", "precision", "froc")
"""Parts of the names of metrics of which more is better."""


def is_smaller_better(metric: str) -> bool:
    """Scores are maximised, everything else is a loss: `val/loss`, `val/global/image_to_report` and their like."""
    return not any(part in metric for part in SCORES)
