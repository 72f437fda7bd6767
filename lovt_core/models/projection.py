"""Projections from representations y to the common space z, and the norms they share with the cross-attention.

Shapes: B batch, N regions or sentences, D dimension. Masks (B, N) are True where an element is real.
"""

import math
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from lovt_core.config.encoders import ProjectionConfig

RowFunction = Callable[[Tensor], Tensor]


class Projection(nn.Module):
    """Linear, norm, ReLU, linear (paper section 3.1, f; vectors section 6). Local and global ones are alike."""

    def __init__(self, width: int, config: ProjectionConfig) -> None:
        super().__init__()
        self.projection_before = linear_fan_out(width, config.hidden, gain=2.0)
        self.norm = nn.BatchNorm1d(config.hidden) if config.norm == "batch" else nn.Identity()
        self.projection_after = linear_fan_out(config.hidden, config.size, gain=1.0)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x (B, D) or (B, N, D) -> the same with the projection's size; with a mask only real rows, others are zero."""
        return map_rows(self._project, x, mask)

    def _project(self, rows: Tensor) -> Tensor:
        return cast(Tensor, self.projection_after(torch.relu(self.norm(self.projection_before(rows)))))


def map_rows(function: RowFunction, x: Tensor, mask: Tensor | None) -> Tensor:
    """Apply a function of rows (M, D) -> (M, E) to all rows of x (..., D), or to the real ones only (else zero).

    So a batch norm inside it sees all rows, or the real ones only.
    """
    if mask is None:
        rows = function(x.flatten(0, -2))
        return rows.reshape(*x.shape[:-1], rows.shape[-1])
    rows = function(x[mask])
    return rows.new_zeros(*mask.shape, rows.shape[-1]).masked_scatter(mask.unsqueeze(-1), rows)


def linear_fan_out(width: int, size: int, gain: float) -> nn.Linear:
    """Linear layer with weights of standard deviation sqrt(gain / size) and zero bias."""
    layer = nn.Linear(width, size)
    nn.init.normal_(layer.weight, std=math.sqrt(gain / size))
    nn.init.zeros_(layer.bias)
    return layer
