"""The part of a training that is needed only to go on with it, in `<step>-a<attempt>.state/`, and finding it again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from lovt_core.errors import NoCheckpointError, RecordError
from lovt_core.files import publish_folder
from lovt_core.training.checkpoint import STATE_SUFFIX, Checkpoint, checkpoint_names, load_checkpoint
from lovt_core.training.sealed_folder import load_tensors, open_sealed, save_tensors, seal

DOCUMENT = "state.json"
OPTIMISER_FILE = "optimiser.safetensors"
RANDOM_FILE = "random.safetensors"


@dataclass(frozen=True)
class TrainingState:
    """Optimiser and generator tensors, and JSON values by part (loop, precision, random)."""

    optimiser: dict[str, Tensor]
    random: dict[str, Tensor]
    document: dict[str, Any]


@dataclass(frozen=True)
class ResumePoint:
    """A checkpoint whose weights and state are both whole, and why newer ones are not used."""

    checkpoint: Checkpoint
    state: TrainingState
    damages: tuple[str, ...] = ()


def save_state(folder: Path, state: TrainingState) -> None:
    """Publish a state folder, all or nothing; raises LovtError when the disk is full or refuses."""
    with publish_folder(folder) as temporary:
        save_tensors(temporary / OPTIMISER_FILE, state.optimiser)
        save_tensors(temporary / RANDOM_FILE, state.random)
        seal(temporary, DOCUMENT, state.document)


def load_state(folder: Path) -> TrainingState:
    """Read a state folder; raises RecordError saying what is damaged or missing."""
    document, _ = open_sealed(folder, DOCUMENT)
    return TrainingState(load_tensors(folder / OPTIMISER_FILE), load_tensors(folder / RANDOM_FILE), document)


def newest_whole_checkpoint(checkpoints: Path, last: str) -> ResumePoint:
    """`last`, or where it is damaged the newest whole one beside it; raises RecordError when there is none."""
    others = [name for name in checkpoint_names(checkpoints) if name != last]
    damages: list[str] = []
    for name in [last, *others]:
        try:
            checkpoint = load_checkpoint(checkpoints / name)
            state = load_state(checkpoints / (name + STATE_SUFFIX))
        except RecordError as error:
            damages.append(str(error))
        else:
            return ResumePoint(checkpoint, state, tuple(damages))
    raise NoCheckpointError(f"no whole checkpoint is left to go on from: {'; '.join(damages)}")
