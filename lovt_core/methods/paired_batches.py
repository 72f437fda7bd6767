"""Batches of image-report pairs, made on the training device.

Every choice (order of an epoch, image of a study, view, order of sentences) is drawn from (seed, epoch, sample) alone:
a resumed training sees the same batches, whatever came before.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lovt_core.config.data import AugmentationConfig
from lovt_core.data.pairs import Pairs
from lovt_core.data.prepared import Bytes
from lovt_core.data.reports.laterality import swap_sides
from lovt_core.data.training_data import check_batch_size
from lovt_core.methods.batch import PairedBatch
from lovt_core.methods.label_codes import encode_findings
from lovt_core.models.normalisation import normalise
from lovt_core.models.report_tokens import ReportTokenizer, SentenceTokens
from lovt_core.training.augmentation import draw_views, plain_views, render_views
from lovt_core.training.report_augmentation import augment_report

_ORDER, _CHOICE, _VIEW, _REPORT = range(4)
"""Streams of random numbers that do not touch each other."""


@dataclass(frozen=True)
class BatchSize:
    """How large batches are and where they lie."""

    pairs: int
    image: int
    """Pixels a side."""
    device: torch.device


class PairedBatches:
    """Training batches with augmentation and validation batches without."""

    def __init__(
        self,
        pairs: Pairs,
        tokenizer: ReportTokenizer,
        augmentation: AugmentationConfig,
        size: BatchSize,
        labels: tuple[str, ...] = (),
    ) -> None:
        """`labels`: those that batches carry. Raises ConfigError where the training pairs do not fill one batch."""
        check_batch_size(pairs, size.pairs)
        self._pairs = pairs
        self.tokenizer = tokenizer
        self._augmentation = augmentation
        self._size = size
        self._labels = labels
        samples = pairs.prepared.samples
        self._reports = {row: tokenizer.encode(samples[row].sentences) for row in (*pairs.train, *pairs.validation)}
        self._mirrored = self._reports
        """Reports of flipped images."""
        if augmentation.report.swap_sides:
            mirrored = {row: [swap_sides(sentence) for sentence in samples[row].sentences] for row in pairs.train}
            self._mirrored = {row: tokenizer.encode(sentences) for row, sentences in mirrored.items()}
        self.batches_per_epoch = len(pairs.train) // size.pairs
        """The last incomplete batch of an epoch is dropped (PROTOCOL B.2)."""

    def training_batches(self, seed: int, epoch: int, skip: int) -> Generator[PairedBatch, None, None]:
        """The batches of `epoch` from batch index `skip` on."""
        order = np.random.default_rng((seed, epoch, _ORDER)).permutation(np.array(self._pairs.train))
        for index in range(skip, self.batches_per_epoch):
            rows = order[index * self._size.pairs : (index + 1) * self._size.pairs].tolist()
            pixels, flipped = self._augment_images(rows, seed, epoch)
            reports = [
                augment_report(
                    (self._mirrored if flip else self._reports)[row],
                    self._augmentation.report,
                    np.random.default_rng((seed, epoch, row, _REPORT)),
                )
                for row, flip in zip(rows, flipped, strict=True)
            ]
            yield self._assemble(rows, pixels, reports)

    def validation_batches(self, seed: int, epoch: int) -> Iterator[PairedBatch]:
        """All validation pairs in order, the last batch possibly smaller; all sentences, no augmentation.

        The image of a study with several is drawn anew in each epoch, as the protocol does.
        """
        for start in range(0, len(self._pairs.validation), self._size.pairs):
            rows = self._pairs.validation[start : start + self._size.pairs]
            images = [self._choose_image(row, seed, epoch) for row in rows]
            views = plain_views(images, self._size.image, self._size.device)
            yield self._assemble(rows, views, [self._reports[row] for row in rows])

    def _augment_images(self, rows: Sequence[int], seed: int, epoch: int) -> tuple[Tensor, list[bool]]:
        """(B, 1, S, S) views of the rows' images, and which of them are flipped."""
        images = [self._choose_image(row, seed, epoch) for row in rows]
        if not self._augmentation.image.enabled:
            return plain_views(images, self._size.image, self._size.device), [False] * len(rows)
        seeds = [(seed, epoch, row, _VIEW) for row in rows]
        views = draw_views(images, self._augmentation.image, self._size.image, seeds)
        return render_views(images, views, self._size.image, self._size.device), [view.flip for view in views]

    def _choose_image(self, row: int, seed: int, epoch: int) -> Bytes:
        images = self._pairs.prepared.samples[row].images
        if len(images) == 1:
            return self._pairs.prepared.image(images[0])
        chosen = np.random.default_rng((seed, epoch, row, _CHOICE)).integers(len(images))
        return self._pairs.prepared.image(images[int(chosen)])

    def _assemble(self, rows: Sequence[int], views: Tensor, reports: Sequence[Sequence[SentenceTokens]]) -> PairedBatch:
        tokens = self.tokenizer.collate(reports).to(self._size.device, non_blocking=True)
        return PairedBatch(normalise(views, self._pairs.statistics), tokens, self._encode_labels(rows))

    def _encode_labels(self, rows: Sequence[int]) -> Tensor | None:
        if not self._labels:
            return None
        samples = self._pairs.prepared.samples
        return encode_findings([dict(samples[row].findings) for row in rows], self._labels).to(self._size.device)
