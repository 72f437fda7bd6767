"""Soft Dice loss of segmentation heads (PROTOCOL A.3; vectors section 11).

Shapes: K candidates (any leading dimensions), B batch, C classes, H x W pixels.
"""

from typing import Final

import torch
from torch import Tensor, nn

_PIXELS: Final = (-4, -3, -2, -1)


class DiceLoss(nn.Module):
    """One minus the soft Dice of a whole batch; all images, classes and pixels are pooled into one Dice.

    A batch without any positive pixel has loss 0 and gives no gradient.
    """

    def __init__(self, eps: float = 1e-7) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Logits (..., B, C, H, W) and 0/1 targets of the same shape -> loss of each leading element (...)."""
        truth = targets.to(logits.dtype)
        probabilities = torch.sigmoid(logits)
        intersection = (probabilities * truth).sum(_PIXELS)
        num_positives = truth.sum(_PIXELS)
        total = (probabilities.sum(_PIXELS) + num_positives).clamp_min(self.eps)
        loss: Tensor = 1 - 2 * intersection / total
        return torch.where(num_positives > 0, loss, torch.zeros_like(loss))
