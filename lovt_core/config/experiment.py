"""The experiment file: what one run does. Three kinds, told apart by `kind`."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lovt_core.config.base import Device, Section
from lovt_core.config.data import AugmentationConfig, PairedDataConfig
from lovt_core.config.encoders import ImageEncoderConfig, Padding, ProjectionConfig, ReportEncoderConfig
from lovt_core.config.objective import ObjectiveConfig
from lovt_core.config.split_names import SplitName
from lovt_core.config.training import TrainingConfig


def _fits_in_a_path(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise ValueError(
            f"'{name}' is not a name: give small letters, digits, '.', '_' and '-', at most 64, "
            "the first a letter or a digit"
        )
    return name


Name = Annotated[str, AfterValidator(_fits_in_a_path)]


class LovtConfig(Section):
    """LoVT; ConVIRT and CLIP are settings of it."""

    name: Literal["lovt"] = "lovt"
    image_encoder: ImageEncoderConfig = ImageEncoderConfig()
    report_encoder: ReportEncoderConfig = ReportEncoderConfig()
    projection: ProjectionConfig = ProjectionConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    padding: Padding = "ignored"
    """`published` lets padded sentences into the pooling query and the batch norms, as the authors' code does."""

    @model_validator(mode="after")
    def _losses_fit_encoders(self) -> "LovtConfig":
        objective = self.objective
        if objective.global_ is None and objective.regions is None and objective.sentences is None:
            raise ValueError("objective has no loss: give at least one of global, regions, sentences")
        if objective.local_weights == "attention":
            for loss, encoder in (("regions", "image_encoder"), ("sentences", "report_encoder")):
                if getattr(objective, loss) is not None and getattr(self, encoder).pooling != "attention":
                    raise ValueError(
                        f"objective.local_weights 'attention' needs {encoder}.pooling 'attention' for the {loss} loss; "
                        "set local_weights to 'uniform'"
                    )
        return self


class PretrainExperiment(Section):
    """Pre-train an image encoder on image-report pairs."""

    kind: Literal["pretrain"] = "pretrain"
    name: Name
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 12345
    data: PairedDataConfig
    augmentation: AugmentationConfig = AugmentationConfig()
    method: LovtConfig = LovtConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _batches_hold_negatives(self) -> "PretrainExperiment":
        if self.training.batch_size < 2:
            raise ValueError("training.batch_size must be at least 2: the other pairs of a batch are the negatives")
        return self


class EncoderSource(Section):
    """The encoder under evaluation."""

    source: str
    """`random`, `random-fitted` (batch-norm statistics fitted to the training images), `imagenet`, the id of a
    pre-training run, or the path of a safetensors file."""
    checkpoint: Literal["best", "last"] = "best"
    backbone: str = "resnet50"
    """timm model of `random`, `random-fitted`, `imagenet` and files; a run brings its own."""
    label: str | None = None
    """Row name in the comparison; the source by default."""


class EvaluationSettings(Section):
    """What the protocol fixes; any other value makes another protocol, named in each cell."""

    image_size: Annotated[int, Field(ge=32)] = 224
    stride: Literal[4, 8, 16, 32] = 32
    """Stride of the features that a linear head reads (32: conv5)."""
    normalisation: Literal["dataset", "image"] = "dataset"
    replicates: Annotated[int, Field(ge=1)] = 5
    max_epochs: Annotated[int, Field(ge=1)] | None = None
    """Instead of the task's own number of epochs."""
    learning_rates: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] | None = None
    """Instead of the task's own grid."""


class EvaluateExperiment(Section):
    """Judge one encoder on localized tasks."""

    kind: Literal["evaluate"] = "evaluate"
    name: Name
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 12345
    encoder: EncoderSource
    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    split: SplitName = "auto"
    settings: EvaluationSettings = EvaluationSettings()
    device: Device = "auto"


class SelftestConfig(Section):
    """A regression of random numbers by one linear layer."""

    width: Annotated[int, Field(ge=1)] = 8
    samples: Annotated[int, Field(ge=1)] = 64
    seconds_per_step: Annotated[float, Field(ge=0)] = 0.0
    fork_child: bool = False
    """Fork a child that sleeps on after the worker has ended."""
    fail_at_step: int | None = None
    """Make the loss NaN at this step."""


class SelftestExperiment(Section):
    """Real worker, loop and checkpoints around a model of one layer: checks a machine without any data."""

    kind: Literal["selftest"] = "selftest"
    name: Name = "selftest"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 12345
    selftest: SelftestConfig = SelftestConfig()
    training: TrainingConfig = TrainingConfig(batch_size=8, accumulate=1, max_epochs=5, precision="fp32", device="cpu")


Experiment = Annotated[PretrainExperiment | EvaluateExperiment | SelftestExperiment, Field(discriminator="kind")]


def asked_device(experiment: Experiment) -> str:
    """The device that an experiment asks for: `auto`, `cpu` or `cuda`."""
    return experiment.device if experiment.kind == "evaluate" else experiment.training.device
