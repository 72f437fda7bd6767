"""From the encoder that an experiment names to one that computes features."""

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.config.evaluation import EncoderSource
from lovt_core.errors import InputError
from lovt_core.evaluation.batch_norm import fit_batch_norm
from lovt_core.evaluation.task_data import TaskData
from lovt_core.models.encoder_files.opening import open_encoder_file, open_timm_encoder
from lovt_core.models.image_encoder import ImageEncoder, build_image_encoder, image_encoder_from
from lovt_core.models.trunk import create_trunk, deepest_stride
from lovt_core.training.checkpoint import load_checkpoint
from lovt_core.values import Progress, Workplace


@dataclass(frozen=True)
class GivenEncoder:
    """An encoder whose weights exist before the evaluation: of a run, of ImageNet, of timm, or of a file."""

    encoder: ImageEncoder
    backbone: str
    pretraining: Mapping[str, Any] | None
    """What a run's checkpoint says about its data; None for other encoders."""

    @property
    def pretrained_on(self) -> tuple[str, ...]:
        """Data sets of the pre-training, as far as they are known."""
        return (str(self.pretraining["name"]),) if self.pretraining else ()


@dataclass(frozen=True)
class Subject:
    """What is evaluated."""

    source: EncoderSource
    given: GivenEncoder | None
    """None: random, a new encoder for each replicate."""
    seed: int
    """From which the seeds of the search and of the replicates are drawn."""

    @property
    def backbone(self) -> str:
        """timm model."""
        return self.source.backbone if self.given is None else self.given.backbone

    @property
    def fingerprint(self) -> str:
        """Hex digits of the weights; of a random encoder, of all that its replicates' weights are drawn from."""
        if self.given is not None:
            return self.given.encoder.fingerprint()
        words = f"{self.source.source} {self.source.backbone} {self.seed}"
        return hashlib.sha256(words.encode()).hexdigest()


def is_random(source: EncoderSource) -> bool:
    """Whether every replicate has an encoder of its own (PROTOCOL A.5)."""
    return source.source in ("random", "random-fitted")


def load_encoder(source: EncoderSource, place: Workplace) -> GivenEncoder:
    """The encoder of a source that is not random, as deep as it goes up to stride 32.

    Raises InputError for a run without a checkpoint or without an image encoder, ConfigError for weights that do not
    fit the backbone, MissingWeightsError for weights that are not on this machine.
    """
    if source.source == "imagenet":
        config = ImageEncoderConfig(
            backbone=source.backbone, weights="imagenet", stride=deepest_stride(source.backbone)
        )
        return GivenEncoder(build_image_encoder(config), source.backbone, None)
    if source.source.startswith("timm:"):
        name = source.source.removeprefix("timm:")
        return GivenEncoder(open_timm_encoder(name), name.partition(".")[0], None)
    if is_file(source):
        path = Path(source.source).expanduser()
        return GivenEncoder(open_encoder_file(path, source.backbone), source.backbone, None)
    checkpoint = load_checkpoint(place.find_checkpoint(source.source, source.checkpoint))
    describe = checkpoint.describe
    if "image_encoder" not in describe:
        raise InputError(f"run {source.source} has trained no image encoder: name a pre-training run")
    encoder = image_encoder_from(describe["image_encoder"], checkpoint.load_model())
    return GivenEncoder(encoder, str(describe["image_encoder"]["backbone"]), describe.get("data"))


def build_random_encoder(
    source: EncoderSource, seed: int, data: TaskData, device: str
) -> Generator[Progress, None, ImageEncoder]:
    """A new initialisation; `random-fitted` has batch-norm statistics of the training images."""
    config = ImageEncoderConfig(backbone=source.backbone, weights="random", stride=deepest_stride(source.backbone))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build_image_encoder(config)
    if source.source == "random-fitted":
        yield from fit_batch_norm(encoder, data, device)
    return encoder


def find_channels(subject: Subject) -> Mapping[int, int]:
    """Stride -> width of the features of a subject's encoders."""
    if subject.given is not None:
        return subject.given.encoder.channels
    backbone = subject.source.backbone
    stride = deepest_stride(backbone)
    with torch.device("meta"):
        return ImageEncoder(create_trunk(backbone, stride), stride).channels


def is_file(source: EncoderSource) -> bool:
    """Whether the source is the path of a file, not the id of a run."""
    return source.source.endswith(".safetensors") or Path(source.source).expanduser().is_file()


def row_label(source: EncoderSource) -> str:
    """Name in the comparison: the label, else what the source is called."""
    if source.label:
        return source.label
    if is_random(source) or source.source == "imagenet" or source.source.startswith("timm:"):
        return source.source
    if is_file(source):
        return "/".join(Path(source.source).parts[-2:])
    return source.source if source.checkpoint == "best" else f"{source.source} ({source.checkpoint})"
