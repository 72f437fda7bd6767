"""The prepared images and masks of a task, normalised as the protocol says.

Shapes: B images, C classes, H x W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lovt_core.data.pixel_statistics import compute_pixel_statistics
from lovt_core.data.prepared import PreparedData, open_prepared
from lovt_core.data.splits import Split, build_split
from lovt_core.errors import DataError
from lovt_core.evaluation.protocol import Protocol
from lovt_core.models.normalisation import normalise
from lovt_core.tasks import Task


@dataclass(frozen=True)
class TaskData:
    """One data set with its split."""

    prepared: PreparedData
    split: Split
    statistics: tuple[float, float] | None
    """Mean and standard deviation of the training split's [0, 1] pixels; None: each image by its own."""

    def images(self, samples: Sequence[int], device: str) -> Tensor:
        """Normalised images (B, 1, H, W) float32 of these samples."""
        pixels = np.stack([self.prepared.image(self._image_row(sample)) for sample in samples])
        images = torch.from_numpy(pixels).to(device)[:, None].float() / 255
        return normalise(images, self.statistics)

    def masks(self, samples: Sequence[int], device: str) -> Tensor:
        """Masks (B, C, H, W) bool of these samples."""
        masks = np.stack([self.prepared.mask(self._image_row(sample)) for sample in samples])
        return torch.from_numpy(masks).to(device).bool()

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
    rows = build_split(prepared, split)
    _check_split(rows, task)
    statistics = compute_pixel_statistics(prepared, rows.train) if protocol.normalisation == "dataset" else None
    return TaskData(prepared, rows, statistics)


def _check_split(split: Split, task: Task) -> None:
    if len(split.train) < task.batch_size:
        raise DataError(
            f"split {split.spec} of {task.data} has {len(split.train)} training images, fewer than one batch of "
            f"{task.batch_size}"
        )
    for name, part in (("validation", split.validation), ("test", split.test)):
        if not part:
            raise DataError(f"split {split.spec} of {task.data} has no {name} images: choose another split")
