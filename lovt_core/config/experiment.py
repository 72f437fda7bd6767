"""The experiment file: what one run does. Three kinds, told apart by `kind`, and one of runs of other programs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lovt_core.config.base import Name, Section, Seed
from lovt_core.config.data import AugmentationConfig, PairedDataConfig
from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.methods import GATHERING, LONE_SAMPLE, VIEWS, LovtConfig, MethodConfig
from lovt_core.config.monitoring import MonitoringConfig
from lovt_core.config.training import TrainingConfig
from lovt_core.errors import InputError


class PretrainExperiment(Section):
    """Pre-train an image encoder on image-report pairs, on images alone, or on images with labels."""

    kind: Literal["pretrain"] = "pretrain"
    name: Name
    seed: Seed = 12345
    data: PairedDataConfig
    augmentation: AugmentationConfig = AugmentationConfig()
    method: MethodConfig = LovtConfig()
    training: TrainingConfig = TrainingConfig()
    monitoring: MonitoringConfig = MonitoringConfig()

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        """A method without a name is LoVT; views that are left out are the method's own."""
        return fill_in(given)

    @model_validator(mode="after")
    def _batches_suffice(self) -> "PretrainExperiment":
        reason = LONE_SAMPLE.get(self.method.name)
        if self.training.batch_size < 2 and reason is not None:
            raise ValueError(f"training.batch_size must be at least 2: {reason}")
        return self

    @model_validator(mode="after")
    def _negatives_are_gathered(self) -> "PretrainExperiment":
        if self.training.gather_negatives and self.method.name not in GATHERING:
            raise ValueError(
                f"training.gather_negatives: {self.method.name} has no negatives, only {' and '.join(GATHERING)} do; "
                "leave it out"
            )
        return self

    @model_validator(mode="after")
    def _views_are_compared(self) -> "PretrainExperiment":
        if self.augmentation.views is not None and self.method.name not in VIEWS:
            raise ValueError(
                f"augmentation.views: {self.method.name} compares no views, only {', '.join(VIEWS)} do; "
                "change augmentation.image instead"
            )
        return self


def fill_in(given: Any) -> Any:
    """What is given for a pre-training, with the method's name and the views that it takes when these are left out."""
    if not isinstance(given, Mapping) or not isinstance(method := given.get("method", {}), Mapping):
        return given
    method = {"name": "lovt", **method}
    filled = {**given, "method": method}
    augmentation = given.get("augmentation", {})
    own = VIEWS.get(str(method["name"]))
    if own is not None and isinstance(augmentation, Mapping):
        asked = augmentation.get("views")
        if asked is None or isinstance(asked, Mapping):
            filled["augmentation"] = {**augmentation, "views": own.model_dump(mode="json") | dict(asked or {})}
    return filled


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
