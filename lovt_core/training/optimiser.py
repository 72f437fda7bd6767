"""The optimiser of a training and its state by parameter name (not by position, as torch keeps it)."""

from typing import Any, assert_never

import torch
from torch import Tensor, nn

from lovt_core.config.training import OptimiserConfig
from lovt_core.errors import RecordError

BETAS = (0.9, 0.999)


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Parameters that the optimiser holds, by name."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def build_optimiser(config: OptimiserConfig, model: nn.Module) -> torch.optim.Optimizer:
    """AdamW (decoupled weight decay) or Adam (L2) over all trainable parameters, one learning rate."""
    parameters = list(trainable_parameters(model).values())
    fused = parameters[0].is_cuda
    rate, decay = config.learning_rate, config.weight_decay
    match config.name:
        case "adamw":
            return torch.optim.AdamW(parameters, lr=rate, betas=BETAS, weight_decay=decay, fused=fused)
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, betas=BETAS, weight_decay=decay, fused=fused)
        case _:
            assert_never(config.name)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Use `rate` from the next step on."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def optimiser_tensors(optimiser: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """All state as tensors named `<state>/<parameter>`; parameters that never had a gradient have none."""
    return {
        f"{key}/{name}": value
        for name, parameter in trainable_parameters(model).items()
        for key, value in optimiser.state.get(parameter, {}).items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put saved state back; raises RecordError when it belongs to another model."""
    parameters = trainable_parameters(model)
    positions = {name: position for position, name in enumerate(parameters)}
    state: dict[int, dict[str, Any]] = {}
    for full_name, value in tensors.items():
        key, name = full_name.split("/", 1)
        if name not in positions:
            raise RecordError(f"the saved optimiser state names a parameter '{name}' that this model lacks")
        state.setdefault(positions[name], {})[key] = _laid_out_like(parameters[name], value)
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """The value in the memory format of its parameter, as the optimiser made it: the same kernels work on it then."""
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value) if value.shape == parameter.shape else value
