"""LoVT and its pairs as something that the training loop can train."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.methods import LovtConfig
from lovt_core.data.pairs import Pairs
from lovt_core.methods.batch import PairedBatch
from lovt_core.methods.description import describe_training
from lovt_core.methods.lovt import Lovt, build_lovt
from lovt_core.methods.observing import build_probes, find_probe_labels, find_watched, save_probes
from lovt_core.methods.paired_batches import BatchSize, PairedBatches
from lovt_core.models.language_models import build_tokenizer
from lovt_core.models.report_tokens import ReportTokenizer
from lovt_core.monitoring.monitors import PairMonitor
from lovt_core.monitoring.observer import Observer
from lovt_core.training.monitored import VALIDATION_LOSS

TOKENIZER_FOLDER = "tokenizer"
"""Folder of the tokenizer in a checkpoint."""


class PairedTraining:
    """A `Trainable` (see `training/trainable.py`) made of a method and its batches."""

    def __init__(self, experiment: PretrainExperiment, pairs: Pairs, model: Lovt, batches: PairedBatches) -> None:
        self.model = model
        self.seed = experiment.seed
        self.monitored = replace(VALIDATION_LOSS, watched=find_watched(experiment))
        self.batches_per_epoch = batches.batches_per_epoch
        self._experiment = experiment
        self._pairs = pairs
        self._batches = batches

    def training_batches(self, epoch: int, skip: int) -> Generator[PairedBatch, None, None]:
        """The batches of `epoch` from batch index `skip` on."""
        return self._batches.training_batches(self.seed, epoch, skip)

    def validation_batches(self, epoch: int) -> Iterator[PairedBatch]:
        """All validation batches, in order."""
        if self.model.observer is not None:
            self.model.observer.begin_validation()
        return self._batches.validation_batches(self.seed, epoch)

    def compute_losses(self, batch: PairedBatch) -> dict[str, Tensor]:
        """See `Lovt.compute_losses`."""
        return self.model.compute_losses(batch)

    def compute_validation_scores(self) -> Mapping[str, float]:
        """Those of the observer."""
        return {} if self.model.observer is None else self.model.observer.compute_scores()

    def before_step(self) -> None:
        """Nothing follows this method's networks."""

    def describe(self) -> Mapping[str, Any]:
        """See `describe_training`."""
        return describe_training(self._experiment, self._pairs)

    def save_beside(self, folder: Path) -> None:
        """The tokenizer, without which the report encoder cannot be used again, and the probes where there are any."""
        tokenizer_folder = folder / TOKENIZER_FOLDER
        tokenizer_folder.mkdir()
        self._batches.tokenizer.save(tokenizer_folder)
        if self.model.observer is not None:
            save_probes(self.model.observer.probes, folder)


def build_paired_training(
    experiment: PretrainExperiment, pairs: Pairs, device: str, checkpoint: Path | None = None
) -> PairedTraining:
    """The method of an experiment on `device`; its first weights are drawn from the experiment's seed.

    With a `checkpoint` folder its tokenizer is used, and no weights are read because those of the checkpoint follow.
    Raises ConfigError where settings do not fit together or the data, MissingWeightsError as the encoders do.
    """
    method = experiment.method
    if not isinstance(method, LovtConfig):
        raise TypeError(f"{method.name} is no method on pairs")
    if checkpoint is None:
        samples = pairs.prepared.samples
        corpus = [sentence for row in pairs.train for sentence in samples[row].sentences]
        tokenizer = build_tokenizer(method.report_encoder, corpus)
    else:
        tokenizer = ReportTokenizer.load(checkpoint / TOKENIZER_FOLDER)
    torch.manual_seed(experiment.seed)
    model = build_lovt(method, tokenizer, pretrained=checkpoint is None).to(device)
    labels = find_probe_labels(experiment, (dict(pairs.prepared.samples[row].findings) for row in pairs.train))
    widths = {"image": model.image_encoder.width, "report": model.report_encoder.width}
    monitor = PairMonitor if experiment.monitoring.embeddings else None
    model.observer = Observer(monitor, build_probes(widths, labels, device, checkpoint))
    size = BatchSize(experiment.training.batch_size, experiment.data.image_size, torch.device(device))
    batches = PairedBatches(pairs, tokenizer, experiment.augmentation, size, labels)
    return PairedTraining(experiment, pairs, model, batches)
