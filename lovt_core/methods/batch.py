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

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """The same batch on another device."""
        return type(self)(self.images.to(device, non_blocking=non_blocking), self.tokens.to(device, non_blocking))
