"""Weights of a training as immutable folders `<step>-a<attempt>/`, each with what rebuilds its model."""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lovt_core.files import publish_folder
from lovt_core.training.sealed_folder import load_tensors, open_sealed, save_tensors, seal

MODEL_FILE = "model.safetensors"
DOCUMENT = "checkpoint.json"
STATE_SUFFIX = ".state"
ENCODER_SUFFIX = ".encoder"
ENCODER = "image_encoder"
"""Part of the models that is evaluated; its tensors' names begin so."""
_NAME = re.compile(r"(\d+)-a(\d+)")


@dataclass(frozen=True)
class Checkpoint:
    """A whole, verified checkpoint folder."""

    folder: Path
    step: int
    """Optimiser steps done."""
    epoch: int
    """Epochs done."""
    describe: Mapping[str, Any]
    """What the trained method said of itself: see `Trainable.describe`."""
    files: Mapping[str, str]
    """sha256 by file name."""

    def load_model(self) -> dict[str, Tensor]:
        """All parameters and buffers, on the CPU."""
        return load_tensors(self.folder / MODEL_FILE)


def checkpoint_name(step: int, attempt: int) -> str:
    """Folder name of the checkpoint that `attempt` saves after `step` optimiser steps."""
    return f"{step}-a{attempt}"


def save_checkpoint(
    folder: Path, model: nn.Module, content: Mapping[str, Any], save_beside: Callable[[Path], None]
) -> None:
    """Publish a new checkpoint folder, all or nothing. `content` has step, epoch and describe.

    Raises LovtError when the disk is full or refuses.
    """
    with publish_folder(folder) as temporary:
        save_tensors(temporary / MODEL_FILE, _model_tensors(model))
        save_beside(temporary)
        seal(temporary, DOCUMENT, content)


def save_encoder(folder: Path) -> str | None:
    """Publish the image encoder of a checkpoint beside it and give its name; None where its model has none.

    Raises RecordError for a damaged checkpoint, LovtError when the disk refuses.
    """
    target = folder.with_name(folder.name + ENCODER_SUFFIX)
    checkpoint = load_checkpoint(folder)
    if ENCODER not in checkpoint.describe:
        return None
    if not target.exists():
        kept = {name: tensor for name, tensor in checkpoint.load_model().items() if name.startswith(f"{ENCODER}.")}
        content = {"step": checkpoint.step, "epoch": checkpoint.epoch, "describe": dict(checkpoint.describe)}
        with publish_folder(target) as temporary:
            save_tensors(temporary / MODEL_FILE, kept)
            seal(temporary, DOCUMENT, content)
    return target.name


def load_checkpoint(folder: Path) -> Checkpoint:
    """Open and verify a checkpoint folder; raises RecordError saying what is damaged or missing."""
    content, files = open_sealed(folder, DOCUMENT)
    return Checkpoint(folder, content["step"], content["epoch"], content["describe"], files)


def checkpoint_names(checkpoints: Path) -> list[str]:
    """Names of the checkpoint folders there, newest first (by step, then attempt); whole or not."""
    if not checkpoints.is_dir():
        return []
    found = [match for path in checkpoints.iterdir() if (match := _NAME.fullmatch(path.name))]
    return [match[0] for match in sorted(found, key=lambda match: (int(match[1]), int(match[2])), reverse=True)]


def discard_checkpoints(checkpoints: Path, keep: set[str], keep_states: bool = True) -> None:
    """Remove all checkpoint folders except those named, and what a killed attempt left half-written."""
    kept = keep | {name + STATE_SUFFIX for name in keep} if keep_states else keep
    for path in checkpoints.iterdir():
        name = path.name.removesuffix(STATE_SUFFIX).removesuffix(ENCODER_SUFFIX)
        is_leftover = path.name.startswith(".") and path.name.endswith(".tmp")
        if is_leftover or (_NAME.fullmatch(name) and path.name not in kept):
            shutil.rmtree(path, ignore_errors=True)


def _model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """All parameters and buffers by name; those that share memory are written once for each name."""
    seen: set[int] = set()
    tensors: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        address = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.clone() if address in seen else tensor
        seen.add(address)
    return tensors
