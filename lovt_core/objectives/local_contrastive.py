"""Contrastive loss inside each sample, on the region grid or the sequence of sentences (paper 3.4; vectors 2 and 3).

Shapes: B batch, N elements (regions row-major, or sentences), D dimension. Masks are True where an element is real.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lovt_core.config.objective import LocalContrastiveConfig

Size = tuple[int, ...]
"""(rows, columns) of a grid or (length,) of a sequence."""


@dataclass(frozen=True)
class Elements:
    """How the N elements of each sample lie and which of them count how much."""

    size: Size
    mask: Tensor | None = None
    """(B, N)."""
    weights: Tensor | None = None
    """(B, N), equal by default; masked and scaled to sum 1. No gradient flows through them."""


@dataclass(frozen=True)
class LocalLosses:
    """Losses of both directions, unweighted."""

    local_to_attended: Tensor
    attended_to_local: Tensor


class LocalContrastiveLoss(nn.Module):
    """Each element against what the other modality says about all elements of the same sample."""

    def __init__(self, config: LocalContrastiveConfig, max_size: Size | None = None) -> None:
        """`max_size`: the size whose diagonal scales relative distances; by default the size of each call."""
        super().__init__()
        self.config = config
        self.max_size = max_size
        self._positiveness: dict[tuple[Size, torch.device], Tensor] = {}

    def positiveness(self, size: Size, device: torch.device) -> Tensor:
        """P (N, N): how much each pair counts as positive, before masking and scaling; computed once per size."""
        key = (size, device)
        if key not in self._positiveness:
            self._positiveness[key] = compute_positiveness(self.config, size, self.max_size or size).to(device)
        return self._positiveness[key]

    def forward(self, local: Tensor, attended: Tensor, elements: Elements) -> LocalLosses:
        """local, attended (B, N, D), of any length: they are scaled to unit length. In float32 also under autocast."""
        mask = elements.mask
        with torch.autocast(local.device.type, enabled=False):
            u, v = F.normalize(local.float(), dim=-1, eps=1e-12), F.normalize(attended.float(), dim=-1, eps=1e-12)
            similarity = u @ v.transpose(1, 2) / self.config.temperature
            positives = self.positiveness(elements.size, local.device).expand_as(similarity)
            if mask is not None:
                positives = positives * mask.unsqueeze(1)
            positives = positives / positives.sum(dim=-1, keepdim=True).clamp_min(1e-12)
            element_weights = _normalised_weights(similarity, elements)
            return LocalLosses(
                _compute_loss(similarity, positives, mask, element_weights),
                _compute_loss(similarity.transpose(1, 2), positives, mask, element_weights),
            )

    def weighted(self, losses: LocalLosses) -> Tensor:
        """The term that this loss adds to the total."""
        config = self.config
        return config.local_to_attended * losses.local_to_attended + config.attended_to_local * losses.attended_to_local


def compute_positiveness(config: LocalContrastiveConfig, size: Size, max_size: Size) -> Tensor:
    """P_kl = [D_kl <= T], times exp(-lambda D_kl) where smoothing is on; exact Euclidean distances D (N, N)."""
    axes = [torch.arange(length, dtype=torch.float64) for length in size]
    places = torch.cartesian_prod(*axes).reshape(-1, len(size))
    distances = (places.unsqueeze(1) - places.unsqueeze(0)).square().sum(dim=-1).sqrt()
    if config.threshold_type == "relative":
        distances = distances / math.hypot(*max_size)
    positives = (distances <= config.distance_threshold).double()
    if config.smoothing:
        positives = positives * torch.exp(-config.smoothing_lambda * distances)
    return positives.float()


def _normalised_weights(similarity: Tensor, elements: Elements) -> Tensor:
    given = elements.weights
    given = similarity.new_ones(similarity.shape[:2]) if given is None else given.detach().float()
    if elements.mask is not None:
        given = given * elements.mask
    return given / given.sum(dim=1, keepdim=True)


def _compute_loss(similarity: Tensor, positives: Tensor, mask: Tensor | None, weights: Tensor) -> Tensor:
    candidates = similarity if mask is None else similarity.masked_fill(~mask.unsqueeze(1), float("-inf"))
    losses = candidates.logsumexp(dim=-1) - (positives * similarity).sum(dim=-1)
    return (weights * losses).sum(dim=1).mean()
