"""From an experiment and its data to what the loop trains: one arm for each method."""

from pathlib import Path
from typing import assert_never

import torch

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.methods import (
    ByolConfig,
    LovtConfig,
    MethodConfig,
    PixelproConfig,
    SimclrConfig,
    SupervisedConfig,
)
from lovt_core.data.pairs import Pairs
from lovt_core.data.single_images import SingleImages
from lovt_core.data.training_data import TrainingData
from lovt_core.methods.byol import Byol
from lovt_core.methods.image_method import ImageMethod
from lovt_core.methods.image_training import ImageTraining
from lovt_core.methods.labelled_batches import LabelledBatches
from lovt_core.methods.observing import build_probes, find_probe_labels
from lovt_core.methods.paired_batches import BatchSize
from lovt_core.methods.paired_training import PairedTraining, build_paired_training
from lovt_core.methods.pixelpro import Pixelpro
from lovt_core.methods.simclr import Simclr
from lovt_core.methods.supervised import Supervised
from lovt_core.methods.view_batches import ViewBatches
from lovt_core.models.image_encoder import build_image_encoder
from lovt_core.monitoring.monitors import ImageMonitor
from lovt_core.monitoring.observer import Observer

Training = PairedTraining | ImageTraining


def build_training(
    experiment: PretrainExperiment, data: TrainingData, device: str, checkpoint: Path | None = None
) -> Training:
    """The method of an experiment on `device`; its first weights are drawn from the experiment's seed.

    `data` is that of `open_training_data`. With a `checkpoint` folder no weights are read, because those of the
    checkpoint follow. Raises ConfigError where settings do not fit together or the data, MissingWeightsError as the
    encoders do.
    """
    if isinstance(data, Pairs):
        return build_paired_training(experiment, data, device, checkpoint)
    torch.manual_seed(experiment.seed)
    model = build_image_method(experiment.method, pretrained=checkpoint is None).to(device)
    labels = find_probe_labels(experiment, (data.findings[image] for image in data.train))
    probes = build_probes({"image": model.image_encoder.width}, labels, device, checkpoint)
    model.observer = Observer(ImageMonitor if experiment.monitoring.embeddings else None, probes)
    return ImageTraining(experiment, data, model, _build_batches(experiment, data, torch.device(device), labels))


def build_image_method(config: MethodConfig, pretrained: bool = True) -> ImageMethod:
    """The method of a config; new weights come from the global generator. Raises TypeError for a paired one."""
    match config:
        case LovtConfig():
            raise TypeError(f"{config.name} is no method on images alone")
        case SimclrConfig():
            return Simclr(build_image_encoder(config.image_encoder, pretrained), config)
        case ByolConfig():
            return Byol(build_image_encoder(config.image_encoder, pretrained), config)
        case PixelproConfig():
            return Pixelpro(build_image_encoder(config.image_encoder, pretrained), config)
        case SupervisedConfig():
            return Supervised(build_image_encoder(config.image_encoder, pretrained), config)
        case _:
            assert_never(config)


def _build_batches(
    experiment: PretrainExperiment, images: SingleImages, device: torch.device, probed: tuple[str, ...]
) -> ViewBatches | LabelledBatches:
    size = BatchSize(experiment.training.batch_size, experiment.data.image_size, device)
    method, augmentation = experiment.method, experiment.augmentation
    if isinstance(method, SupervisedConfig):
        return LabelledBatches(images, method.labels, augmentation.image, size)
    if augmentation.views is None:
        raise TypeError(f"{method.name} has no views to compare")
    return ViewBatches(images, augmentation.views, size, probed)
