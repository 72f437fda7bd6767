"""Linear heads on frozen features, many trained at once (PROTOCOL A.3, frozen tasks).

Shapes: K candidates, B batch, D feature channels, C classes, h x w feature grid, H x W pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from lovt_core.errors import InputError
from lovt_core.evaluation.training.batches import Batch
from lovt_core.evaluation.training.candidate import CandidateState
from lovt_core.evaluation.training.criteria import Criterion, SegmentationCriterion
from lovt_core.models.heads.linear import LinearSegmentationHead
from lovt_core.models.heads.pyramid import FeaturePyramid
from lovt_core.objectives.dice import DiceLoss

_PIXELS_PER_PASS: Final = {"cpu": 2**19, "cuda": 2**26}
"""Logits computed at once: what fits a core's cache, or half a gigabyte of a GPU's memory in training."""


class LinearBank:
    """One stacked head; every operation runs on each candidate's own slice."""

    def __init__(
        self, states: Sequence[CandidateState], channels: Mapping[int, int], stride: int, num_classes: int, device: str
    ) -> None:
        """Heads on features of `stride`, pooled from a finer stride where the encoder has none.

        Raises InputError where the encoder's features are all coarser.
        """
        self.criterion: Criterion = SegmentationCriterion(num_classes)
        self._loss = DiceLoss()
        self._states = states
        self._stride = stride
        self._pyramid = check_linear_stride(channels, stride)
        generators = [torch.Generator().manual_seed(state.candidate.seed) for state in states]
        self._head = LinearSegmentationHead(self._pyramid.channels[stride], num_classes, generators).to(device)
        self._device = torch.device(device)
        for index, state in enumerate(states):
            state.attach(self._head.parameters_of(index))

    def train_step(self, batches: Mapping[int, Batch]) -> None:
        """One optimiser step of each of these candidates on its own batch."""
        for group in self._split(list(batches), batches):
            features = torch.stack([self._features(batches[index]) for index in group])
            masks = torch.stack([_masks(batches[index]) for index in group])
            logits = self._head(features, _size(masks), group)
            torch.autograd.backward(self._loss(logits, masks).sum())
        for index in batches:
            self._states[index].optimiser.step()
            self._states[index].optimiser.zero_grad()

    @torch.no_grad()
    def predict(self, index: int, batch: Batch) -> Any:
        """Logits (B, C, H, W) of one head."""
        return self._head(self._features(batch)[None], _size(_masks(batch)), [index])[0]

    def copy_state(self, index: int) -> Mapping[str, Tensor]:
        """Weight (C, D) and bias (C) of one head."""
        weight, bias = self._head.parameters_of(index)
        return {"weight": weight.detach().clone(), "bias": bias.detach().clone()}

    @torch.no_grad()
    def load_state(self, index: int, state: Mapping[str, Tensor]) -> None:
        """Put weight and bias of one head back."""
        weight, bias = self._head.parameters_of(index)
        weight.copy_(state["weight"])
        bias.copy_(state["bias"])

    def _features(self, batch: Batch) -> Tensor:
        """(B, D, h, w) float32."""
        features: Tensor = self._pyramid(batch.features)[self._stride]
        return features.float()

    def _split(self, indices: Sequence[int], batches: Mapping[int, Batch]) -> Iterator[Sequence[int]]:
        """Candidates whose logits are held in memory together."""
        size = max(1, _PIXELS_PER_PASS[self._device.type] // _masks(batches[indices[0]]).numel())
        for start in range(0, len(indices), size):
            yield indices[start : start + size]


def check_linear_stride(channels: Mapping[int, int], stride: int) -> FeaturePyramid:
    """What gives features of `stride`: as they are, or pooled from a finer stride where the encoder has none.

    Raises InputError where the encoder's features are all coarser, ConfigError where no power of two leads to it.
    """
    pyramid = FeaturePyramid(channels, (stride,))
    if next(pyramid.parameters(), None) is not None:
        known = ", ".join(map(str, sorted(channels)))
        raise InputError(
            f"the encoder has features of stride {known} only: a linear head on stride {stride} needs finer ones; set "
            "settings.stride"
        )
    return pyramid


def _masks(batch: Batch) -> Tensor:
    assert isinstance(batch.targets, Tensor)
    return batch.targets


def _size(masks: Tensor) -> tuple[int, int]:
    height, width = masks.shape[-2:]
    return height, width
