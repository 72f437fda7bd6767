"""The tensors of a file with weights, by name, whatever tool wrote it."""

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lovt_core.errors import ConfigError
from lovt_core.models.encoder_files.unpickling import load_inertly

WRAPPERS: Final = ("state_dict", "model", "model_state_dict", "net", "encoder")
"""Keys under which tools put the tensors, the outer ones first."""
_READING_ERRORS: Final = (
    *(pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError),
    *(IndexError, AssertionError, OverflowError, struct.error),
)
"""What torch raises for foreign classes and for damaged files."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file or of what `torch.save` wrote.

    Raises ConfigError for a file that is neither, is damaged, or holds no tensors under names.
    """
    if not path.is_file():
        raise ConfigError(f"there is no file {path}")
    tensors = _find_tensors(_read(path))
    if not tensors:
        raise ConfigError(f"{path} holds no tensors under names: it must be a state file or a checkpoint")
    return tensors


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        beginning = file.read(9)
    if path.suffix == ".safetensors" or beginning[8:9] == b"{":
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise ConfigError(f"{path} is not a safetensors file: {error}") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except _READING_ERRORS:
        return load_inertly(path)  # foreign classes, or damaged: the next reader says which


def _find_tensors(content: Any, depth: int = len(WRAPPERS)) -> dict[str, Tensor]:
    """Those of the innermost wrapper: what stands beside it (a best score, a step) is no weight.

    `depth` ends the search in content that contains itself.
    """
    if depth == 0 or not isinstance(content, Mapping):
        return {}
    for key in WRAPPERS:
        if inner := _find_tensors(content.get(key), depth - 1):
            return inner
    return {
        name: value.detach() for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)
    }
