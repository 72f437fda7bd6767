"""Small trainings for tests of the loop, and what they have said."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.config.training import TrainingConfig
from lovt_core.training.monitored import VALIDATION_LOSS
from lovt_core.values import CheckpointSaved, Metrics, Value, Workplace

PlaceFactory = Callable[..., Workplace]
ExperimentFactory = Callable[..., SelftestExperiment]


def losses_by_step(values: Iterable[Value]) -> dict[tuple[int, str], float]:
    """All losses, by (step, name); times are left out."""
    return {
        (value.step, name): number
        for value in values
        if isinstance(value, Metrics)
        for name, number in value.values.items()
        if not name.startswith("time/")
    }


def find_saved(values: Iterable[Value]) -> list[CheckpointSaved]:
    return [value for value in values if isinstance(value, CheckpointSaved)]


class LinearBatches:
    """A linear model on given batches; remembers every learning rate and the batches of each epoch."""

    seed = 0
    monitored = VALIDATION_LOSS

    def __init__(self, num_batches: int, validation: list[float] | None = None) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(4, 1)
        self.batches_per_epoch = num_batches
        self.data = torch.randn(num_batches, 6, 4)
        self.validation = validation

    def training_batches(self, epoch: int, skip: int) -> Iterator[Any]:
        yield from self.data[skip:]

    def validation_batches(self, epoch: int) -> Iterator[Any]:
        yield epoch if self.validation else self.data[0]

    def compute_losses(self, batch: Any) -> dict[str, Tensor]:
        if isinstance(batch, int):
            assert self.validation is not None
            return {"loss": torch.tensor(self.validation[batch])}
        return {"loss": self.model(batch).square().mean(), "size": torch.tensor(float(len(batch)))}

    def compute_validation_scores(self) -> dict[str, float]:
        return {}

    def before_step(self) -> None:
        pass

    def describe(self) -> dict[str, Any]:
        return {"method": "linear"}

    def save_beside(self, folder: Path) -> None:
        (folder / "beside.txt").write_text("beside")


def make_config(**training: Any) -> TrainingConfig:
    base = {"accumulate": 1, "max_epochs": 3, "precision": "fp32", "device": "cpu"}
    return TrainingConfig.model_validate(base | training)
