"""Contrastive loss between the image-report pairs of a batch (paper section 3.3; vectors section 1).

Shapes: B batch, D dimension.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lovt_core.config.objective import GlobalContrastiveConfig


@dataclass(frozen=True)
class GlobalLosses:
    """Losses of both directions, unweighted, and the logits of each: column i of row i is the positive."""

    image_to_report: Tensor
    report_to_image: Tensor
    image_logits: Tensor
    """(B, B) or, with negatives of the same modality, (B, 2B)."""
    report_logits: Tensor


class GlobalContrastiveLoss(nn.Module):
    """Cross-entropy of each sample's own partner among all partners of the batch."""

    def __init__(self, config: GlobalContrastiveConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, images: Tensor, reports: Tensor) -> GlobalLosses:
        """images and reports (B, D), of any length: they are scaled to unit length. In float32 also under autocast."""
        with torch.autocast(images.device.type, enabled=False):
            u, v = F.normalize(images.float(), dim=-1, eps=1e-12), F.normalize(reports.float(), dim=-1, eps=1e-12)
            logits = u @ v.T / self.config.temperature
            image_logits, report_logits = logits, logits.T
            if self.config.negatives_from_same_modality:
                image_logits = torch.cat([image_logits, self._others(u)], dim=1)
                report_logits = torch.cat([report_logits, self._others(v)], dim=1)
            target = torch.arange(len(u), device=u.device)
            return GlobalLosses(
                F.cross_entropy(image_logits, target),
                F.cross_entropy(report_logits, target),
                image_logits,
                report_logits,
            )

    def weighted(self, losses: GlobalLosses) -> Tensor:
        """The term that this loss adds to the total."""
        return (
            self.config.image_to_report * losses.image_to_report + self.config.report_to_image * losses.report_to_image
        )

    def _others(self, unit: Tensor) -> Tensor:
        own = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        return (unit @ unit.T / self.config.temperature).masked_fill(own, float("-inf"))


def compute_top_accuracy(logits: Tensor, k: int) -> Tensor:
    """Share of rows whose positive (row i: column i) is among the k largest logits."""
    larger = logits > logits.diagonal().unsqueeze(1)
    return (larger.sum(dim=1) < k).float().mean()
