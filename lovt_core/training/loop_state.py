"""Where a training stands between two optimiser steps. Plain JSON values; floats survive to the bit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lovt_core.config.training import TrainingConfig
from lovt_core.training.early_stopping import EarlyStopping
from lovt_core.training.schedule import Plateau


@dataclass(frozen=True)
class LoopState:
    """Position of the loop and everything that later decisions depend on."""

    plateau: Plateau
    early_stopping: EarlyStopping
    step: int = 0
    """Optimiser steps done."""
    epoch: int = 0
    """Epochs done, validation included."""
    batch: int = 0
    """Batches of the running epoch done."""
    epoch_sums: Mapping[str, float] = field(default_factory=dict)
    """Sums of each loss over those batches."""
    validated_step: int = -1
    """Step of the latest validation."""
    best_loss: float | None = None
    """Smallest `val/loss`."""
    best_checkpoint: str | None = None


def initial_state(config: TrainingConfig) -> LoopState:
    """The state before the first step."""
    stopping = config.early_stopping
    return LoopState(
        plateau=Plateau(config.optimiser.learning_rate, config.schedule.factor, config.schedule.patience),
        early_stopping=EarlyStopping(config.max_epochs + 1)
        if stopping is None
        else EarlyStopping(stopping.patience, stopping.min_delta),
    )


def state_to_json(state: LoopState) -> dict[str, Any]:
    """JSON values of a state."""
    return asdict(state)


def state_from_json(document: Mapping[str, Any], config: TrainingConfig) -> LoopState:
    """The saved state under `config`: what a rule has seen is kept, what it was told comes from the experiment."""
    fresh = initial_state(config)
    plateau, stopping = document["plateau"], document["early_stopping"]
    return LoopState(
        **{
            **document,
            "plateau": Plateau(
                plateau["learning_rate"],
                fresh.plateau.factor,
                fresh.plateau.patience,
                best=plateau["best"],
                waited=plateau["waited"],
            ),
            "early_stopping": EarlyStopping(
                fresh.early_stopping.patience,
                fresh.early_stopping.min_delta,
                best=stopping["best"],
                waited=stopping["waited"],
            ),
        }
    )
