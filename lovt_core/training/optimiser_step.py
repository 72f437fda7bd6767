"""One optimiser step: gradients of several batches added, checked, clipped, applied."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lovt_core.config.training import TrainingConfig
from lovt_core.errors import TrainingError
from lovt_core.training.clock import StepClock
from lovt_core.training.micro_batches import MicroBatches, out_of_memory
from lovt_core.training.optimiser import build_optimiser, set_learning_rate, trainable_parameters
from lovt_core.training.precision import Precision
from lovt_core.training.ranks import Ranks
from lovt_core.training.sharing import WHOLE, Share
from lovt_core.training.trainable import Trainable


@dataclass(frozen=True)
class StepOutcome:
    """Means over the batches of one optimiser step."""

    losses: dict[str, float]
    gradient_norm: float


class OptimiserStep:
    """Holds optimiser and precision. Values are read from the device once a step."""

    def __init__(self, trainable: Trainable, config: TrainingConfig, share: Share = WHOLE) -> None:
        """With a `share` of several processes, their process group must be there."""
        self.ranks = Ranks(trainable, share)
        self.optimiser = build_optimiser(config.optimiser, trainable.model)
        self.precision = Precision(config.precision, next(trainable.model.parameters()).device)
        self.clock = StepClock()
        self.micro_batches = MicroBatches(trainable, config)
        self._trainable = trainable
        self._parameters = trainable_parameters(trainable.model)
        self._accumulate = config.accumulate
        self._clip = config.optimiser.gradient_clip

    def run(self, batches: Iterator[Any], count: int, step: int, learning_rate: float) -> StepOutcome:
        """Step number `step` (counted from 1) over the next `count` batches, or this process's share of them.

        Each batch's loss is divided by `accumulate`, also where an epoch ends with fewer. Raises TrainingError for a
        loss or (without a loss scale) a gradient that is not finite, and where memory does not suffice for the
        optimiser. Raises torch.OutOfMemoryError, with no parameter changed and no gradient left, where a smaller
        micro-batch may help.
        """
        try:
            sums = self._add_gradients(batches, count)
        except torch.OutOfMemoryError:
            self.optimiser.zero_grad(set_to_none=True)
            raise
        try:
            return self._apply(sums, count, step, learning_rate)
        except torch.OutOfMemoryError as error:
            raise out_of_memory(step, size=1) from error

    def _apply(self, sums: dict[str, Tensor], count: int, step: int, learning_rate: float) -> StepOutcome:
        with self.clock.computing():
            self.precision.unscale(self.optimiser)
            norm = self._gradient_norm()
            totals = self.ranks.sum(torch.stack(list(sums.values())))
            *values, gradient_norm = torch.cat([totals, norm.float().view(1)]).tolist()
            losses = {name: value / count for name, value in zip(sums, values, strict=True)}
            self._check_finite(losses["loss"], gradient_norm, step)
            set_learning_rate(self.optimiser, learning_rate)
            self._trainable.before_step()
            self.precision.step(self.optimiser)
            self.optimiser.zero_grad(set_to_none=True)
        return StepOutcome(losses, gradient_norm)

    def _add_gradients(self, batches: Iterator[Any], count: int) -> dict[str, Tensor]:
        sums: dict[str, Tensor] = {}
        share = self.ranks.share
        num_batches = share.num_batches(count)
        for position in range(num_batches):
            batch, weight = next(batches), share.weight(position, count)
            with self.clock.computing():
                with self.ranks.adding(is_last=position == num_batches - 1):
                    with self.precision.autocast():
                        losses = self.ranks.compute_losses(batch)
                    self.precision.backward(losses["loss"] * (weight * self.ranks.gradient_scale) / self._accumulate)
                for name, loss in losses.items():
                    value = loss.detach().float() * weight
                    sums[name] = sums[name] + value if name in sums else value
        return sums

    def _gradient_norm(self) -> Tensor:
        if self._clip is not None:
            return nn.utils.clip_grad_norm_(self._parameters.values(), self._clip)
        gradients = [parameter.grad for parameter in self._parameters.values() if parameter.grad is not None]
        return nn.utils.get_total_norm(gradients)

    def _check_finite(self, loss: float, gradient_norm: float, step: int) -> None:
        if not math.isfinite(loss):
            raise TrainingError(f"the loss is {loss} at step {step}; {self._describe_largest_gradient()}")
        if not math.isfinite(gradient_norm) and not self.precision.may_overflow:
            raise TrainingError(f"the gradient is not finite at step {step}; {self._describe_largest_gradient()}")

    def _describe_largest_gradient(self) -> str:
        largest = {
            name: float(parameter.grad.abs().max())
            for name, parameter in self._parameters.items()
            if parameter.grad is not None and parameter.grad.numel()
        }
        if not largest:
            return "no parameter has a gradient"
        name = max(largest, key=lambda key: math.inf if math.isnan(largest[key]) else largest[key])
        broken = sum(not math.isfinite(value) for value in largest.values())
        return (
            f"the largest gradient is {largest[name]:.4g}, of {name} "
            f"({broken} of {len(largest)} parameters have gradients that are not finite)"
        )
