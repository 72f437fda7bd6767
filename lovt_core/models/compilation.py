"""torch.compile of the encoders, in place: names of parameters and checkpoints stay what they are."""

import torch
from torch import nn

from lovt_core.errors import ConfigError
from lovt_core.models.encoder import Encoder


def compile_encoders(model: nn.Module) -> None:
    """Compile the networks of all encoders of a method, copies that follow them too; done at their first batches.

    Raises ConfigError where this machine cannot compile for the model's device: it needs a C++ compiler, for a GPU also
    Triton.
    """
    _check_compiler(next(model.parameters()).device)
    for module in model.modules():
        if isinstance(module, Encoder):
            module.network.compile()


def _check_compiler(device: torch.device) -> None:
    try:
        torch.compile(torch.sin, fullgraph=True)(torch.zeros(8, device=device))
    except Exception as error:  # whatever a missing or broken compiler raises
        problem = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"training.compile needs a C++ compiler, and Triton on a GPU, that this machine lacks ({problem}): "
            "set it to false"
        ) from error
