"""From local to global representations: attention, average and maximum over regions or sentences (paper section 3.1).

Shapes: B batch, N regions or sentences, D dimension. Masks (B, N) are True where an element is real.
"""

from typing import assert_never

import torch
from torch import Tensor, nn

from lovt_core.config.encoders import ImageEncoderConfig, Padding, ReportEncoderConfig
from lovt_core.errors import ConfigError


class AttentionPool(nn.Module):
    """Multi-head attention whose single query is the average of the elements (vectors section 4)."""

    def __init__(self, width: int, num_heads: int, padding: Padding) -> None:
        """`width` D; raises ConfigError unless the heads divide it."""
        super().__init__()
        if width % num_heads:
            raise ConfigError(f"num_heads {num_heads} does not divide the encoder's width {width}")
        self.attention = nn.MultiheadAttention(width, num_heads, batch_first=True)
        self.padding: Padding = padding

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, N, D) -> pooled (B, D) and weights (B, N), the heads' average: sum 1, zero on padding."""
        query = average_elements(x, mask, self.padding).unsqueeze(1)
        pooled, weights = self.attention(query, x, x, key_padding_mask=None if mask is None else ~mask)
        return pooled.squeeze(1), weights.squeeze(1)


class AveragePool(nn.Module):
    """Average over elements; has no weights."""

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        self.padding: Padding = padding

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, None]:
        """x (B, N, D) -> pooled (B, D)."""
        return average_elements(x, mask, self.padding), None


class MaxPool(nn.Module):
    """Maximum over elements; has no weights. Over sentences it is the maximum over all tokens of the report."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, None]:
        """x (B, N, D) -> pooled (B, D)."""
        if mask is not None:
            x = x.masked_fill(~mask.unsqueeze(-1), float("-inf"))
        return x.max(dim=1).values, None


Pool = AttentionPool | AveragePool | MaxPool


def average_elements(x: Tensor, mask: Tensor | None, padding: Padding) -> Tensor:
    """Sum of the real elements of x (B, N, D) divided by their number, or by N where padding is `published`."""
    if mask is None:
        return x.mean(dim=1)
    total = torch.where(mask.unsqueeze(-1), x, 0).sum(dim=1)
    match padding:
        case "ignored":
            return total / mask.sum(dim=1, keepdim=True)
        case "published":
            return total / x.shape[1]
        case _:
            assert_never(padding)


def build_image_pool(config: ImageEncoderConfig, width: int, padding: Padding) -> Pool:
    """Regions -> image representation."""
    match config.pooling:
        case "attention":
            return AttentionPool(width, config.num_heads, padding)
        case "average":
            return AveragePool(padding)
        case _:
            assert_never(config.pooling)


def build_report_pool(config: ReportEncoderConfig, width: int, padding: Padding) -> Pool:
    """Sentences -> report representation."""
    match config.pooling:
        case "attention":
            return AttentionPool(width, config.num_heads, padding)
        case "max":
            return MaxPool()
        case _:
            assert_never(config.pooling)
