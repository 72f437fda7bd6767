"""What each modality says about the elements of the other: symmetric cross-attention (paper section 3.2; vectors 5).

Shapes: B batch, R regions, S sentences, D dimension. Sentence masks (B, S) are True where a sentence is real.
"""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from lovt_core.config.encoders import Padding
from lovt_core.models.projection import linear_fan_out, map_rows


@dataclass(frozen=True)
class Directions:
    """Which directions are computed."""

    report_to_regions: bool = True
    image_to_sentences: bool = True


BOTH_DIRECTIONS = Directions()


@dataclass(frozen=True)
class Attended:
    """Result of the cross-attention; what was not asked for is None."""

    report_to_regions: Tensor | None
    """z^{b->a} (B, R, D): for each region what the sentences say about it."""
    image_to_sentences: Tensor | None
    """z^{a->b} (B, S, D): for each sentence what the regions show of it."""
    region_probabilities: Tensor | None
    """(B, R, S): attention of each region over the sentences."""
    sentence_probabilities: Tensor | None
    """(B, S, R): attention of each sentence over the regions; zero rows on padding."""
    scores: Tensor
    """(B, R, S), before softmax and masking."""

    def directions(self) -> dict[str, Tensor]:
        """What was asked for, by name."""
        both = {"report_to_regions": self.report_to_regions, "image_to_sentences": self.image_to_sentences}
        return {name: value for name, value in both.items() if value is not None}


class CrossAttention(nn.Module):
    """One head; keys, values, output and norm are shared by both directions."""

    def __init__(self, width: int, padding: Padding) -> None:
        super().__init__()
        self.key_projection = linear_fan_out(width, width, gain=1.0)
        self.value_projection = linear_fan_out(width, width, gain=1.0)
        self.output_projection = linear_fan_out(width, width, gain=1.0)
        self.norm = nn.BatchNorm1d(width)
        self.padding: Padding = padding

    def forward(
        self, regions: Tensor, sentences: Tensor, mask: Tensor | None = None, directions: Directions = BOTH_DIRECTIONS
    ) -> Attended:
        """regions (B, R, D), sentences (B, S, D) -> what is asked for, report to regions first.

        In training each direction updates the norm's running statistics.
        """
        keys = self.key_projection(regions), self.key_projection(sentences)
        scores = keys[0] @ keys[1].transpose(1, 2) / math.sqrt(regions.shape[-1])
        to_regions = to_sentences = region_probabilities = sentence_probabilities = None
        if directions.report_to_regions:
            masked = scores if mask is None else scores.masked_fill(~mask.unsqueeze(1), float("-inf"))
            region_probabilities = masked.softmax(dim=-1)
            to_regions = map_rows(self._output, region_probabilities @ self.value_projection(sentences), None)
        if directions.image_to_sentences:
            sentence_probabilities = scores.transpose(1, 2).softmax(dim=-1)
            if mask is not None:
                sentence_probabilities = sentence_probabilities * mask.unsqueeze(-1)
            normalised = mask if self.padding == "ignored" else None
            to_sentences = map_rows(self._output, sentence_probabilities @ self.value_projection(regions), normalised)
        return Attended(to_regions, to_sentences, region_probabilities, sentence_probabilities, scores)

    def _output(self, rows: Tensor) -> Tensor:
        result: Tensor = self.norm(self.output_projection(rows))
        return result
