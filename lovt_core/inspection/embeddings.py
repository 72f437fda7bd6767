"""All embeddings of some pairs, on the CPU in float32.

Shapes: N pairs, R = h*w regions, S sentences of the report that has most, D width of an encoder, Z projection size.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lovt_core.inspection.own_data import OwnPairs
from lovt_core.inspection.trained_method import Grid, TrainedMethod
from lovt_core.values import Progress

_BATCH = 16


@dataclass(frozen=True)
class Embeddings:
    """Names as in the published statistics: y before, z after projection, g global, l local, a image, b report."""

    yg_a: Tensor
    """(N, D)."""
    yg_b: Tensor
    zg_a: Tensor
    """(N, Z)."""
    zg_b: Tensor
    yl_a: Tensor
    """(N, R, D)."""
    yl_b: Tensor
    """(N, S, D), zero on padding."""
    zl_a: Tensor
    """(N, R, Z)."""
    zl_b: Tensor
    """(N, S, Z)."""
    mask: Tensor
    """(N, S) bool: real sentences."""
    region_weights: Tensor | None
    """(N, R), of an attention pool."""
    sentence_weights: Tensor | None
    """(N, S), likewise."""
    zl_b2a: Tensor | None
    """(N, R, Z); None where no local loss needs it."""
    zl_a2b: Tensor | None
    """(N, S, Z), likewise."""


def compute_embeddings(
    method: TrainedMethod, pairs: OwnPairs, rows: Sequence[int]
) -> Generator[Progress, None, tuple[Embeddings, Grid]]:
    """Embeddings of the pairs `rows`, in their order; reports without a word are left out."""
    samples = pairs.prepared.samples
    encoded = [(row, method.encode(samples[row].sentences).tokens) for row in rows]
    usable = [(row, tokens) for row, tokens in encoded if tokens]
    batches: list[Embeddings] = []
    grid = (1, 1)
    for start in range(0, len(usable), _BATCH):
        yield Progress(start, len(usable), "pair", note="embeddings")
        batch = usable[start : start + _BATCH]
        with torch.inference_mode():
            regions, grid = method.regions([pairs.image(row) for row, _ in batch])
            features = method.report_features([tokens for _, tokens in batch])
            found = method.represent(regions, features)
        attended = found.attended
        batches.append(
            Embeddings(
                yg_a=found.image,
                yg_b=found.report,
                zg_a=found.image_projection,
                zg_b=found.report_projection,
                yl_a=regions,
                yl_b=features.sentences,
                zl_a=found.region_projections,
                zl_b=found.sentence_projections,
                mask=features.mask,
                region_weights=found.region_weights,
                sentence_weights=found.sentence_weights,
                zl_b2a=None if attended is None else attended.report_to_regions,
                zl_a2b=None if attended is None else attended.image_to_sentences,
            )
        )
    return _join(batches), grid


_PER_SENTENCE = ("yl_b", "zl_b", "mask", "sentence_weights", "zl_a2b")


def _join(batches: Sequence[Embeddings]) -> Embeddings:
    """One after the other; sentences are padded with zeros to the largest number of them."""
    longest = max(batch.mask.shape[1] for batch in batches)
    joined: dict[str, Tensor | None] = {}
    for field in fields(Embeddings):
        parts = [getattr(batch, field.name) for batch in batches]
        if parts[0] is None:
            joined[field.name] = None
            continue
        if field.name in _PER_SENTENCE:
            parts = [_pad(part, longest) for part in parts]
        whole = torch.cat([part.cpu() for part in parts])
        joined[field.name] = whole if whole.dtype == torch.bool else whole.float()
    return Embeddings(**joined)  # type: ignore[arg-type]


def _pad(part: Tensor, length: int) -> Tensor:
    missing = length - part.shape[1]
    return part if not missing else torch.cat([part, part.new_zeros(len(part), missing, *part.shape[2:])], dim=1)
