"""The embeddings of pairs, batch by batch.

Shapes: B pairs, R = h*w regions, D width of the image encoder, Z projection size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lovt_core.data.prepared import Bytes
from lovt_core.inspection.own_data import OwnPairs
from lovt_core.inspection.trained_method import Grid, TrainedMethod
from lovt_core.methods.alignment import Representations
from lovt_core.models.report_encoder import ReportFeatures
from lovt_core.models.report_tokens import SentenceTokens
from lovt_core.monitoring.embeddings import PairEmbeddings

BATCH = 32
"""Of the published models: some published statistics are means over batches."""


@dataclass(frozen=True)
class EncodedPair:
    """An image and its report."""

    image: Bytes
    tokens: tuple[SentenceTokens, ...]


@dataclass(frozen=True)
class PairBatch:
    """All representations of a batch."""

    regions: Tensor
    """y^a (B, R, D)."""
    grid: Grid
    """h, w."""
    report: ReportFeatures
    representations: Representations

    def as_published(self, *, has_local_losses: bool) -> PairEmbeddings:
        """What the published statistics are about; without local losses there are no attended embeddings."""
        found = self.representations
        attended = found.attended if has_local_losses else None
        return PairEmbeddings(
            sentence_mask=self.report.mask,
            regions=self.regions,
            sentences=self.report.sentences,
            image=found.image,
            report=found.report,
            region_projections=found.region_projections,
            sentence_projections=found.sentence_projections,
            image_projection=found.image_projection,
            report_projection=found.report_projection,
            attended_regions=None if attended is None else attended.report_to_regions,
            attended_sentences=None if attended is None else attended.image_to_sentences,
            region_weights=found.region_weights,
        )


def encode_pairs(method: TrainedMethod, pairs: OwnPairs, rows: Sequence[int]) -> tuple[EncodedPair, ...]:
    """The pairs `rows` in their order; images are views of files, reports without a word are left out."""
    samples = pairs.prepared.samples
    encoded = ((row, method.encode(samples[row].sentences).tokens) for row in rows)
    return tuple(EncodedPair(pairs.image(row), tokens) for row, tokens in encoded if tokens)


def embed_batches(method: TrainedMethod, pairs: Sequence[EncodedPair]) -> Iterator[PairBatch]:
    """The pairs in batches of `BATCH`, the last one possibly smaller; nothing carries a gradient."""
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        with torch.inference_mode():
            regions, grid = method.regions([pair.image for pair in batch])
            report = method.report_features([pair.tokens for pair in batch])
            found = PairBatch(regions, grid, report, method.represent(regions, report))
        yield found
