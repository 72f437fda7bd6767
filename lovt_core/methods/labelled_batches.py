"""Batches of images with their labels, made on the training device.

Order and views are drawn from (seed, epoch, image) alone: a resumed training sees the same batches.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.data.single_images import SingleImages
from lovt_core.methods.label_codes import encode_findings
from lovt_core.methods.paired_batches import BatchSize
from lovt_core.models.normalisation import normalise
from lovt_core.training.augmentation import plain_views, random_views

_ORDER, _VIEW = range(2)
"""Streams of random numbers that do not touch each other."""


@dataclass(frozen=True)
class LabelledBatch:
    """B images with K labels."""

    images: Tensor
    """(B, 1, H, W) float32, normalised."""
    labels: Tensor
    """(B, K) int8: codes of `objectives/multilabel.py`."""


class LabelledBatches:
    """Training batches with LoVT's image augmentation and validation batches without (PROTOCOL B.4)."""

    def __init__(
        self, images: SingleImages, labels: Sequence[str], augmentation: ImageAugmentationConfig, size: BatchSize
    ) -> None:
        self._images = images
        self._labels = labels
        self._augmentation = augmentation
        self._size = size
        self.batches_per_epoch = len(images.train) // size.pairs
        """The last incomplete batch of an epoch is dropped (PROTOCOL B.4)."""

    def training_batches(self, seed: int, epoch: int, skip: int) -> Generator[LabelledBatch, None, None]:
        """The batches of `epoch` from batch index `skip` on."""
        order = np.random.default_rng((seed, epoch, _ORDER)).permutation(np.array(self._images.train))
        for index in range(skip, self.batches_per_epoch):
            rows = order[index * self._size.pairs : (index + 1) * self._size.pairs].tolist()
            images = [self._images.prepared.image(row) for row in rows]
            seeds = [(seed, epoch, row, _VIEW) for row in rows]
            views = random_views(images, self._augmentation, self._size.image, seeds, self._size.device)
            yield self._assemble(rows, views)

    def validation_batches(self) -> Iterator[LabelledBatch]:
        """All validation images in order, the last batch possibly smaller; no augmentation."""
        for start in range(0, len(self._images.validation), self._size.pairs):
            rows = self._images.validation[start : start + self._size.pairs]
            images = [self._images.prepared.image(row) for row in rows]
            yield self._assemble(rows, plain_views(images, self._size.image, self._size.device))

    def _assemble(self, rows: Sequence[int], views: Tensor) -> LabelledBatch:
        labels = encode_findings([self._images.findings[row] for row in rows], self._labels).to(self._size.device)
        return LabelledBatch(normalise(views, self._images.statistics), labels)
