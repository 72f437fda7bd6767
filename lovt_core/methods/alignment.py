"""From the encoders' local features to all representations that LoVT's losses compare (paper sections 3.1 and 3.2).

Shapes: B batch, R regions, S sentences, D width of an encoder, Z projection size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor, nn

from lovt_core.config.methods import LovtConfig
from lovt_core.models.cross_attention import Attended, CrossAttention, Directions
from lovt_core.models.pooling import build_image_pool, build_report_pool
from lovt_core.models.projection import Projection
from lovt_core.models.report_encoder import ReportFeatures
from lovt_core.training.gathering import Gather


@dataclass(frozen=True)
class Representations:
    """Image and report, globally and locally; names as in the paper's notation (docs/method.md)."""

    image: Tensor
    """y-bar^a (B, D)."""
    report: Tensor
    """y-bar^b (B, D)."""
    region_weights: Tensor | None
    """w^a (B, R), the pooling's attention; None for other poolings."""
    sentence_weights: Tensor | None
    """w^b (B, S)."""
    image_projection: Tensor
    """z-bar^a (B, Z)."""
    report_projection: Tensor
    """z-bar^b (B, Z)."""
    region_projections: Tensor
    """z^a (B, R, Z)."""
    sentence_projections: Tensor
    """z^b (B, S, Z)."""
    sentence_mask: Tensor
    """(B, S) bool: real sentences."""
    attended: Attended | None
    """z^{b->a} and z^{a->b}; None where no local loss needs them."""

    def gathered(self, gather: Gather, names: Sequence[str]) -> Self:
        """With these fields and `attended` of all processes that share the batch; without gradient for the weights.

        The padded number of sentences must be the same in all of them. What no loss reads must not be asked for: its
        parameters would get gradients of zero instead of none.
        """
        read = {name: value for name in names if (value := getattr(self, name)) is not None}
        own = {name: value.detach() if name.endswith("weights") else value for name, value in read.items()}
        attended = {} if self.attended is None else self.attended.directions()
        of_all = gather(*own.values(), *attended.values())
        found: dict[str, Any] = dict(zip(own, of_all[: len(own)], strict=True))
        if self.attended is not None:
            found["attended"] = replace(self.attended, **dict(zip(attended, of_all[len(own) :], strict=True)))
        return replace(self, **found)


class Alignment(nn.Module):
    """Pools, projections and cross-attention: everything that is trained besides the two encoders."""

    def __init__(self, config: LovtConfig, image_width: int, report_width: int) -> None:
        super().__init__()
        self.padding = config.padding
        self.image_pool = build_image_pool(config.image_encoder, image_width, config.padding)
        self.report_pool = build_report_pool(config.report_encoder, report_width, config.padding)
        self.region_projection = Projection(image_width, config.projection)
        self.image_projection = Projection(image_width, config.projection)
        self.sentence_projection = Projection(report_width, config.projection)
        self.report_projection = Projection(report_width, config.projection)
        self.cross_attention = CrossAttention(config.projection.size, config.padding)
        self.directions = Directions(config.objective.regions is not None, config.objective.sentences is not None)

    def forward(self, regions: Tensor, report: ReportFeatures) -> Representations:
        """regions y^a (B, R, D) and sentences y^b (B, S, D) -> all representations."""
        image, region_weights = self.image_pool(regions)
        pooled_report, sentence_weights = self.report_pool(report.sentences, report.mask)
        region_projections = self.region_projection(regions)
        rows = report.mask if self.padding == "ignored" else None
        sentence_projections = self.sentence_projection(report.sentences, rows)
        return Representations(
            image=image,
            report=pooled_report,
            region_weights=region_weights,
            sentence_weights=sentence_weights,
            image_projection=self.image_projection(image),
            report_projection=self.report_projection(pooled_report),
            region_projections=region_projections,
            sentence_projections=sentence_projections,
            sentence_mask=report.mask,
            attended=self._attend(region_projections, sentence_projections, report.mask),
        )

    def _attend(self, regions: Tensor, sentences: Tensor, mask: Tensor) -> Attended | None:
        if not (self.directions.report_to_regions or self.directions.image_to_sentences):
            return None
        attended: Attended = self.cross_attention(regions, sentences, mask, self.directions)
        return attended
