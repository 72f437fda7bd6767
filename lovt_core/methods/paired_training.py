"""LoVT and its pairs as something that the training loop can train."""

from collections.abc import Generator, Iterator, Mapping
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
from lovt_core.models.compilation import compile_encoders
from lovt_core.models.encoder import set_micro_batch
from lovt_core.models.language_models import build_tokenizer
from lovt_core.models.report_tokens import ReportTokenizer
from lovt_core.monitoring.monitors import PairMonitor
from lovt_core.monitoring.observer import Observer
from lovt_core.training.gathering import gather_from_ranks
from lovt_core.training.monitored import monitor
from lovt_core.training.sharing import WHOLE, Share

TOKENIZER_FOLDER = "tokenizer"
"""Folder of the tokenizer in a checkpoint."""
TOKEN_BUCKET = 16
"""Padded lengths of reports are multiples of it where kernels are chosen or compiled for each length."""


class PairedTraining:
    """A `Trainable` (see `training/trainable.py`) made of a method and its batches."""

    def __init__(self, experiment: PretrainExperiment, pairs: Pairs, model: Lovt, batches: PairedBatches) -> None:
        self.model = model
        self.seed = experiment.seed
        self.monitored = monitor(experiment.method.name, find_watched(experiment))
        self.batches_per_epoch = batches.batches_per_epoch
        self.notes = _describe_cut(batches, len(pairs.train) + len(pairs.validation))
        """Sentences for the user."""
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

    def set_micro_batch(self, samples: int) -> None:
        """Run the encoders over so many samples at once from now on."""
        set_micro_batch(self.model, samples)

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


def _describe_cut(batches: PairedBatches, num_reports: int) -> tuple[str, ...]:
    if not batches.num_cut:
        return ()
    return (
        f"{batches.num_cut} of {num_reports} reports have more than method.report_encoder.max_tokens "
        f"({batches.tokenizer.max_tokens}) tokens: the sentences that do not fit are left out",
    )


def build_paired_training(
    experiment: PretrainExperiment, pairs: Pairs, device: str, checkpoint: Path | None = None, share: Share = WHOLE
) -> PairedTraining:
    """The method of an experiment on `device`; its first weights are drawn from the experiment's seed.

    With a `checkpoint` folder its tokenizer is used, and no weights are read because those of the checkpoint follow.
    `share` as of `build_training`.
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
    if share.of == "batch":
        model.gather = gather_from_ranks
    if experiment.training.compile:
        compile_encoders(model)
    labels = find_probe_labels(experiment, (dict(pairs.prepared.samples[row].findings) for row in pairs.train))
    widths = {"image": model.image_encoder.width, "report": model.report_encoder.width}
    monitor = PairMonitor if experiment.monitoring.embeddings else None
    model.observer = Observer(monitor, build_probes(widths, labels, device, checkpoint))
    size = _batch_size(experiment, torch.device(device), share)
    batches = PairedBatches(pairs, tokenizer, experiment.augmentation, size, labels)
    return PairedTraining(experiment, pairs, model, batches)


def _batch_size(experiment: PretrainExperiment, device: torch.device, share: Share) -> BatchSize:
    training = experiment.training
    bucket = TOKEN_BUCKET if training.compile or device.type == "cuda" else 1
    return BatchSize(training.batch_size, experiment.data.image_size, device, share, bucket)
