"""What is said beside an experiment when it is queued: the options of `lovt launch` and `lovt sweep run` as a form."""

from typing import Annotated, Literal

from pydantic import Field

from lovt_core.config.base import Name, Section
from lovt_core.config.settings import RetriedCause

Where = Literal["local", "slurm"]


class RunLaunch(Section):
    """How runs are queued."""

    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    """So many runs, their seeds one apart."""
    priority: int = 0
    """Runs of a higher one start first."""
    after: tuple[str, ...] = ()
    """Start when these runs have finished; cancelled if one fails."""
    gpus: Annotated[int, Field(ge=0)] | None = None
    """GPUs that share a training; 0: the CPU."""
    gpu_memory: Annotated[float, Field(ge=0.1)] | None = None
    """GB of a GPU that it needs at most: the GPU may then be shared."""
    retry: Annotated[int, Field(ge=0, le=100)] | None = None
    """Go on so often by itself when it fails; none: as settings.yaml says."""
    retry_on: tuple[RetriedCause, ...] = ()
    """Only after these causes."""
    where: Where | None = None
    """Here or through Slurm; none: as settings.yaml says."""
    tags: tuple[Name, ...] = ()
    snapshot: bool = False
    """Keep a copy of the code of now and run that, whatever it is later."""


class SweepLaunch(Section):
    """How a sweep is started."""

    where: Where | None = None
    """Its runs compute here or through Slurm; none: as settings.yaml says."""
    storage: str | None = None
    """Optuna storage (a URL) that several machines share; none: one in the workspace."""
