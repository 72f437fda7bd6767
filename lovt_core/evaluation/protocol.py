"""A task's protocol with the experiment's settings put in, and what tells it apart from others."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lovt_core.config.evaluation import EvaluationSettings, Stride
from lovt_core.tasks import Task

VERSION = 2
"""Grows when the same settings would give other scores."""

REPLICATES = 5
QUICK_EPOCHS = 5
_DEFAULTS = EvaluationSettings()
_NAMES_ONLY = ("title", "number")


@dataclass(frozen=True)
class Protocol:
    """Everything that decides a score besides encoder, data, split and seed."""

    task: Task
    """With the settings put in."""
    image_size: int
    """Side of the square images in pixels."""
    stride: Stride
    """Of the features that a linear head reads."""
    normalisation: str
    """`dataset` or `image`."""
    num_replicates: int
    original: Task
    """As the paper has it."""

    @property
    def is_searched(self) -> bool:
        """Whether learning rates are tried on the validation split; a single one only if nothing else is trained."""
        return len(self.task.learning_rates) > 1 or self.num_replicates == 0

    @property
    def fingerprint(self) -> str:
        """Hex digits that are equal for equal protocols only."""
        content = {"version": VERSION, **asdict(self)}
        del content["original"]
        content["task"] = {key: value for key, value in content["task"].items() if key not in _NAMES_ONLY}
        if self.task.head != "linear":
            del content["stride"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def marks(self) -> tuple[str, ...]:
        """Each setting that differs from the task's own."""
        task, original = self.task, self.original
        rates = ", ".join(f"{rate:g}" for rate in task.learning_rates)
        differences = (
            (self.image_size != _DEFAULTS.image_size, f"{self.image_size} px"),
            (task.head == "linear" and self.stride != _DEFAULTS.stride, f"stride {self.stride}"),
            (self.normalisation != _DEFAULTS.normalisation, f"normalised per {self.normalisation}"),
            (task.batch_size != original.batch_size, f"batch {task.batch_size}"),
            (task.warmup_steps != original.warmup_steps, f"warm-up {_count(task.warmup_steps, 'step')}"),
            (task.learning_rates != original.learning_rates, f"learning rates {rates}"),
            (task.max_epochs != original.max_epochs, _count(task.max_epochs, "epoch")),
            (self.num_replicates != REPLICATES, _count(self.num_replicates, "replicate")),
        )
        return tuple(mark for differs, mark in differences if differs)

    @property
    def name(self) -> str:
        """`full`: the task's own; `quick`: less training than that; `adapted`: as much, with other settings."""
        less = (
            self.task.max_epochs < self.original.max_epochs
            or self.num_replicates < REPLICATES
            or len(self.task.learning_rates) < len(self.original.learning_rates)
        )
        return "quick" if less else "adapted" if self.marks else "full"

    def describe(self) -> dict[str, Any]:
        """JSON values for results."""
        return {"name": self.name, "fingerprint": self.fingerprint, "marks": list(self.marks)}


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def build_protocol(task: Task, settings: EvaluationSettings) -> Protocol:
    """The task's protocol under these settings."""
    is_quick = settings.protocol == "quick"
    changes = {
        "batch_size": settings.batch_size,
        "warmup_steps": settings.warmup_steps if task.encoder == "finetuned" else None,
        "max_epochs": settings.max_epochs or (min(QUICK_EPOCHS, task.max_epochs) if is_quick else None),
        "learning_rates": settings.learning_rates or (task.learning_rates[:1] if is_quick else None),
    }
    changed: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return Protocol(
        task=replace(task, **changed),
        image_size=settings.image_size,
        stride=settings.stride,
        normalisation=settings.normalisation,
        num_replicates=(1 if is_quick else REPLICATES) if settings.replicates is None else settings.replicates,
        original=task,
    )


def build_protocols(tasks: Sequence[Task], settings: EvaluationSettings) -> tuple[Protocol, ...]:
    """One protocol for each task."""
    return tuple(build_protocol(task, settings) for task in tasks)
