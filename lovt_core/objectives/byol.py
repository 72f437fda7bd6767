"""Regression between two views of each image (BYOL, Grill et al. 2020, equation 2; vectors section 23).

Shapes: B batch, D dimension.
"""

import torch
from torch import Tensor, nn

from lovt_core.objectives.unit_length import Views, scale_to_unit_length


class ByolLoss(nn.Module):
    """Each view's prediction against what the target network makes of the other view; from 0 to 8."""

    def forward(self, predictions: Views, targets: Views) -> Tensor:
        """Mean over the batch of the sum of both directions. In float32 also under autocast.

        Predictions and targets (B, D), of any length, in the order of the views (the loss crosses them). No gradient
        flows to the targets.
        """
        forth = compute_squared_distance(predictions[0], targets[1].detach())
        back = compute_squared_distance(predictions[1], targets[0].detach())
        return (forth + back).mean()


def compute_squared_distance(first: Tensor, second: Tensor) -> Tensor:
    """|unit(a) - unit(b)|^2 = 2 - 2 cos(a, b) of each row: (B, D) and (B, D) -> (B,), in float32 or more."""
    with torch.autocast(first.device.type, enabled=False):
        return 2 - 2 * (scale_to_unit_length(first) * scale_to_unit_length(second)).sum(dim=-1)
