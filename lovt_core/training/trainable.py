"""What the loop trains: a model together with its batches and losses. Methods and the self-test provide it."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from lovt_core.training.monitored import Monitored


class Trainable(Protocol):
    """A model, its data and its losses; the loop knows nothing else of a method.

    Batches of an epoch depend on (seed, epoch, batch index) alone, so that a resumed training sees the same ones.
    """

    @property
    def model(self) -> nn.Module:
        """Everything that is trained and saved, on the training device."""

    @property
    def seed(self) -> int:
        """Seed of the random generators when a training begins (and of the data, inside)."""

    @property
    def monitored(self) -> Monitored:
        """What the training is judged by."""

    @property
    def batches_per_epoch(self) -> int:
        """Number of training batches in each epoch, at least 1."""

    def training_batches(self, epoch: int, skip: int) -> Generator[Any, None, None]:
        """The batches of `epoch` (counted from 0) from batch index `skip` on."""

    def validation_batches(self, epoch: int) -> Iterator[Any]:
        """All validation batches, in order, at least one."""

    def compute_losses(self, batch: Any) -> dict[str, Tensor]:
        """Scalars by name; `loss` is the one that is minimised, the others are only reported."""

    def compute_validation_scores(self) -> Mapping[str, float]:
        """Scores of all validation batches since the first one together, beside the means of `compute_losses`."""

    def set_micro_batch(self, samples: int) -> None:
        """Run the encoders over so many samples of a batch at once from now on; losses still see all of them."""

    def before_step(self) -> None:
        """Called once per optimiser step: its gradients are there, the parameters are still the old ones."""

    def describe(self) -> Mapping[str, Any]:
        """JSON values that suffice to rebuild the model from its tensors; they go into `checkpoint.json`."""

    def save_beside(self, folder: Path) -> None:
        """Write what else belongs into a checkpoint folder (a tokenizer); may write nothing."""
