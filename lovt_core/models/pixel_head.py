"""Pixel propagation (PixPro, Xie et al. 2021, equations 3 and 4; vectors section 23).

Shapes: B batch, R regions, D dimension.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PixelPropagation(nn.Module):
    """y_i = sum_j max(cos(x_i, x_j), 0)^gamma g(x_j) over all regions j of an image, with a linear g.

    It stands behind the projector of the online network, in the place of a predictor.
    """

    def __init__(self, size: int, gamma: float = 2.0) -> None:
        """`size` is D. Raises ValueError for a gamma below 1: at right angles the gradient would be infinite."""
        super().__init__()
        if gamma < 1:
            raise ValueError(f"gamma is {gamma:g}: it must be at least 1")
        self.gamma = gamma
        self.transform = nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, R, D) -> y (B, R, D); similarities and sum in float32 also under autocast."""
        values: Tensor = self.transform(x)
        with torch.autocast(x.device.type, enabled=False):
            wide = x.to(torch.promote_types(x.dtype, torch.float32))
            unit = F.normalize(wide, dim=-1, eps=1e-12)
            similarity = torch.relu(unit @ unit.transpose(1, 2)).pow(self.gamma)
            return similarity @ values.to(wide.dtype)
