"""One head in training: its settings, its state between epochs and what comes out.

Shapes: N training images, D feature channels, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lovt_core.evaluation.probe_data import ProbeData
from lovt_core.training.early_stopping import EarlyStopping
from lovt_core.training.optimiser import set_learning_rate
from lovt_core.training.schedule import Plateau

WEIGHT_DECAY = 1e-6
PLATEAU_FACTOR = 0.5
PLATEAU_PATIENCE = 3


@dataclass(frozen=True)
class Candidate:
    """A head to train: `seed` draws its first weights and its order of images."""

    learning_rate: float
    seed: int
    data: ProbeData


@dataclass(frozen=True)
class TrainedHead:
    """A head at its best epoch."""

    index: int
    """Position among the candidates."""
    weight: Tensor
    """(C, D)."""
    bias: Tensor
    """(C,)."""
    validation: float
    """Validation metric of the best epoch."""
    best_epoch: int
    """Counted from 1; the earlier of equals."""
    num_epochs: int
    """Epochs trained in all."""


class CandidateState:
    """Optimiser, schedule, early stopping and best weights of one candidate."""

    def __init__(self, candidate: Candidate, patience: int) -> None:
        self.candidate = candidate
        self.generator = torch.Generator().manual_seed(candidate.seed)
        self._stopping = EarlyStopping(patience, mode="max")
        self._plateau = Plateau(candidate.learning_rate, PLATEAU_FACTOR, PLATEAU_PATIENCE)
        self._best = float("-inf")
        self._best_epoch = 0

    def attach(self, parameters: tuple[nn.Parameter, nn.Parameter]) -> None:
        """Optimise these: weight (C, D) and bias (C)."""
        self._parameters = parameters
        self._optimiser = torch.optim.Adam(parameters, lr=self.candidate.learning_rate, weight_decay=WEIGHT_DECAY)

    def draw_order(self) -> Tensor:
        """Rows of the training images (N,) in the order of the next epoch, on their device."""
        training = self.candidate.data.training
        return torch.randperm(training.num_images, generator=self.generator).to(training.features.device)

    def step(self) -> None:
        """One optimiser step with the gradients at hand, which are then dropped."""
        self._optimiser.step()
        self._optimiser.zero_grad()

    def after_epoch(self, epoch: int, validation_loss: float, validation_metric: float) -> bool:
        """Keep the weights if they are the best, adapt the learning rate; True: the training is over."""
        if validation_metric > self._best:
            self._best, self._best_epoch = validation_metric, epoch
            self._weight, self._bias = (parameter.detach().clone() for parameter in self._parameters)
        self._plateau = self._plateau.after(validation_loss)
        set_learning_rate(self._optimiser, self._plateau.learning_rate)
        self._stopping = self._stopping.after(validation_metric)
        return self._stopping.is_over

    def finish(self, index: int, num_epochs: int) -> TrainedHead:
        """What came out, after at least one epoch."""
        return TrainedHead(index, self._weight, self._bias, self._best, self._best_epoch, num_epochs)
