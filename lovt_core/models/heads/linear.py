"""Linear segmentation head (PROTOCOL A.1, head "linear"; vectors section 11).

Shapes: K candidates, B batch, D feature channels, C classes, h x w feature grid, H x W pixels.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn


class LinearSegmentationHead(nn.Module):
    """A 1x1 convolution followed by bilinear upsampling to the size of the mask, for K candidates at once.

    Candidates share nothing: each has its own weight (C, D) and bias (C), so that heads with other learning rates or
    seeds train side by side on the same features. A single head is one candidate.
    """

    def __init__(self, channels: int, num_classes: int, generators: Sequence[torch.Generator]) -> None:
        """One candidate for each (CPU) generator, initialised as PyTorch initialises a convolution."""
        super().__init__()
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        bound = channels**-0.5
        for generator in generators:
            self.weights.append(torch.empty(num_classes, channels).uniform_(-bound, bound, generator=generator))
            self.biases.append(torch.empty(num_classes).uniform_(-bound, bound, generator=generator))

    def parameters_of(self, candidate: int) -> tuple[nn.Parameter, nn.Parameter]:
        """Weight (C, D) and bias (C) of one candidate."""
        return self.weights[candidate], self.biases[candidate]

    def forward(self, features: Tensor, size: tuple[int, int], candidates: Sequence[int]) -> Tensor:
        """Features (K, B, D, h, w), one slice for each of `candidates`, -> logits (K, B, C, *size)."""
        return upsample_bilinear(self.compute_grid_logits(features, candidates), size)

    def compute_grid_logits(self, features: Tensor, candidates: Sequence[int]) -> Tensor:
        """Features (K, B, D, h, w) -> logits (K, B, C, h, w)."""
        weight = torch.stack([self.weights[candidate] for candidate in candidates])
        bias = torch.stack([self.biases[candidate] for candidate in candidates])
        logits = weight[:, None] @ features.flatten(-2) + bias[:, None, :, None]
        return logits.reshape(*logits.shape[:-1], *features.shape[-2:])


def upsample_bilinear(grid: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., h, w) -> (..., *size), bilinear with half-pixel centres (`align_corners=False`).

    Interpolation is linear in the grid: two small matrix products are about twice as fast as `interpolate` on a CPU.
    """
    height, width = grid.shape[-2:]
    rows = _interpolation_matrix(height, size[0], grid.device, grid.dtype)
    columns = _interpolation_matrix(width, size[1], grid.device, grid.dtype)
    return rows @ grid @ columns.T


@lru_cache(maxsize=32)
def _interpolation_matrix(source: int, target: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """(target, source) weights of each source element in each target element."""
    position = ((torch.arange(target, dtype=torch.float64) + 0.5) * source / target - 0.5).clamp(0, source - 1)
    below = position.floor().long()
    above = (below + 1).clamp(max=source - 1)
    fraction = position - below
    matrix = torch.zeros(target, source, dtype=torch.float64)
    matrix.scatter_add_(1, below[:, None], (1 - fraction)[:, None])
    matrix.scatter_add_(1, above[:, None], fraction[:, None])
    return matrix.to(device=device, dtype=dtype)
