"""Batches of two views of each image, made on the training device.

Every choice is drawn from (seed, epoch, image) alone, or for views drawn per batch from (seed, epoch, batch): a resumed
training sees the same batches.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lovt_core.config.data import ViewsConfig
from lovt_core.data.single_images import SingleImages
from lovt_core.methods.label_codes import encode_findings
from lovt_core.methods.paired_batches import BatchSize
from lovt_core.models.normalisation import normalise
from lovt_core.objectives.pixel_propagation import Placements, ViewPlacement
from lovt_core.training.augmentation import render_views
from lovt_core.training.compared_views import PlacedView, draw_compared_view, place_view
from lovt_core.training.upload import upload

_ORDER, _TRAINING, _VALIDATION = range(3)
"""Streams of random numbers that do not touch each other."""


@dataclass(frozen=True)
class ViewBatch:
    """Two views of each of B images."""

    views: tuple[Tensor, Tensor]
    """Each (B, 1, H, W) float32, normalised."""
    placements: Placements
    """Where they lie in the images."""
    labels: Tensor | None = None
    """(B, K) int8, codes of `objectives/multilabel.py`; None where no probe learns."""


@dataclass(frozen=True)
class _Draw:
    """What the views of one batch are drawn from."""

    stream: int
    seed: int
    epoch: int
    batch: int


class ViewBatches:
    """Training and validation batches; both are of random views, those of the validation always the same."""

    def __init__(
        self, images: SingleImages, config: ViewsConfig, size: BatchSize, labels: tuple[str, ...] = ()
    ) -> None:
        """`labels`: those that batches carry."""
        self._images = images
        self._config = config
        self._size = size
        self._labels = labels
        self.batches_per_epoch = len(images.train) // size.pairs
        """The last incomplete batch of an epoch is dropped (PROTOCOL B.4)."""

    def training_batches(self, seed: int, epoch: int, skip: int) -> Generator[ViewBatch, None, None]:
        """The batches of `epoch` from batch index `skip` on."""
        order = np.random.default_rng((seed, epoch, _ORDER)).permutation(np.array(self._images.train))
        for index in self._size.share.batch_indices(skip, self.batches_per_epoch):
            rows = order[index * self._size.pairs : (index + 1) * self._size.pairs].tolist()
            own = rows[self._size.share.part(len(rows))]
            yield self._assemble(own, _Draw(_TRAINING, seed, epoch, index))

    def validation_batches(self, seed: int) -> Iterator[ViewBatch]:
        """All validation images in order, the last batch possibly smaller; one left over joins the batch before it."""
        rows, size = self._images.validation, self._size.pairs
        starts = list(range(0, len(rows), size))
        if len(starts) > 1 and len(rows) - starts[-1] == 1:
            starts.pop()
        for index, (start, end) in enumerate(zip(starts, (*starts[1:], len(rows)), strict=True)):
            yield self._assemble(rows[start:end], _Draw(_VALIDATION, seed, 0, index))

    def _assemble(self, rows: Sequence[int], draw: _Draw) -> ViewBatch:
        first, first_placement = self._view(rows, draw, 0)
        second, second_placement = self._view(rows, draw, 1)
        return ViewBatch((first, second), (first_placement, second_placement), self._encode_labels(rows))

    def _encode_labels(self, rows: Sequence[int]) -> Tensor | None:
        if not self._labels:
            return None
        return upload(encode_findings([self._images.findings[row] for row in rows], self._labels), self._size.device)

    def _view(self, rows: Sequence[int], draw: _Draw, number: int) -> tuple[Tensor, ViewPlacement]:
        images = [self._images.prepared.image(row) for row in rows]
        placed = [self._place(row, image.shape, draw, number) for row, image in zip(rows, images, strict=True)]
        device = self._size.device
        pixels = render_views(images, [each.view for each in placed], self._size.image, device)
        boxes = upload(torch.tensor([each.box for each in placed], dtype=torch.float32), device)
        flipped = upload(torch.tensor([each.view.flip for each in placed]), device)
        return normalise(pixels, self._images.statistics), ViewPlacement(boxes, flipped)

    def _place(self, row: int, shape: tuple[int, ...], draw: _Draw, number: int) -> PlacedView:
        place = draw.batch if self._config.per == "batch" else row
        generator = np.random.default_rng((draw.seed, draw.epoch, place, draw.stream, number))
        return place_view(draw_compared_view(self._config, generator), shape, self._config.squash)
