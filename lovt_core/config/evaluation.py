"""The experiment of kind `evaluate`: one encoder on localized tasks (PROTOCOL A)."""

from typing import Annotated, Literal

from pydantic import Field

from lovt_core.config.base import Device, Name, Section, Seed
from lovt_core.config.split_names import SplitName

Stride = Literal[4, 8, 16, 32]
_Count = Annotated[int, Field(ge=1)]
_Gigabytes = Annotated[float, Field(ge=0)]


class EncoderSource(Section):
    """The encoder under evaluation."""

    source: str
    """`random`, `random-fitted` (batch-norm statistics fitted to the training images), `imagenet`, `timm:<name>`, the
    id of a pre-training run, or the path of a file with weights (docs/encoders.md lists the layouts)."""
    checkpoint: Literal["best", "last"] = "best"
    backbone: str = "resnet50"
    """timm model of `random`, `random-fitted`, `imagenet` and files; a run and `timm:<name>` bring their own."""
    label: str | None = None
    """Row name in the comparison; the source by default."""


class EvaluationSettings(Section):
    """What the protocol fixes; any other value makes another protocol, named in each cell."""

    protocol: Literal["full", "quick"] = "full"
    """`quick`: at most five epochs, the first learning rate of the grid, one replicate; for smoke tests."""
    image_size: Annotated[int, Field(ge=32)] = 224
    stride: Stride = 32
    """Stride of the features that a linear head reads (32: conv5)."""
    normalisation: Literal["dataset", "image"] = "dataset"
    replicates: Annotated[int, Field(ge=0)] | None = None
    """Instead of five. 0: the learning-rate search alone, for validation scores; nothing is tested."""
    max_epochs: _Count | None = None
    """Instead of the task's own number of epochs."""
    batch_size: _Count | None = None
    """Instead of the task's own."""
    warmup_steps: Annotated[int, Field(ge=0)] | None = None
    """Instead of the task's own; fine-tuned tasks only."""
    learning_rates: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] | None = None
    """Instead of the task's own grid."""


class FeatureCacheConfig(Section):
    """Where features of frozen encoders are kept. Decides speed alone, never a score."""

    memory_gb: _Gigabytes | None = None
    """Budget in memory of the device that trains; by default half of what is free. 0: none."""
    disk_gb: _Gigabytes = 0.0
    """Budget for files in the workspace's folder `features`, for what does not fit into memory. 0: none."""


class EvaluateExperiment(Section):
    """Judge one encoder on localized tasks."""

    kind: Literal["evaluate"] = "evaluate"
    name: Name
    seed: Seed = 12345
    encoder: EncoderSource
    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    """Task ids, numbers of the paper's columns, globs or suites (`all`, `rsna`, `frozen`, ...)."""
    split: SplitName = "auto"
    settings: EvaluationSettings = EvaluationSettings()
    cache: FeatureCacheConfig = FeatureCacheConfig()
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of forward passes; `auto`: fp16 as published on a GPU, fp32 on a CPU."""
    device: Device = "auto"
