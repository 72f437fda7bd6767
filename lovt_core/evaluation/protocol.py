"""A task's protocol with the experiment's settings put in, and what tells it apart from others."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lovt_core.config.experiment import EvaluationSettings
from lovt_core.tasks import Task

Stride = Literal[4, 8, 16, 32]

VERSION = 1
"""Grows when the same settings would give other scores."""

_DEFAULTS = EvaluationSettings()


@dataclass(frozen=True)
class Protocol:
    """Everything that decides a score besides encoder, data, split and seed."""

    task: Task
    image_size: int
    """Side of the square images in pixels."""
    stride: Stride
    """Of the features that the head reads."""
    normalisation: str
    """`dataset` or `image`."""
    num_replicates: int
    max_epochs: int
    learning_rates: tuple[float, ...]

    @property
    def fingerprint(self) -> str:
        """Hex digits that are equal for equal protocols only."""
        content = {"version": VERSION, **asdict(self)}
        content["task"] = {key: value for key, value in content["task"].items() if key not in ("title", "number")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def marks(self) -> tuple[str, ...]:
        """Each setting that differs from the task's own."""
        rates = ", ".join(f"{rate:g}" for rate in self.learning_rates)
        differences = (
            (self.image_size != _DEFAULTS.image_size, f"{self.image_size} px"),
            (self.stride != _DEFAULTS.stride, f"stride {self.stride}"),
            (self.normalisation != _DEFAULTS.normalisation, f"normalised per {self.normalisation}"),
            (self.learning_rates != self.task.learning_rates, f"learning rates {rates}"),
            (self.max_epochs != self.task.max_epochs, f"{self.max_epochs} epochs"),
            (self.num_replicates != _DEFAULTS.replicates, f"{self.num_replicates} replicates"),
        )
        return tuple(mark for differs, mark in differences if differs)

    @property
    def name(self) -> str:
        """`full`: the task's own; `quick`: less training than that; `adapted`: as much, with other settings."""
        less = (
            self.max_epochs < self.task.max_epochs
            or self.num_replicates < _DEFAULTS.replicates
            or len(self.learning_rates) < len(self.task.learning_rates)
        )
        return "quick" if less else "adapted" if self.marks else "full"

    def describe(self) -> dict[str, Any]:
        """JSON values for results."""
        return {"name": self.name, "fingerprint": self.fingerprint, "marks": list(self.marks)}


def build_protocol(task: Task, settings: EvaluationSettings) -> Protocol:
    """The task's protocol under these settings."""
    return Protocol(
        task=task,
        image_size=settings.image_size,
        stride=settings.stride,
        normalisation=settings.normalisation,
        num_replicates=settings.replicates,
        max_epochs=task.max_epochs if settings.max_epochs is None else settings.max_epochs,
        learning_rates=task.learning_rates if settings.learning_rates is None else settings.learning_rates,
    )
