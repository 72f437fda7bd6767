"""What a method makes of one batch, as monitoring reads it.

Shapes: B batch, R = h * w regions in rows, S sentences, D width of an encoder, Z projection size.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

from torch import Tensor

from lovt_core.objectives.unit_length import scale_to_unit_length

Grid = tuple[int, int]
"""Height and width of the feature map."""
_NOT_SCALED = ("sentence_mask", "region_weights", "grid")


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
    grid: Grid | None = None
    """Of the regions."""

    @property
    def device_type(self) -> str:
        """`cpu` or `cuda`."""
        return self.sentence_mask.device.type

    @property
    def classified(self) -> Mapping[str, Tensor]:
        """What probes learn from, by the side it is of."""
        return {name: value for name in ("image", "report") if (value := getattr(self, name)) is not None}

    def scaled(self) -> Self:
        """All embeddings with unit length, in float32 and without gradient."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if name not in _NOT_SCALED and value is not None:
                values[name] = _scale(value)
        if self.region_weights is not None:
            values["region_weights"] = self.region_weights.detach().float()
        return type(self)(**values)


@dataclass(frozen=True)
class ImageEmbeddings:
    """What a method on images alone makes of the first view of each image, or of the image."""

    regions: Tensor
    """Cells of the feature map, (B, R, D)."""
    grid: Grid
    projections: tuple[Tensor, Tensor] | None = None
    """Of both views, (B, Z) each; None where views are not compared."""
    cell_projections: Tensor | None = None
    """(B, R, Z); None where cells are not compared."""

    @property
    def device_type(self) -> str:
        """`cpu` or `cuda`."""
        return self.regions.device.type

    @property
    def classified(self) -> Mapping[str, Tensor]:
        """What the probe learns from."""
        return {"image": self.regions.mean(dim=1)}

    def scaled(self) -> Self:
        """All embeddings with unit length, in float32 and without gradient."""
        cells, views = self.cell_projections, self.projections
        return replace(
            self,
            regions=_scale(self.regions),
            projections=None if views is None else (_scale(views[0]), _scale(views[1])),
            cell_projections=None if cells is None else _scale(cells),
        )


def _scale(embeddings: Tensor) -> Tensor:
    return scale_to_unit_length(embeddings.detach())
