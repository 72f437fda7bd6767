"""sbatch, through submitit: what a job asks for, in which environment it starts, and sending it."""

import contextlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lovt_core.config.experiment import asked_device
from lovt_core.config.settings import SlurmConfig, load_settings
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import read_control
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.launchers.slurm_job import run_worker
from lovt_core.runs.launchers.slurm_jobs import complaint, say_dependency
from lovt_core.runs.terms import Terms, read_terms
from lovt_core.runs.workspace import Workspace

OWN_VARIABLES = ("SLURM", "SBATCH", "SRUN", "SUBMITIT")
"""Beginnings of variables of the job from within which another one is handed in: they are not for that."""
GPU_VARIABLES = ("CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
KEPT_VARIABLES = ("SLURM_CONF",)
AWAY = ("contact slurm controller", "Socket timed out", "Zero Bytes were transmitted")
"""Words of sbatch for a controller that does not answer: another time it may."""


@dataclass(frozen=True)
class Parcel:
    """What is sent."""

    name: str
    """Of the job."""
    folder: Path
    """For submitit's files; private to the user, for the node executes what stands in them."""
    options: Mapping[str, object]
    """Parameters of submitit."""


def options_for(workspace: Workspace, run: RunDirectory, after: Sequence[str]) -> dict[str, object]:
    """Parameters of submitit for an attempt of this run."""
    config = load_settings(workspace.settings).slurm
    terms = read_terms(read_control(run.control))
    fixed: dict[str, object] = {
        "no-requeue": True,  # an attempt that ended is never run again: its successor is another job
        "kill-on-invalid-dep": "no",  # who waits in vain is told why, or waits for somebody to resume
        "chdir": "/",
        "export": "ALL",
        "signal": f"USR2@{config.save_seconds}",
    }
    asked: dict[str, object] = {
        "partition": config.partition,
        "account": config.account,
        "qos": config.qos,
        "time": config.time_minutes,
        "cpus_per_task": config.cpus_per_task,
        "mem": None if config.mem_gb is None else f"{round(config.mem_gb * 1024)}M",
        "gres": ask_gpus(asked_device(run.experiment()), terms, config),
        "dependency": say_dependency(after) or None,
        "setup": list(config.setup) or None,
    }
    free = {name: value for name, value in config.sbatch.items() if value is not False}
    return {
        **{name: value for name, value in asked.items() if value is not None},
        "additional_parameters": {**free, **fixed},
        "stderr_to_stdout": True,
        "wckey": None,
    }


def ask_gpus(device: str, terms: Terms, config: SlurmConfig) -> str | None:
    """What `--gres` says; None for a run on the CPU."""
    if device == "cpu" or terms.gpus == 0 or config.gres is None:
        return None
    return f"{config.gres}:{terms.gpus or 1}"


def send(parcel: Parcel, tasks: Sequence[tuple[RunDirectory, int]]) -> list[str]:
    """Send attempts of runs, several as one array with the environment of the first; their jobs' ids.

    Raises InputError where Slurm refuses them, LovtError where it cannot be asked.
    """
    import submitit

    first = tasks[0][0]
    if "%" in str(parcel.folder):
        raise InputError(f"Slurm reads % in {parcel.folder} as a pattern: use a workspace without it in its path")
    parcel.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    executor = submitit.SlurmExecutor(parcel.folder)
    executor.update_parameters(job_name=parcel.name, **parcel.options)
    with job_environment(first), contextlib.redirect_stderr(io.StringIO()):
        try:
            with executor.batch():
                jobs = [executor.submit(run_worker, str(run.path), attempt) for run, attempt in tasks]
            return [str(job.job_id) for job in jobs]
        except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
            words = complaint(str(error))
            is_away = any(sign in words for sign in AWAY)
            raise (LovtError if is_away else InputError)(f"Slurm does not take run {first.id}: {words}") from error
        except OSError as error:
            raise LovtError(f"run {first.id} cannot be handed to Slurm: {error.strerror}") from error


@contextmanager
def job_environment(run: RunDirectory) -> Iterator[None]:
    """For the block, this process's environment is what the job is to have: sbatch takes it along."""
    before = dict(os.environ)
    wanted = {
        name: value
        for name, value in run.environment().items()
        if name in KEPT_VARIABLES or not (name.startswith(OWN_VARIABLES) or name in GPU_VARIABLES)
    }
    os.environ.clear()
    os.environ.update({**wanted, "PYTHONUNBUFFERED": "1"})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
