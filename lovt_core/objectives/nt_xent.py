"""Contrastive loss between two views of each image (SimCLR, Chen et al. 2020, equation 1; vectors section 23).

Shapes: B batch, D dimension.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lovt_core.errors import InputError
from lovt_core.objectives.global_contrastive import compute_top_accuracy
from lovt_core.objectives.unit_length import scale_to_unit_length


class BatchOfOneError(InputError, ValueError):
    """A loss that compares images was given one image."""


@dataclass(frozen=True)
class NtXentLosses:
    """The loss, and how often the positive is among the nearest candidates (no gradient)."""

    loss: Tensor
    top1: Tensor
    """Share of the 2B anchors."""
    top5: Tensor


class NtXentLoss(nn.Module):
    """Cross-entropy of the other view of each image among all 2B - 1 other views of the batch; 2B anchors."""

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, first: Tensor, second: Tensor) -> NtXentLosses:
        """first and second (B, D), of any length: row i of both shows image i. In float32 also under autocast.

        Raises BatchOfOneError for B = 1, where the positive is the only candidate and the loss always 0.
        """
        if len(first) < 2:
            raise BatchOfOneError(
                "the contrastive loss needs at least two images in a batch: a single one has nothing to be told from"
            )
        with torch.autocast(first.device.type, enabled=False):
            unit = scale_to_unit_length(torch.cat([first, second]))
            own = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
            logits = (unit @ unit.T / self.temperature).masked_fill(own, float("-inf"))
            logits = logits.roll(len(first), dims=1)  # column i of row i is the positive
            return NtXentLosses(
                loss=F.cross_entropy(logits, torch.arange(len(unit), device=unit.device)),
                top1=compute_top_accuracy(logits.detach(), 1),
                top5=compute_top_accuracy(logits.detach(), 5),
            )
