"""Learning rate of each optimiser step, and the plateau rule (vectors section 20; PROTOCOL B.2)."""

import math
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from lovt_core.config.training import ScheduleConfig

Mode = Literal["min", "max"]

RELATIVE_THRESHOLD = 1e-4
SMALLEST_CHANGE = 1e-8


@dataclass(frozen=True)
class Horizon:
    """Length of a training in optimiser steps."""

    steps_per_epoch: int
    total_steps: int

    @property
    def num_epochs(self) -> int:
        """The last one may be cut short."""
        return math.ceil(self.total_steps / self.steps_per_epoch)


def compute_learning_rate(config: ScheduleConfig, base: float, step: int, horizon: Horizon) -> float:
    """Learning rate that optimiser step `step` (counted from 0) uses.

    For `plateau`, `base` is the rate that the plateau rule has come to.
    """
    match config.name:
        case "cosine-swinging":
            return base * (1 + math.cos(math.pi * step / horizon.steps_per_epoch)) / 2
        case "cosine":
            if step < config.warmup_steps:
                return base * (step + 1) / config.warmup_steps
            length = max(1, horizon.total_steps - config.warmup_steps)
            progress = min(1.0, (step - config.warmup_steps) / length)
            return base * (1 + math.cos(math.pi * progress)) / 2
        case "cosine-epochs":
            return base * _follow_cosine(step // horizon.steps_per_epoch, config.warmup_epochs, horizon.num_epochs)
        case "constant":
            return base * min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else base
        case "plateau":
            return base
        case _:
            assert_never(config.name)


def _follow_cosine(epoch: int, warmup: int, num_epochs: int) -> float:
    """Share of the base rate: from 0 up over the warm-up, then a half cosine that would be 0 after the last epoch."""
    if epoch < warmup:
        return epoch / max(1, warmup - 1)
    return (1 + math.cos(math.pi * (epoch - warmup) / max(1, num_epochs - warmup))) / 2


@dataclass(frozen=True)
class Plateau:
    """Learning rate that is multiplied by `factor` after `patience` + 1 epochs in a row without a better value.

    Better means by more than a ten-thousandth of the best value so far.
    """

    learning_rate: float
    factor: float
    patience: int
    mode: Mode = "min"
    best: float | None = None
    waited: int = 0

    def after(self, value: float) -> "Plateau":
        """The rule after one more epoch, whose monitored value is `value`."""
        if self._is_better(value):
            return replace(self, best=value, waited=0)
        if self.waited < self.patience:
            return replace(self, waited=self.waited + 1)
        lowered = self.learning_rate * self.factor
        rate = lowered if self.learning_rate - lowered > SMALLEST_CHANGE else self.learning_rate
        return replace(self, learning_rate=rate, waited=0)

    def _is_better(self, value: float) -> bool:
        if math.isnan(value):
            return False
        if self.best is None:
            return True
        if self.mode == "min":
            return value < self.best * (1 - RELATIVE_THRESHOLD)
        return value > self.best * (1 + RELATIVE_THRESHOLD)
