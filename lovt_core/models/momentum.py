"""Target network: a copy that follows the trained network slowly (BYOL, Grill et al. 2020, section 3.1)."""

import copy
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class MomentumCopy(nn.Module):
    """Exponential moving average of the parameters of an online network; its buffers are its own (PROTOCOL B.4).

    It begins equal to the online network. In training mode its batch norms use, and keep statistics of, the batches
    that the target itself sees. `state_dict` holds parameters and buffers, which is all its state.
    """

    def __init__(self, online: nn.Module, decay: float = 0.99) -> None:
        """Raises ValueError for a decay outside 0 to 1."""
        if not 0 <= decay <= 1:
            raise ValueError(f"the decay is {decay:g}: it must be from 0 to 1")
        super().__init__()
        self.target = copy.deepcopy(online).requires_grad_(False)
        self.decay = decay

    def forward(self, *inputs: Any) -> Any:
        """What the target makes of the inputs, without gradient."""
        with torch.no_grad():
            return self.target(*inputs)

    def update(self, online: nn.Module) -> None:
        """target <- decay * target + (1 - decay) * online, once per optimiser step.

        The protocol's moment is after the forward pass and before the step of that batch. Raises ValueError where
        `online` is not the network that was copied.
        """
        own, followed = list(self.target.parameters()), list(online.parameters())
        if [p.shape for p in own] != [p.shape for p in followed]:
            raise ValueError("the parameters of the online network differ in number or shape from those of its copy")
        average = get_ema_multi_avg_fn(self.decay)  # type: ignore[no-untyped-call]
        average(own, followed, None)
