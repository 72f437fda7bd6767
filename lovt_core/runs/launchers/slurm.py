"""Hands attempts to Slurm, through submitit; they start when Slurm says so, whoever has gone home by then.

An attempt's job is named after run and attempt, and goes out so that Slurm never starts it twice of its own accord.
Under the run's control lock: sbatch, then `launch n` with the job's id. Whoever dies between the two leaves a job that
finds no `launch n` in its name: it writes that itself if it is the first to ask, and otherwise leaves at once. So an
attempt has one job, whatever happens.
"""

import contextlib
import importlib.util
import io
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from lovt_core.config.experiment import asked_device
from lovt_core.config.settings import Settings, SlurmConfig, load_settings
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import ControlRecord, append_control, deciding, read_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.launchers.slurm_job import run_worker
from lovt_core.runs.launchers.slurm_jobs import JOBS, complaint, run_slurm, say_dependency
from lovt_core.runs.retrying import default_retry
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import SLURM, Terms, read_terms
from lovt_core.runs.waiting import Blocked, find_block
from lovt_core.runs.workspace import Workspace

FOLDER = "slurm"
"""Of a run: what submitit needs to start its jobs, and their own words before the worker has begun."""
OWN_VARIABLES = ("SLURM", "SBATCH", "SRUN", "SUBMITIT")
"""Beginnings of variables of the job from within which another one is handed in: they are not for that."""
GPU_VARIABLES = ("CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
KEPT_VARIABLES = ("SLURM_CONF",)
AWAY = ("contact slurm controller", "Socket timed out", "Zero Bytes were transmitted")
"""Words of sbatch for a controller that does not answer: another time it may."""


@dataclass(frozen=True)
class Awaited:
    """Runs that another one waits for."""

    jobs: tuple[str, ...]
    """Jobs of those that Slurm has; it can wait for these itself."""
    others: tuple[str, ...]
    """Ids of all other runs."""


def check_slurm() -> None:
    """Raise InputError where runs cannot be handed to Slurm, saying what to do."""
    if importlib.util.find_spec("submitit") is None:
        raise InputError("runs go to Slurm through submitit, which is not installed: pip install 'lovt-tui[slurm]'")
    if shutil.which("sbatch") is None or shutil.which("srun") is None:
        raise InputError(
            "there is no sbatch on this machine: use a login node of the cluster, or leave out --slurm "
            "(and launcher: slurm in settings.yaml)"
        )


def is_on_slurm(run: RunDirectory) -> bool:
    """Whether the attempts of a run go to Slurm."""
    return read_terms(read_control(run.control)).launcher == SLURM


def name_job(run_id: str, attempt: int) -> str:
    """The name of an attempt's job: no answer for another attempt is ever taken for this one's."""
    return f"{run_id}.a{attempt}"


def read_job_name(name: str) -> tuple[str, int] | None:
    """Run id and attempt of a job that is named like ours."""
    run_id, _, attempt = name.rpartition(".a")
    return (run_id, int(attempt)) if run_id and attempt.isdecimal() else None


def find_launch(control: Sequence[ControlRecord], attempt: int) -> ControlRecord | None:
    """The record by which an attempt was handed to Slurm."""
    launches = [item for item in control if (item.operation, item.attempt) == ("launch", attempt)]
    return launches[-1] if launches and launches[-1].details.get("launcher") == SLURM else None


def hand_over(workspace: Workspace, run: RunDirectory, attempt: int, *, is_new: bool = False) -> Blocked | None:
    """Hand a queued attempt to Slurm, unless it waits for a run that Slurm does not know: that is returned then.

    Raises InputError where Slurm refuses it, LovtError where it cannot be asked.
    """
    terms = read_terms(read_control(run.control))
    awaited = split_awaited(workspace, terms.after)
    if (block := find_block(workspace, awaited.others, default_retry(load_settings(workspace.settings)))) is not None:
        return block
    submit(workspace, run, attempt, awaited.jobs, is_new=is_new)
    return None


def split_awaited(workspace: Workspace, after: Sequence[str]) -> Awaited:
    """Of the runs that are waited for, those that Slurm has, and the others."""
    jobs, others = [], []
    for run_id in after:
        run = RunDirectory(workspace.runs / run_id)
        launch = None
        if (run.path / "experiment.yaml").exists():
            state = read_state(run)
            if state.state in ("launched", "running"):
                launch = find_launch(read_control(run.control), state.attempt)
        if launch is None:
            others.append(run_id)
        else:
            jobs.append(str(launch.details["job"]))
    return Awaited(tuple(jobs), tuple(others))


def submit(
    workspace: Workspace, run: RunDirectory, attempt: int, after: Sequence[str] = (), *, is_new: bool = False
) -> str | None:
    """Hand one attempt to Slurm, to start when the jobs `after` have finished well; the job's id.

    None where the attempt is no longer queued. `is_new`: nobody can have tried before. Raises InputError where Slurm
    refuses it, LovtError where it cannot be asked.
    """
    check_slurm()
    name = name_job(run.id, attempt)
    with deciding(run.path):
        state = read_state(run)
        if (state.state, state.attempt) != ("queued", attempt):
            return None
        if not is_new:
            _withdraw_leftovers(name)
        job = _send(run, attempt, name, options_for(workspace, run, after))
        append_control(run.control, describe_launch(attempt, job, name))
    JOBS.forget()
    return job


def describe_launch(attempt: int, job: str, name: str) -> ControlRecord:
    """The record that makes a job the attempt's own."""
    return record("launch", attempt, launcher=SLURM, job=job, name=name, title=f"Slurm job {job}")


def _withdraw_leftovers(name: str) -> None:
    """Jobs of this name whose sender has died before it could write down their id."""
    if (answer := JOBS.read(max_age=0)).problem:
        raise LovtError(answer.problem)
    for job in answer.jobs.values():
        if job.name == name and not job.has_ended:
            run_slurm("scancel", "--quiet", job.id)


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


def _send(run: RunDirectory, attempt: int, name: str, options: dict[str, object]) -> str:
    """sbatch, through submitit; the job's id."""
    import submitit

    folder = run.path / FOLDER
    if "%" in str(folder):
        raise InputError(f"Slurm reads % in {folder} as a pattern: use a workspace without it in its path")
    folder.mkdir(mode=0o700, exist_ok=True)
    executor = submitit.SlurmExecutor(folder)
    executor.update_parameters(job_name=name, **options)
    said = io.StringIO()
    with job_environment(run), contextlib.redirect_stderr(said):
        try:
            return str(executor.submit(run_worker, str(run.path), attempt).job_id)
        except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
            words = complaint(str(error))
            is_away = any(sign in words for sign in AWAY)
            raise (LovtError if is_away else InputError)(f"Slurm does not take run {run.id}: {words}") from error
        except OSError as error:
            raise LovtError(f"run {run.id} cannot be handed to Slurm: {error.strerror}") from error


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


def with_launcher(terms: Terms, settings: Settings) -> Terms:
    """Terms that say where the run computes: as they did, else as the settings do; no GPU of this machine counts."""
    if (terms.launcher or settings.launcher) != SLURM:
        return terms
    return replace(terms, launcher=SLURM, allowed_gpus=None)
