"""Linear heads on frozen features, many trained side by side (PROTOCOL A.3, frozen tasks).

Shapes: K candidates, B batch, D feature channels, C classes, h x w feature grid, H x W pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lovt_core.evaluation.candidate import Candidate, CandidateState, TrainedHead
from lovt_core.evaluation.metrics.dice import DiceMetric, SegmentationScores
from lovt_core.evaluation.probe_data import SplitFeatures
from lovt_core.models.heads.linear import LinearSegmentationHead
from lovt_core.objectives.dice import DiceLoss

_PIXELS_PER_PASS = {"cpu": 2**19, "cuda": 2**26}
"""Logits computed at once: what fits a core's cache, or half a gigabyte of a GPU's memory in training."""


@dataclass(frozen=True)
class ProbeSettings:
    """What the protocol fixes for a task."""

    batch_size: int
    max_epochs: int
    patience: int
    """Epochs without a better validation metric after which a head's training ends."""


@dataclass(frozen=True)
class EpochDone:
    """All running candidates have trained and validated once more."""

    epoch: int
    """Counted from 1."""
    num_running: int


class LinearProbe:
    """Heads that share the protocol and nothing else: data, learning rate and seed are each candidate's own.

    A candidate's scores do not depend on the others: every operation runs on its own slice.
    """

    def __init__(self, candidates: Sequence[Candidate], settings: ProbeSettings) -> None:
        """All candidates have data of the same shape: at least a batch to train on, an image to validate and test."""
        self.settings = settings
        self._states = [CandidateState(candidate, settings.patience) for candidate in candidates]
        first = candidates[0].data.training
        self._device = first.features.device
        num_channels, num_classes = first.features.shape[1], first.masks.shape[1]
        self.head = LinearSegmentationHead(num_channels, num_classes, [state.generator for state in self._states])
        self.head.to(self._device)
        self.loss = DiceLoss()
        for index, state in enumerate(self._states):
            state.attach(self.head.parameters_of(index))

    def train(self) -> Iterator[EpochDone | TrainedHead]:
        """Train every head to its own end; yields each one, with its best epoch's weights, as it ends."""
        running = list(range(len(self._states)))
        for epoch in range(1, self.settings.max_epochs + 1):
            self._train_epoch(running)
            for index in list(running):
                loss, scores = self._validate(index)
                is_over = self._states[index].after_epoch(epoch, loss, scores.average_dice)
                if is_over or epoch == self.settings.max_epochs:
                    running.remove(index)
                    yield self._states[index].finish(index, epoch)
            yield EpochDone(epoch, len(running))
            if not running:
                return

    def compute_scores(self, trained: TrainedHead, split: SplitFeatures) -> SegmentationScores:
        """Scores of a trained head's best epoch on one part of the split."""
        weight, bias = self.head.parameters_of(trained.index)
        with torch.no_grad():
            weight.copy_(trained.weight)
            bias.copy_(trained.bias)
        return self._judge(trained.index, split)[1]

    def _train_epoch(self, running: Sequence[int]) -> None:
        batch_size = self.settings.batch_size
        orders = {index: self._states[index].draw_order() for index in running}
        num_batches = self._states[running[0]].candidate.data.training.num_images // batch_size
        for step in range(num_batches):
            part = slice(step * batch_size, (step + 1) * batch_size)
            for group in self._groups(running):
                torch.autograd.backward(self._compute_loss(group, [orders[index][part] for index in group]).sum())
            for index in running:
                self._states[index].step()

    def _compute_loss(self, group: Sequence[int], rows: Sequence[Tensor]) -> Tensor:
        """Loss (K,) of each candidate in the group on its own batch of image rows."""
        training = [self._states[index].candidate.data.training for index in group]
        features = torch.stack([part.features[own] for part, own in zip(training, rows, strict=True)])
        masks = torch.stack([part.masks[own] for part, own in zip(training, rows, strict=True)])
        loss: Tensor = self.loss(self.head(features, training[0].mask_size, group), masks)
        return loss

    def _groups(self, running: Sequence[int]) -> Iterator[Sequence[int]]:
        """Candidates whose logits are held in memory together."""
        masks = self._states[running[0]].candidate.data.training.masks
        pixels = self.settings.batch_size * masks[0].numel()
        size = max(1, _PIXELS_PER_PASS[self._device.type] // pixels)
        for start in range(0, len(running), size):
            yield running[start : start + size]

    def _validate(self, index: int) -> tuple[float, SegmentationScores]:
        return self._judge(index, self._states[index].candidate.data.validation)

    @torch.no_grad()
    def _judge(self, index: int, split: SplitFeatures) -> tuple[float, SegmentationScores]:
        """Mean of the batch losses and the scores of all images, in order, nothing dropped."""
        metric = DiceMetric(split.masks.shape[1], self._device)
        losses = []
        for start in range(0, split.num_images, self.settings.batch_size):
            part = slice(start, start + self.settings.batch_size)
            logits = self.head(split.features[None, part], split.mask_size, [index])[0]
            masks = split.masks[part]
            losses.append(self.loss(logits, masks))
            metric.update(torch.sigmoid(logits), masks)
        return float(torch.stack(losses).mean()), metric.compute()
