"""Number formats of the forward pass: fp32, or autocast to bf16 or fp16 (fp16 with a scaled loss)."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor

from lovt_core.errors import ConfigError, TrainingError

SMALLEST_LOSS_SCALE = 2.0**-14
"""A loss scale this small means that every recent step overflowed."""


PrecisionName = Literal["fp32", "bf16", "fp16"]


class Precision:
    """Wraps forward, backward and optimiser step. Raises ConfigError where the device cannot do `name`."""

    def __init__(self, name: PrecisionName, device: torch.device) -> None:
        if name == "fp16" and device.type == "cpu":
            raise ConfigError("training.precision 'fp16' needs a GPU, this run is on the CPU: use 'bf16' or 'fp32'")
        if name == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
            raise ConfigError("training.precision 'bf16' is not supported by this GPU: use 'fp16' or 'fp32'")
        self.name = name
        self._device_type = device.type
        self._dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]
        self._scaler = torch.amp.GradScaler(device.type) if name == "fp16" else None

    @property
    def may_overflow(self) -> bool:
        """Whether gradients that are not finite are expected now and then (their step is left out)."""
        return self._scaler is not None

    def autocast(self) -> AbstractContextManager[Any]:
        """Context of the forward pass."""
        return torch.autocast(self._device_type, dtype=self._dtype, enabled=self._dtype != torch.float32)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of `loss`."""
        scaled: Tensor = loss if self._scaler is None else self._scaler.scale(loss)
        torch.autograd.backward(scaled)

    def unscale(self, optimiser: torch.optim.Optimizer) -> None:
        """Make the gradients those of the unscaled loss."""
        if self._scaler is not None:
            self._scaler.unscale_(optimiser)

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        """One optimiser step; with fp16 it is left out when a gradient overflowed. Raises TrainingError when all do."""
        if self._scaler is None:
            optimiser.step()
            return
        self._scaler.step(optimiser)
        self._scaler.update()
        if self._scaler.get_scale() < SMALLEST_LOSS_SCALE:
            raise TrainingError("every recent step overflowed in fp16: set training.precision to 'bf16' or 'fp32'")

    def state(self) -> dict[str, Any]:
        """JSON values of the loss scale."""
        return {} if self._scaler is None else dict(self._scaler.state_dict())

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with the loss scale of `state()`."""
        if self._scaler is not None and state:
            self._scaler.load_state_dict(state)
