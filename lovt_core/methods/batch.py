"""What a paired method computes its losses from."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from lovt_core.models.report_tokens import TokenBatch


@dataclass(frozen=True)
class PairedBatch:
    """B images with their reports."""

    images: Tensor
    """(B, 1, H, W) float32, normalised."""
    tokens: TokenBatch
    labels: Tensor | None = None
    """(B, K) int8, codes of `objectives/multilabel.py`; None where no probe learns."""

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """The same batch on another device."""
        labels = None if self.labels is None else self.labels.to(device, non_blocking=non_blocking)
        images = self.images.to(device, non_blocking=non_blocking)
        return type(self)(images, self.tokens.to(device, non_blocking), labels)
