"""From samples to batches: features of a frozen encoder, or images, with what is to be learned.

Shapes: B batch, D feature channels, C classes, h x w feature grid, H x W pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lovt_core.evaluation.features.source import FeatureSource, FeatureView
from lovt_core.evaluation.task_data import Targets, TaskData
from lovt_core.evaluation.training.order import Positions

MASK_BYTES = 2**31
"""Masks that are kept unpacked on the device; more are unpacked batch by batch."""


@dataclass(frozen=True)
class Batch:
    """What a head, or an encoder with a head, reads."""

    features: Mapping[int, Tensor]
    """Stride -> (B, D, h, w); empty where the encoder is trained too."""
    images: Tensor | None
    """Normalised (B, 1, H, W) float32, where they are read."""
    targets: Targets


class TaskTargets:
    """Masks or boxes of a task's samples on one device; shared by all its heads."""

    def __init__(self, data: TaskData, device: str, *, are_boxes: bool) -> None:
        self._data = data
        self._device = device
        self._are_boxes = are_boxes
        self._row_of = {sample: row for row, sample in enumerate(data.samples)}
        self._masks: Tensor | None = None
        num_bytes = len(data.samples) * data.prepared.num_classes * data.image_side**2
        if not are_boxes and num_bytes <= MASK_BYTES:
            self._masks = data.masks(data.samples, device)

    def take(self, samples: Sequence[int]) -> Targets:
        """Targets of these samples, in their order."""
        if self._are_boxes:
            return self._data.boxes(samples, self._device)
        if self._masks is None:
            return self._data.masks(samples, self._device)
        rows = torch.tensor([self._row_of[sample] for sample in samples], device=self._masks.device)
        return self._masks[rows]


class TaskInputs:
    """Everything that heads on one encoder are trained on."""

    def __init__(
        self, data: TaskData, targets: TaskTargets, features: FeatureSource | None, device: str, *, reads_images: bool
    ) -> None:
        """`features` None: the encoder is trained too, so batches hold images."""
        self.data = data
        self._targets = targets
        self._features = features
        self.device = device
        self._reads_images = reads_images or features is None

    def open(self, samples: Sequence[int]) -> "Chunk":
        """Make these samples ready: features that are not cached are computed now, once for all who take from it."""
        view = None if self._features is None else self._features.open(samples)
        return Chunk(self, samples, view)

    def read_images(self, samples: Sequence[int]) -> Tensor | None:
        """Their images, where a head or an encoder reads them."""
        return self.data.images(samples, self.device) if self._reads_images else None

    def read_targets(self, samples: Sequence[int]) -> Targets:
        """What is to be learned from them."""
        return self._targets.take(samples)


class Chunk:
    """Some samples, ready to be taken in any order."""

    def __init__(self, inputs: TaskInputs, samples: Sequence[int], view: FeatureView | None) -> None:
        self._inputs = inputs
        self._samples = samples
        self._view = view

    def take(self, positions: Positions) -> Batch:
        """The batch of the samples at these positions."""
        chosen = [self._samples[position] for position in positions.tolist()]
        features = {} if self._view is None else self._view.take(positions)
        return Batch(features, self._inputs.read_images(chosen), self._inputs.read_targets(chosen))
