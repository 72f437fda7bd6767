"""The experiment file: what one run does. Three kinds, told apart by `kind`, and one of runs of other programs."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lovt_core.config.base import Name, Section, Seed
from lovt_core.config.data import AugmentationConfig, PairedDataConfig
from lovt_core.config.encoders import ImageEncoderConfig, Padding, ProjectionConfig, ReportEncoderConfig
from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.objective import ObjectiveConfig
from lovt_core.config.training import TrainingConfig
from lovt_core.errors import InputError


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
    seed: Seed = 12345
    data: PairedDataConfig
    augmentation: AugmentationConfig = AugmentationConfig()
    method: LovtConfig = LovtConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _batches_hold_negatives(self) -> "PretrainExperiment":
        if self.training.batch_size < 2:
            raise ValueError("training.batch_size must be at least 2: the other pairs of a batch are the negatives")
        return self


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
    seed: Seed = 12345
    selftest: SelftestConfig = SelftestConfig()
    training: TrainingConfig = TrainingConfig(batch_size=8, accumulate=1, max_epochs=5, precision="fp32", device="cpu")


ImportFormat = Literal["tensorboard", "csv", "wandb"]


class ImportedExperiment(Section):
    """What is known of a run of another program (`lovt import`): a record, which nothing here can start."""

    kind: Literal["imported"] = "imported"
    name: Name
    source: str
    """Path of the file or folder that it was read from, as it was then."""
    format: ImportFormat
    config: dict[str, Any] = Field(default_factory=dict)
    """Its own configuration, as the source has it."""


Experiment = Annotated[PretrainExperiment | EvaluateExperiment | SelftestExperiment, Field(discriminator="kind")]
"""What can be started."""
StoredExperiment = Annotated[
    PretrainExperiment | EvaluateExperiment | SelftestExperiment | ImportedExperiment, Field(discriminator="kind")
]
"""What may stand in a run directory."""


def asked_device(experiment: StoredExperiment) -> str:
    """The device that an experiment asks for: `auto`, `cpu` or `cuda`; raises InputError for one that cannot start."""
    if experiment.kind == "imported":
        raise InputError(f"{experiment.name} was imported from {experiment.source}: there is nothing here to start")
    return experiment.device if experiment.kind == "evaluate" else experiment.training.device
