"""One head in training: its settings, its state between epochs and what comes out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from lovt_core.evaluation.protocol import Protocol
from lovt_core.evaluation.training.batches import TaskInputs
from lovt_core.training.early_stopping import EarlyStopping
from lovt_core.training.optimiser import BETAS, set_learning_rate
from lovt_core.training.schedule import Plateau

WEIGHT_DECAY: Final = 1e-6
PLATEAU_FACTOR: Final = 0.5
PLATEAU_PATIENCE: Final = 3


@dataclass(frozen=True)
class Candidate:
    """A head to train: `seed` draws its first weights and its order of images."""

    learning_rate: float
    seed: int
    inputs: TaskInputs


@dataclass(frozen=True)
class TrainedHead:
    """A head at its best epoch."""

    index: int
    """Position among the candidates."""
    state: Mapping[str, Tensor]
    """Its parameters and buffers."""
    validation: float
    """Validation metric of the best epoch."""
    best_epoch: int
    """Counted from 1; the earlier of equals."""
    num_epochs: int
    """Epochs trained in all."""


class CandidateState:
    """Optimiser, schedule, early stopping and best weights of one candidate."""

    def __init__(self, candidate: Candidate, protocol: Protocol) -> None:
        self.candidate = candidate
        self.num_steps = 0
        """Optimiser steps taken."""
        self.has_diverged = False
        """Whether every recent step overflowed: the training ends with the best epoch so far."""
        self._stopping = EarlyStopping(protocol.task.patience, mode="max")
        self._plateau = Plateau(candidate.learning_rate, PLATEAU_FACTOR, PLATEAU_PATIENCE)
        self._best = float("-inf")
        self._best_epoch = 0
        self._best_state: Mapping[str, Tensor] = {}

    def attach(self, parameters: Iterable[nn.Parameter]) -> None:
        """Optimise these."""
        parameters = list(parameters)
        self.optimiser = torch.optim.Adam(
            parameters, self._plateau.learning_rate, BETAS, weight_decay=WEIGHT_DECAY, fused=True
        )

    def is_better(self, validation_metric: float) -> bool:
        """Whether this beats every epoch so far."""
        return validation_metric > self._best

    def keep(self, epoch: int, validation_metric: float, state: Mapping[str, Tensor]) -> None:
        """These are the best weights so far."""
        self._best, self._best_epoch, self._best_state = validation_metric, epoch, state

    def after_epoch(self, validation_loss: float, validation_metric: float) -> bool:
        """Adapt the learning rate; True: the training is over."""
        self._plateau = self._plateau.after(validation_loss)
        set_learning_rate(self.optimiser, self._plateau.learning_rate)
        self._stopping = self._stopping.after(validation_metric)
        return self._stopping.is_over or self.has_diverged

    def finish(self, index: int, num_epochs: int) -> TrainedHead:
        """What came out, after at least one epoch."""
        return TrainedHead(index, self._best_state, self._best, self._best_epoch, num_epochs)
