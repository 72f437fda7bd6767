"""Hands attempts to Slurm, through submitit; they start when Slurm says so, whoever has gone home by then.

An attempt's job is named after run and attempt, and goes out so that Slurm never starts it twice of its own accord.
Under the run's control lock: sbatch, then `launch n` with the job's id. Whoever dies between the two leaves a job that
finds no `launch n` in its name: it writes that itself if it is the first to ask, and otherwise leaves at once. So an
attempt has one job, whatever happens.
"""

import importlib.util
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from lovt_core.config.settings import Settings, load_settings
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import ControlRecord, append_control, deciding, read_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.launchers.slurm_jobs import JOBS, run_slurm
from lovt_core.runs.launchers.slurm_sending import Parcel, options_for, send
from lovt_core.runs.queueing.retrying import default_retry
from lovt_core.runs.queueing.waiting import Blocked, find_block
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import SLURM, Terms, read_terms
from lovt_core.runs.workspace import Workspace

FOLDER = "slurm"
"""Of a run, or of the workspace for arrays: what submitit needs to start jobs, and what they say before a worker."""
ARRAY_TASKS = 100
"""Runs that are handed in at once: the control locks of all of them are held meanwhile."""


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
        parcel = Parcel(name, run.path / FOLDER, options_for(workspace, run, after))
        (job,) = send(parcel, [(run, attempt)])
        append_control(run.control, describe_launch(attempt, job, name))
    JOBS.forget()
    return job


def submit_array(workspace: Workspace, runs: Sequence[RunDirectory], group: str) -> None:
    """Hand new runs on equal terms to Slurm as arrays; those that are no longer queued are left out.

    Raises InputError where Slurm refuses them, LovtError where it cannot be asked.
    """
    check_slurm()
    for start in range(0, len(runs), ARRAY_TASKS):
        name = name_job(f"{runs[start].name}-{group}", 1)
        with ExitStack() as locks:
            for run in runs[start : start + ARRAY_TASKS]:
                locks.enter_context(deciding(run.path))
            queued = [run for run in runs[start : start + ARRAY_TASKS] if read_state(run).state == "queued"]
            if not queued:
                continue
            folder = workspace.path / FOLDER / f"{group}-{start}"
            parcel = Parcel(name, folder, options_for(workspace, queued[0], ()))
            jobs = send(parcel, [(run, 1) for run in queued])
            for run, job in zip(queued, jobs, strict=True):
                append_control(run.control, describe_launch(1, job, name))
    JOBS.forget()


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


def with_launcher(terms: Terms, settings: Settings) -> Terms:
    """Terms that say where the run computes: as they did, else as the settings do; no GPU of this machine counts."""
    if (terms.launcher or settings.launcher) != SLURM:
        return terms
    return replace(terms, launcher=SLURM, allowed_gpus=None)
