"""The prepared images, masks and boxes of a task, normalised as the protocol says.

Shapes: B images, C classes, H x W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lovt_core.data.pixel_statistics import compute_pixel_statistics
from lovt_core.data.prepared import PreparedData, open_prepared
from lovt_core.data.splits import Split, build_split, take_first
from lovt_core.errors import DataError
from lovt_core.evaluation.protocol import Protocol
from lovt_core.models.normalisation import normalise
from lovt_core.tasks import Task


@dataclass(frozen=True)
class Boxes:
    """What is to be found in a batch of images: one tensor for each image."""

    boxes: tuple[Tensor, ...]
    """(n, 4) float32 left, top, width, height in pixels; loss and metric leave out those without an area."""
    classes: tuple[Tensor, ...]
    """(n,) int64."""


Targets = Tensor | Boxes
"""Masks (B, C, H, W) bool, or boxes."""


@dataclass(frozen=True)
class TaskData:
    """One data set with the part of its split that a task uses."""

    prepared: PreparedData
    split: Split
    """Training and validation as the task takes them; the fingerprint is that of the whole split."""
    statistics: tuple[float, float] | None
    """Mean and standard deviation of the whole training split's [0, 1] pixels; None: each image by its own."""

    @property
    def samples(self) -> tuple[int, ...]:
        """All samples that the task reads, each once."""
        return tuple(dict.fromkeys((*self.split.train, *self.split.validation, *self.split.test)))

    @property
    def image_side(self) -> int:
        """Pixels a side of the prepared images."""
        return int(self.prepared.image(0).shape[-1])

    def images(self, samples: Sequence[int], device: str) -> Tensor:
        """Normalised images (B, 1, H, W) float32 of these samples."""
        pixels = np.stack([self.prepared.image(self._image_row(sample)) for sample in samples])
        images = torch.from_numpy(pixels).to(device)[:, None].float() / 255
        return normalise(images, self.statistics)

    def masks(self, samples: Sequence[int], device: str) -> Tensor:
        """Masks (B, C, H, W) bool of these samples."""
        masks = np.stack([self.prepared.mask(self._image_row(sample)) for sample in samples])
        return torch.from_numpy(masks).to(device).bool()

    def boxes(self, samples: Sequence[int], device: str) -> Boxes:
        """Boxes of these samples."""
        found = [self.prepared.boxes(self._image_row(sample)) for sample in samples]
        return Boxes(
            boxes=tuple(torch.tensor(boxes, device=device) for boxes, _ in found),
            classes=tuple(torch.tensor(classes, device=device) for _, classes in found),
        )

    def count_flat_boxes(self) -> int:
        """Boxes of zero width or height among all samples of the task."""
        rows = [self.prepared.boxes(self._image_row(sample))[0] for sample in self.samples]
        return int(sum((boxes[:, 2:] <= 0).any(1).sum() for boxes in rows))

    def image_rows(self, samples: Sequence[int]) -> list[int]:
        """Rows of these samples' images, for hashes."""
        return [self._image_row(sample) for sample in samples]

    def describe(self) -> dict[str, Any]:
        """JSON values for results."""
        return {
            "name": self.prepared.name,
            "fingerprint": self.prepared.fingerprint,
            "split": self.split.spec,
            "split_fingerprint": self.split.fingerprint,
            "genuine": self.prepared.meta.genuine,
            "synthetic": self.prepared.meta.synthetic,
        }

    def _image_row(self, sample: int) -> int:
        return self.prepared.samples[sample].images[0]


def open_task_data(protocol: Protocol, split: str, prepared_root: Path) -> TaskData:
    """Open what a task needs.

    Raises DataError when it is not prepared (naming the command), has other classes than the task, cannot be split, or
    has a part that is too small to train or judge a head.
    """
    task = protocol.task
    prepared = open_prepared(prepared_root, task.data, protocol.image_size)
    if prepared.meta.classes != task.classes:
        raise DataError(
            f"task {task.id} needs the classes {', '.join(task.classes)}, but {prepared.path} has "
            f"{', '.join(prepared.meta.classes) or 'none'}"
        )
    whole = build_split(prepared, split)
    used = replace(
        whole,
        train=take_first(whole.train, task.train_fraction),
        validation=take_first(whole.validation, task.validation_fraction),
    )
    _check_split(used, task)
    statistics = compute_pixel_statistics(prepared, whole.train) if protocol.normalisation == "dataset" else None
    return TaskData(prepared, used, statistics)


def _check_split(split: Split, task: Task) -> None:
    if len(split.train) < task.batch_size:
        share = f" ({100 * task.train_fraction:g} % of them)" if task.train_fraction < 1 else ""
        raise DataError(
            f"split {split.spec} of {task.data} has {len(split.train)} training images for {task.id}{share}, fewer "
            f"than one batch of {task.batch_size}: prepare more images or set settings.batch_size"
        )
    for name, part in (("validation", split.validation), ("test", split.test)):
        if not part:
            raise DataError(f"split {split.spec} of {task.data} has no {name} images: choose another split")
