"""What workloads yield and what they are given. Plain values: the worker turns each one into an event.

A workload is a generator: `pretrain`, `evaluate` and `selftest` take an experiment and a `Workplace`, yield the values
below and never touch a run directory, a log or an index.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

EndReason = Literal["stopped", "pruned", "interrupted"]


@dataclass(frozen=True)
class Progress:
    """How far the workload is: `done` of `total` units (`total` None: unknown)."""

    done: int
    total: int | None
    unit: str
    """`step`, `image`, `epoch` ..."""
    note: str = ""


@dataclass(frozen=True)
class Metrics:
    """Scalars at one optimiser step (counted from 1). Values may be NaN or infinite."""

    step: int
    epoch: float
    values: Mapping[str, float]
    total_steps: int | None = None


@dataclass(frozen=True)
class CheckpointSaved:
    """A whole checkpoint folder `name` lies in the checkpoints folder and is now `last`, `best` or both."""

    name: str
    step: int
    is_last: bool
    is_best: bool


@dataclass(frozen=True)
class Result:
    """One piece of an evaluation, JSON values only; `data["type"]` says which."""

    data: Mapping[str, Any]


@dataclass(frozen=True)
class Note:
    """Something that is merely said, such as how the data was split."""

    message: str
    ends: str = ""
    """Topic of the alarms that hold no longer."""


@dataclass(frozen=True)
class Alarm:
    """Something that asks for attention; the workload goes on."""

    message: str
    topic: str = ""
    """What a note names to end it; empty: nothing does."""


@dataclass(frozen=True)
class Ended:
    """Last value of a workload that was asked to end early and has saved its work."""

    reason: EndReason


Value = Progress | Metrics | CheckpointSaved | Result | Note | Alarm | Ended


@dataclass(frozen=True)
class Workplace:
    """Where a workload works and how it is told to end."""

    prepared_root: Path
    """Folder of prepared data sets."""
    checkpoints: Path
    """Folder that holds this run's checkpoint folders (may not exist yet)."""
    artifacts: Path
    attempt: int
    device: str
    """`cpu` or `cuda:0`."""
    stop_requested: Callable[[], EndReason | None]
    """Asked at every step boundary; a reason means: save and yield `Ended`."""
    find_checkpoint: Callable[[str, str], Path]
    """(run id, `best` or `last`) -> that run's checkpoint folder; raises InputError."""
    features: Path | None = None
    """Folder for features of frozen encoders, shared by the runs of a workspace; None: there is none."""
    completed: tuple[Mapping[str, Any], ...] = ()
    """Results that earlier attempts of this run have yielded."""
    last_checkpoint: str | None = None
    """Name of the checkpoint that earlier attempts called `last`."""
    best_checkpoint: str | None = None
    rank: int = 0
    """Which of the processes this is that share a training (`training/sharing.py`)."""
    num_ranks: int = 1
