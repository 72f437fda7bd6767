"""What a paired method makes of one batch, as the statistics read it.

Shapes: B batch, R regions, S sentences, D width of an encoder, Z projection size.
"""

from dataclasses import dataclass, fields
from typing import Self

from torch import Tensor

from lovt_core.objectives.unit_length import scale_to_unit_length

_NOT_SCALED = ("sentence_mask", "region_weights")


@dataclass(frozen=True)
class PairEmbeddings:
    """Embeddings of both sides; the names in brackets are those of the published statistics. None: there are none."""

    sentence_mask: Tensor
    """(B, S) bool: real sentences."""
    regions: Tensor | None = None
    """y^a (`yl_a`), (B, R, D)."""
    sentences: Tensor | None = None
    """y^b (`yl_b`), (B, S, D)."""
    image: Tensor | None = None
    """y-bar^a (`yg_a`), (B, D)."""
    report: Tensor | None = None
    """y-bar^b (`yg_b`), (B, D)."""
    region_projections: Tensor | None = None
    """z^a (`zl_a`), (B, R, Z)."""
    sentence_projections: Tensor | None = None
    """z^b (`zl_b`), (B, S, Z)."""
    image_projection: Tensor | None = None
    """z-bar^a (`zg_a`), (B, Z)."""
    report_projection: Tensor | None = None
    """z-bar^b (`zg_b`), (B, Z)."""
    attended_regions: Tensor | None = None
    """z^{b->a} (`zl_b2a`), (B, R, Z)."""
    attended_sentences: Tensor | None = None
    """z^{a->b} (`zl_a2b`), (B, S, Z)."""
    region_weights: Tensor | None = None
    """w^a, (B, R), each row with sum 1."""

    def scaled(self) -> Self:
        """All embeddings with unit length, in float32 and without gradient."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if name not in _NOT_SCALED and value is not None:
                values[name] = scale_to_unit_length(value.detach())
        if self.region_weights is not None:
            values["region_weights"] = self.region_weights.detach().float()
        return type(self)(**values)
