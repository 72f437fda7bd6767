"""Options of the commands that queue runs: on which terms they start."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lovt_core.config.experiment import Experiment
    from lovt_core.runs.terms import Retry, Terms
    from lovt_core.runs.workspace import Workspace

PriorityOption = Annotated[int, typer.Option("--priority", "-p", help="Higher ones start first.")]
GpusOption = Annotated[int | None, typer.Option("--gpus", min=0, help="GPUs that share a training; 0: the CPU.")]
GpuMemoryOption = Annotated[
    float | None, typer.Option("--gpu-memory", min=0.1, metavar="GB", help="It needs no more: a GPU may be shared.")
]
AfterOption = Annotated[
    list[str] | None,
    typer.Option("--after", metavar="RUN", help="Start when this run has finished; cancelled if it fails."),
]
RetryOption = Annotated[
    int | None, typer.Option("--retry", min=0, max=100, help="Go on so often when it fails [default: settings.yaml].")
]
RetryOnOption = Annotated[
    list[str] | None,
    typer.Option("--retry-on", metavar="CAUSE", help="What --retry is for: cuda, lost, killed, gpu-memory ..."),
]

SlurmOption = Annotated[
    bool | None,
    typer.Option("--slurm/--local", help="Hand the runs to Slurm, or not [default: launcher in settings.yaml]."),
]


def build_terms(
    workspace: "Workspace",
    priority: int = 0,
    gpus: int | None = None,
    gpu_memory: float | None = None,
    after: "Sequence[str] | None" = None,
    retry: int | None = None,
    retry_on: "Sequence[str] | None" = None,
    slurm: bool | None = None,
) -> "Terms":
    """The terms that options say; raises InputError where they cannot be kept."""
    from lovt_core.config.settings import load_settings
    from lovt_core.runs.launchers.slurm import check_slurm
    from lovt_core.runs.terms import SLURM, Terms

    launcher = None if slurm is None else "slurm" if slurm else "local"
    if slurm:
        check_slurm()
    if slurm or (slurm is None and load_settings(workspace.settings).launcher == SLURM):
        _check_slurm_gpus(gpu_memory)
    else:
        _check_gpus(gpus, gpu_memory)
    return Terms(
        launcher=launcher,
        priority=priority,
        gpus=gpus,
        gpu_memory=gpu_memory,
        after=find_waited_for(workspace, after or ()),
        retry=_build_retry(workspace, retry, retry_on),
    )


def find_waited_for(workspace: "Workspace", texts: "Sequence[str]") -> tuple[str, ...]:
    """Ids of the runs to wait for; raises InputError for unknown ones and for those that will not finish."""
    from lovt_core.errors import InputError
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.state import read_state

    ids = []
    for text in texts:
        run = find_run(workspace, text)
        state = read_state(run).state
        if state in ("failed", "cancelled", "pruned"):
            raise InputError(f"--after {text}: run {run.id} is {state} and will not finish: lovt retry {run.id}")
        ids.append(run.id)
    return tuple(dict.fromkeys(ids))


def check_shared_gpus(experiment: "Experiment", gpus: int | None) -> None:
    """Raise InputError where an experiment cannot be computed by so many GPUs together."""
    from lovt_core.config.training import check_sharing
    from lovt_core.errors import InputError

    if gpus is None or gpus < 2:
        return
    if experiment.kind == "evaluate":
        raise InputError(f"--gpus {gpus}: {experiment.name} is an evaluation, which computes on one GPU: give 1")
    check_sharing(experiment.training, gpus)


def _check_slurm_gpus(gpu_memory: float | None) -> None:
    from lovt_core.errors import InputError

    if gpu_memory is not None:
        raise InputError("--gpu-memory: Slurm hands out whole GPUs: leave it out, or ask for parts with slurm.gres")


def _check_gpus(gpus: int | None, gpu_memory: float | None) -> None:
    from lovt_core.errors import InputError
    from lovt_core.runs.gpus import GB, read_gpus

    if gpus is not None and gpus > 0:
        known = read_gpus()
        if gpus > len(known):
            raise InputError(f"--gpus {gpus}: this machine has {len(known)}")
    if gpus == 0 and gpu_memory is not None:
        raise InputError("--gpu-memory goes with a GPU: leave out --gpus 0")
    if gpu_memory is None:
        return
    largest = max((gpu.total for gpu in read_gpus()), default=0)
    if not largest:
        raise InputError(f"--gpu-memory {gpu_memory:g}: this machine has no GPU: leave it out")
    if gpu_memory * GB > largest:
        raise InputError(f"--gpu-memory {gpu_memory:g}: the largest GPU of this machine has {largest / GB:.0f} GB")


def _build_retry(workspace: "Workspace", times: int | None, causes: "Sequence[str] | None") -> "Retry | None":
    from lovt_core.config.settings import RETRIED_CAUSES, load_settings
    from lovt_core.errors import InputError
    from lovt_core.runs.terms import Retry

    if times is None:
        if causes:
            raise InputError("--retry-on goes with --retry: say how often, such as --retry 3")
        return None
    given = [part.strip() for item in causes or () for part in item.split(",") if part.strip()]
    for cause in given:
        if cause not in RETRIED_CAUSES:
            raise InputError(f"--retry-on: no cause is '{cause}': one of {', '.join(RETRIED_CAUSES)}")
    return Retry(times, tuple(given) or tuple(load_settings(workspace.settings).retry.causes))
