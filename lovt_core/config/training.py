"""Optimiser, schedule, precision and checkpoints of a pre-training (PROTOCOL B.2, vectors section 20)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lovt_core.config.base import Device, Section
from lovt_core.errors import ConfigError

Count = Annotated[int, Field(ge=1)]


class OptimiserConfig(Section):
    """One learning rate for all trainable parts."""

    name: Literal["adamw", "adam"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    weight_decay: Annotated[float, Field(ge=0)] = 1e-6
    gradient_clip: Annotated[float, Field(gt=0)] | None = None


class ScheduleConfig(Section):
    """Learning rate over optimiser steps.

    `cosine-swinging` is the published one: down to zero in every even epoch, up again in every odd one.
    `cosine` falls once, from the end of the warm-up to the last step; `cosine-epochs` does so once an epoch, after
    `warmup_epochs` that rise from 0 (PROTOCOL B.4: the whole first epoch is at 0 where there is one).
    `plateau` multiplies by `factor` after `patience` + 1 epochs without a better value of the monitored metric.
    """

    name: Literal["cosine-swinging", "cosine", "cosine-epochs", "plateau", "constant"] = "cosine-swinging"
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    """Of `cosine-epochs` alone."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    patience: Count = 12


class EarlyStoppingConfig(Section):
    """End after `patience` validations in a row without an improvement by more than `min_delta`.

    What must improve is the method's monitored metric: `val/loss`, of the supervised method `val/auroc`.
    """

    patience: Count = 10
    min_delta: Annotated[float, Field(ge=0)] = 1e-5


class TrainingConfig(Section):
    """How long, how large, how precise."""

    batch_size: Count = 32
    accumulate: Count = 16
    """Batches whose gradients are added before one optimiser step."""
    micro_batch: Count | None = None
    """Samples of a batch that the encoders run over at once, where memory is short; losses see the whole batch."""
    compile: bool = False
    """Compile the encoders' networks with torch.compile."""
    prefetch: bool | None = None
    """Make the next batch in a thread while the present one trains; null: where the training is on a GPU."""
    max_epochs: Count = 100
    max_steps: Count | None = None
    """Optimiser steps after which the training ends, whatever the epoch."""
    precision: Literal["fp32", "bf16", "fp16"] = "bf16"
    device: Device = "auto"
    cpu_processes: Count = 1
    """Processes that share the work of a training on the CPU; on GPUs there is one for each."""
    gather_negatives: bool = False
    """Several GPUs share each batch, whose loss is that of the whole, instead of the batches of a step."""
    optimiser: OptimiserConfig = OptimiserConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    early_stopping: EarlyStoppingConfig | None = EarlyStoppingConfig()
    validate_every_epochs: Count = 1
    checkpoint_every_minutes: Annotated[float, Field(gt=0)] = 15.0
    """`last` is saved at least this often, besides after each validation."""
    checkpoint_every_steps: Count | None = None
    keep_state: bool = False
    """Keep optimiser state after the run has finished, so that it can be extended."""

    keep: Literal["all", "encoder"] = "all"
    """What is kept of the best and the last checkpoint when the run has finished: their weights, or nothing but the
    image encoder of the best. Trials of sweeps keep the encoder."""

    @model_validator(mode="after")
    def _keeps_what_it_needs(self) -> "TrainingConfig":
        if self.keep_state and self.keep == "encoder":
            raise ValueError(
                "keep_state: of an encoder alone nothing can be extended: set keep to all, or leave this out"
            )
        return self

    @model_validator(mode="after")
    def _processes_share_equally(self) -> "TrainingConfig":
        problem = _find_unequal_share(self, self.cpu_processes)
        if problem is not None:
            raise ValueError(f"cpu_processes: {problem}")
        return self

    @model_validator(mode="after")
    def _cosine_needs_an_end(self) -> "TrainingConfig":
        name = self.schedule.name
        if self.schedule.warmup_steps and name in ("plateau", "cosine-swinging"):
            raise ValueError(f"schedule '{name}' has no warm-up: set schedule.warmup_steps to 0")
        if self.schedule.warmup_steps and name == "cosine-epochs":
            raise ValueError(f"schedule '{name}' has no warm-up in steps: set schedule.warmup_epochs instead")
        if self.schedule.warmup_epochs and name != "cosine-epochs":
            raise ValueError(f"schedule '{name}' has no warm-up in epochs: set schedule.warmup_epochs to 0")
        return self


def check_sharing(config: TrainingConfig, num_processes: int) -> None:
    """Raise ConfigError where a training cannot be shared equally among so many processes (one for each GPU)."""
    if (problem := _find_unequal_share(config, num_processes)) is not None:
        raise ConfigError(problem)


def _find_unequal_share(config: TrainingConfig, num_processes: int) -> str | None:
    # of a batch each process gets two samples at least: batch norms have no statistics of a single one
    key, least = ("batch_size", 2) if config.gather_negatives else ("accumulate", 1)
    shared: int = getattr(config, key)
    fitting = [number for number in range(1, shared + 1) if shared % number == 0 and shared // number >= least]
    if num_processes in (1, *fitting):
        return None
    return (
        f"training.{key} is {shared}, which {num_processes} processes (one for each GPU) cannot share equally; "
        f"what can: {', '.join(map(str, fitting or [1]))}"
    )
