"""A method on images alone, with its batches, as something that the training loop can train."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.data.single_images import SingleImages
from lovt_core.methods.description import describe_training
from lovt_core.methods.image_method import ImageMethod
from lovt_core.methods.labelled_batches import LabelledBatch, LabelledBatches
from lovt_core.methods.observing import find_watched, save_probes
from lovt_core.methods.view_batches import ViewBatch, ViewBatches
from lovt_core.models.encoder import set_micro_batch
from lovt_core.training.monitored import monitor


class ImageTraining:
    """A `Trainable` (see `training/trainable.py`) made of a method and its batches."""

    def __init__(
        self,
        experiment: PretrainExperiment,
        images: SingleImages,
        model: ImageMethod,
        batches: ViewBatches | LabelledBatches,
    ) -> None:
        self.model = model
        self.seed = experiment.seed
        self.monitored = monitor(experiment.method.name, find_watched(experiment))
        self.batches_per_epoch = batches.batches_per_epoch
        self.notes: tuple[str, ...] = ()
        """Sentences for the user."""
        self._experiment = experiment
        self._images = images
        self._batches = batches

    def training_batches(self, epoch: int, skip: int) -> Generator[ViewBatch | LabelledBatch, None, None]:
        """The batches of `epoch` from batch index `skip` on."""
        return (yield from self._batches.training_batches(self.seed, epoch, skip))

    def validation_batches(self, epoch: int) -> Iterator[ViewBatch | LabelledBatch]:
        """All validation batches, in order, the same in every epoch."""
        del epoch
        self.model.begin_validation()
        if self.model.observer is not None:
            self.model.observer.begin_validation()
        match self._batches:
            case ViewBatches():
                return self._batches.validation_batches(self.seed)
            case LabelledBatches():
                return self._batches.validation_batches()

    def compute_losses(self, batch: ViewBatch | LabelledBatch) -> dict[str, Tensor]:
        """See the method."""
        return self.model.compute_losses(batch)

    def compute_validation_scores(self) -> Mapping[str, float]:
        """See the method and its observer."""
        observed = {} if self.model.observer is None else self.model.observer.compute_scores()
        return {**self.model.compute_validation_scores(), **observed}

    def set_micro_batch(self, samples: int) -> None:
        """Run the encoders over so many samples at once from now on."""
        set_micro_batch(self.model, samples)

    def before_step(self) -> None:
        """Copies that follow the networks do so now."""
        self.model.before_step()

    def describe(self) -> Mapping[str, Any]:
        """See `describe_training`."""
        return describe_training(self._experiment, self._images)

    def save_beside(self, folder: Path) -> None:
        """The probe, where there is one."""
        if self.model.observer is not None:
            save_probes(self.model.observer.probes, folder)
