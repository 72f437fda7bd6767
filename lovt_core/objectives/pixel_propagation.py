"""Consistency of the cells of two views that show the same place (PixPro, Xie et al. 2021, equations 1 and 5).

The published run of PixelPro had its pixel branch behind the average pool, with one "pixel" an image (PROTOCOL part C);
here it sees the feature map.

Shapes: B batch, R = h*w cells (row-major), D dimension.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lovt_core.objectives.unit_length import Views, scale_to_unit_length


@dataclass(frozen=True)
class ViewPlacement:
    """Where each view of a batch lies in its image. Both views must use the same unit, with square pixels."""

    boxes: Tensor
    """(B, 4): left, top, right and bottom edge of the crop."""
    flipped: Tensor
    """(B,), bool: whether the crop was mirrored, left to right."""

    @property
    def widths(self) -> Tensor:
        """(B,)."""
        return self.boxes[:, 2] - self.boxes[:, 0]

    @property
    def heights(self) -> Tensor:
        """(B,)."""
        return self.boxes[:, 3] - self.boxes[:, 1]


Placements = tuple[ViewPlacement, ViewPlacement]


@dataclass(frozen=True)
class PixelPropagationLosses:
    """The loss, and how much of the batch it rests on (no gradient)."""

    loss: Tensor
    overlapping: Tensor
    """Share of the images that have a positive pair."""
    positive_pairs: Tensor
    """Mean number of positive pairs of an image."""


class PixelPropagationLoss(nn.Module):
    """-cos(y_i, x'_j) - cos(y'_j, x_i), averaged over the positive pairs of each image, then over the images.

    From -2 to 2. An image whose views share no cell adds nothing: it counts as 0 in the mean over the batch, so that
    the gradient of a batch is the mean of those of its parts. A batch of such images has loss 0 and gradient zero.
    """

    def __init__(self, distance_threshold: float = 0.7) -> None:
        """`distance_threshold`: in diagonals of a cell (T of equation 1)."""
        super().__init__()
        self.distance_threshold = distance_threshold

    def forward(
        self, propagated: Views, targets: Views, placements: Placements, size: tuple[int, int]
    ) -> PixelPropagationLosses:
        """In float32 also under autocast; no gradient flows to the targets.

        `propagated` are y of the online network, `targets` x of the target network, each (B, R, D), of any length, in
        the order of the views (the loss crosses them); `size` is (h, w). Raises ValueError where R is not h * w.
        """
        if propagated[0].shape[1] != size[0] * size[1]:
            raise ValueError(f"{propagated[0].shape[1]} cells are no grid of {size[0]} x {size[1]}")
        positive = compute_positive_pairs(placements, size, self.distance_threshold)
        with torch.autocast(propagated[0].device.type, enabled=False):
            forth = _compute_cosines(propagated[0], targets[1])
            back = _compute_cosines(propagated[1], targets[0]).transpose(1, 2)
            num_pairs = positive.sum(dim=(1, 2))
            sums = ((forth + back) * positive).sum(dim=(1, 2))
            return PixelPropagationLosses(
                loss=-(sums / num_pairs.clamp_min(1)).mean(),
                overlapping=(num_pairs > 0).float().mean(),
                positive_pairs=num_pairs.float().mean(),
            )


def compute_positive_pairs(placements: Placements, size: tuple[int, int], distance_threshold: float) -> Tensor:
    """A (B, R, R), bool: whether cell i of the first view and cell j of the second show the same place.

    They do where their centres are nearer in the image than `distance_threshold` diagonals of a cell, of the view whose
    cells are larger.
    """
    first, second = (compute_cell_centres(placement, size) for placement in placements)
    squared = (first.unsqueeze(2) - second.unsqueeze(1)).square().sum(dim=-1)
    diagonals = [(view.widths / size[1]).square() + (view.heights / size[0]).square() for view in placements]
    limit = distance_threshold**2 * torch.maximum(*diagonals)
    return squared < limit[:, None, None]


def compute_cell_centres(placement: ViewPlacement, size: tuple[int, int]) -> Tensor:
    """Centres (x, y) in the image of the cells of a view's feature map of `size` (h, w): (B, R, 2)."""
    boxes = placement.boxes
    rows, columns = ((torch.arange(n, device=boxes.device, dtype=boxes.dtype) + 0.5) / n for n in size)
    across = torch.where(placement.flipped.unsqueeze(1), 1 - columns, columns)
    x = boxes[:, 0, None] + across * placement.widths.unsqueeze(1)
    y = boxes[:, 1, None] + rows * placement.heights.unsqueeze(1)
    grid = (len(boxes), *size)
    return torch.stack([x.unsqueeze(1).expand(grid), y.unsqueeze(2).expand(grid)], dim=-1).flatten(1, 2)


def _compute_cosines(propagated: Tensor, targets: Tensor) -> Tensor:
    return scale_to_unit_length(propagated) @ scale_to_unit_length(targets.detach()).transpose(1, 2)
