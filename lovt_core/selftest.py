"""A stand-in workload: the real loop and checkpoints around a model of one layer, on random numbers."""

import os
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.errors import ConfigError
from lovt_core.training.loop import train
from lovt_core.training.monitored import VALIDATION_LOSS
from lovt_core.training.sharing import WHOLE, Share, build_share
from lovt_core.values import Note, Value, Workplace

CHILD_SECONDS = 120.0
DROPOUT = 0.1


def selftest(experiment: SelftestExperiment, place: Workplace) -> Iterator[Value]:
    """Train one linear layer; see `SelftestConfig` for the disturbances it can make."""
    if experiment.selftest.fork_child:
        yield Note(f"forked a child that sleeps for {CHILD_SECONDS:.0f} seconds: process {_fork_sleeping_child()}")
    share = build_share(experiment.training, place.rank, place.num_ranks)
    yield from train(_Regression(experiment, torch.device(place.device), share), experiment.training, place)


def _fork_sleeping_child() -> int:
    process_id = os.fork()
    if process_id == 0:
        time.sleep(CHILD_SECONDS)
        os._exit(0)
    return process_id


class _Regression:
    """A `Trainable`: a linear map of random numbers is learned back, with dropout so that generators matter."""

    def __init__(self, experiment: SelftestExperiment, device: torch.device, share: Share = WHOLE) -> None:
        self.seed = experiment.seed
        self.monitored = VALIDATION_LOSS
        self._experiment = experiment
        self._share = share
        generator = torch.Generator().manual_seed(experiment.seed)
        width = experiment.selftest.width
        torch.manual_seed(experiment.seed)
        self.model = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(width, 1)).to(device)
        self._inputs = torch.randn(experiment.selftest.samples, width, generator=generator).to(device)
        self._targets = self._inputs @ torch.randn(width, 1, generator=generator).to(device)
        self.batches_per_epoch = experiment.selftest.samples // experiment.training.batch_size
        if not self.batches_per_epoch:
            raise ConfigError("selftest.samples must be at least training.batch_size")

    def training_batches(self, epoch: int, skip: int) -> Generator[tuple[Tensor, Tensor], None, None]:
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self._inputs))
        size = self._experiment.training.batch_size
        for index in self._share.batch_indices(skip, self.batches_per_epoch):
            rows = torch.from_numpy(order[index * size : (index + 1) * size][self._share.part(size)])
            is_failing = self._step_of(epoch, index) == self._experiment.selftest.fail_at_step
            yield self._inputs[rows], self._targets[rows] * (float("nan") if is_failing else 1.0)

    def validation_batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        del epoch  # the same numbers each time
        yield self._inputs, self._targets

    def compute_losses(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        if self.model.training:
            time.sleep(self._experiment.selftest.seconds_per_step / self._experiment.training.accumulate)
        inputs, targets = batch
        return {"loss": nn.functional.mse_loss(self.model(inputs), targets)}

    def compute_validation_scores(self) -> Mapping[str, float]:
        return {}

    def set_micro_batch(self, samples: int) -> None:
        """This model has no encoders."""

    def before_step(self) -> None:
        """Nothing follows this model."""

    def describe(self) -> Mapping[str, Any]:
        return {"method": "selftest", "width": self._experiment.selftest.width}

    def save_beside(self, folder: Path) -> None:
        """Nothing but the weights belongs to this model."""

    def _step_of(self, epoch: int, batch: int) -> int:
        accumulate = self._experiment.training.accumulate
        steps_per_epoch = -(-self.batches_per_epoch // accumulate)
        return epoch * steps_per_epoch + batch // accumulate + 1
