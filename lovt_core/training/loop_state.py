"""Where a training stands between two optimiser steps. Plain JSON values; floats survive to the bit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lovt_core.config.training import TrainingConfig
from lovt_core.monitoring.collapse import Collapse
from lovt_core.training.early_stopping import EarlyStopping
from lovt_core.training.schedule import Mode, Plateau


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
    """Best value of what is monitored, as a rule the smallest `val/loss`."""
    best_checkpoint: str | None = None
    collapses: Mapping[str, Collapse] = field(default_factory=dict)
    """What was too low at the latest validation, by metric."""


def initial_state(config: TrainingConfig, mode: Mode = "min") -> LoopState:
    """The state before the first step; `mode` says which values of what is monitored are the better ones."""
    stopping, schedule = config.early_stopping, config.schedule
    return LoopState(
        plateau=Plateau(config.optimiser.learning_rate, schedule.factor, schedule.patience, mode),
        early_stopping=EarlyStopping(config.max_epochs + 1, mode=mode)
        if stopping is None
        else EarlyStopping(stopping.patience, stopping.min_delta, mode),
    )


def state_to_json(state: LoopState) -> dict[str, Any]:
    """JSON values of a state."""
    return asdict(state)


def state_from_json(document: Mapping[str, Any], config: TrainingConfig, mode: Mode = "min") -> LoopState:
    """The saved state under `config`: what a rule has seen is kept, what it was told comes from the experiment."""
    fresh = initial_state(config, mode)
    plateau, stopping = document["plateau"], document["early_stopping"]
    return LoopState(
        **{
            **document,
            "plateau": Plateau(
                plateau["learning_rate"],
                fresh.plateau.factor,
                fresh.plateau.patience,
                mode,
                best=plateau["best"],
                waited=plateau["waited"],
            ),
            "early_stopping": EarlyStopping(
                fresh.early_stopping.patience,
                fresh.early_stopping.min_delta,
                mode,
                best=stopping["best"],
                waited=stopping["waited"],
            ),
            "collapses": {name: Collapse(**each) for name, each in document.get("collapses", {}).items()},
        }
    )
