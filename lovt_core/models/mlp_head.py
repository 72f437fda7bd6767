"""The small networks behind the encoders of the image-only baselines (PROTOCOL B.4).

Shapes: B batch, R regions, D dimension.
"""

from typing import cast

import torch
from torch import Tensor, nn

from lovt_core.errors import InputError
from lovt_core.models.projection import map_rows


class MlpHead(nn.Module):
    """Linear, batch norm, ReLU, linear: projector and predictor of BYOL and PixelPro; without bias and norm SimCLR's.

    On regions it is what 1x1 convolutions and a batch norm over all cells of a batch are on a feature map. New weights
    are PyTorch's default.
    """

    def __init__(self, width: int, hidden: int, size: int, *, norm: bool = True, bias: bool = True) -> None:
        super().__init__()
        self.before = nn.Linear(width, hidden, bias=bias)
        self.norm = nn.BatchNorm1d(hidden) if norm else nn.Identity()
        self.after = nn.Linear(hidden, size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, D) or (B, R, D) -> the same with the head's size.

        Raises InputError in training where the batch norm would get a single row, whose variance is undefined.
        """
        if self.training and isinstance(self.norm, nn.BatchNorm1d) and x[..., 0].numel() < 2:
            raise InputError("the batch norm of a projection needs at least two images in a batch, not one")
        return map_rows(self._map, x, mask=None)

    def _map(self, rows: Tensor) -> Tensor:
        return cast(Tensor, self.after(torch.relu(self.norm(self.before(rows)))))
