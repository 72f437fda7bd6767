"""Vectors scaled to unit length, as every similarity of the objectives needs them (vectors section 0)."""

import torch
import torch.nn.functional as F
from torch import Tensor

Views = tuple[Tensor, Tensor]
"""The same quantity of both views of a batch of images."""


def scale_to_unit_length(x: Tensor) -> Tensor:
    """x / max(|x|, 1e-12) along the last axis, in float32 or, where x is, in float64."""
    return F.normalize(x.to(torch.promote_types(x.dtype, torch.float32)), dim=-1, eps=1e-12)
