"""Runs that Slurm has and that wait for others: taken back when those fail, pointed to the jobs that go on for them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from lovt_core.config.settings import load_settings
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import ControlRecord, append_control, deciding, read_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.launchers.slurm import Awaited, find_launch, read_job_name, split_awaited, submit
from lovt_core.runs.launchers.slurm_endings import CANCELLED
from lovt_core.runs.launchers.slurm_jobs import JOBS, Job, cancel_job, run_slurm, say_dependency
from lovt_core.runs.queue_file import read_order
from lovt_core.runs.queueing.endings import cancel_hopeless
from lovt_core.runs.queueing.retrying import default_retry
from lovt_core.runs.queueing.waiting import Blocked, find_block
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import SLURM, Terms, read_terms
from lovt_core.runs.workspace import Workspace


@dataclass(frozen=True)
class _Behind:
    """A run that waits for others."""

    run: RunDirectory
    attempt: int
    job: Job | None
    """Slurm's, where it has been handed in."""
    awaited: Awaited
    block: Blocked | None


def tend_chains(workspace: Workspace) -> list[str]:
    """Bring every run of Slurm's that waits for others up to date; what was done, one sentence each.

    Each cancellation may make others hopeless, so it looks again until nothing is left to do. Raises LovtError where
    Slurm cannot be asked.
    """
    done: list[str] = []
    while True:
        words = [word for behind in _find_behind(workspace) if (word := _tend(workspace, behind))]
        done += words
        if not any("cancelled" in word for word in words):
            return done


def _find_behind(workspace: Workspace) -> Iterator[_Behind]:
    answer = JOBS.read(max_age=0)
    if answer.problem:
        raise LovtError(answer.problem)
    waiting = {job.name: job for job in answer.jobs.values() if job.state == "PENDING"}
    named = (found[0] for name in waiting if (found := read_job_name(name)) is not None)
    retry = default_retry(load_settings(workspace.settings))
    for run_id in dict.fromkeys((*named, *read_order(workspace).runs)):
        run = RunDirectory(workspace.runs / run_id)
        with suppress(LovtError):
            terms = _read_chain(run)
            if terms is None:
                continue
            state = read_state(run)
            if state.state not in ("queued", "launched"):
                continue
            launch = find_launch(read_control(run.control), state.attempt)
            job = waiting.get(str(launch.details.get("name"))) if launch else None
            if job is not None or state.state == "queued":
                awaited = split_awaited(workspace, terms.after)
                yield _Behind(run, state.attempt, job, awaited, find_block(workspace, awaited.others, retry))


def _read_chain(run: RunDirectory) -> Terms | None:
    """Terms of a run of this workspace that Slurm starts, and that waits for others."""
    if not (run.path / "experiment.yaml").exists() or run.origin().get("path") != str(run.path):
        return None
    terms = read_terms(read_control(run.control))
    return terms if terms.launcher == SLURM and terms.after else None


def _tend(workspace: Workspace, behind: _Behind) -> str:
    """Do for one run what is due; what it was."""
    run, job, block = behind.run, behind.job, behind.block
    try:
        if block is not None and block.is_hopeless:
            if job is None:
                cancel_hopeless(run, behind.attempt, block.reason)
            else:
                withdraw(run, behind.attempt, block.reason)
            return f"{run.id}: cancelled: {block.reason}"
        if block is not None:
            return ""
        if job is None:
            if read_order(workspace).paused:
                return ""
            handed_in = submit(workspace, run, behind.attempt, behind.awaited.jobs)
            return f"{run.id}: handed to Slurm as job {handed_in}" if handed_in else ""
        if set(re.findall(r"\d+(?:_\d+)?", job.dependency)) != set(behind.awaited.jobs):
            wanted = say_dependency(behind.awaited.jobs)
            run_slurm("scontrol", "update", f"JobId={job.id}", f"Dependency={wanted}")
            return f"{run.id}: waits for {wanted or 'nothing'} now"
    except LovtError as error:
        return f"{run.id}: {error}"
    return ""


def withdraw(run: RunDirectory, attempt: int, reason: str) -> bool:
    """Take back an attempt that Slurm has not started; whether there was one to take back.

    Its job is cancelled after that is written down: if Slurm refuses, a worker that starts finds itself not wanted.
    """
    with deciding(run.path):
        state = read_state(run)
        launch = find_launch(read_control(run.control), attempt)
        if launch is None or (state.state, state.attempt) != ("launched", attempt):
            return False
        append_control(run.control, *withdrawal(launch, reason))
    with suppress(LovtError):
        cancel_job(str(launch.details["job"]), str(launch.details["name"]))
    return True


def withdrawal(launch: ControlRecord, reason: str) -> tuple[ControlRecord, ...]:
    """Records that take back an attempt whose worker has not begun; the caller holds the control lock."""
    attempt = launch.attempt
    if attempt == 1:
        return (record("cancel", 1, reason=reason),)
    exited = record("exited", attempt, job=launch.details.get("job"), slurm=CANCELLED, before_start=True)
    return (record("stop", attempt, reason=reason), exited)


def kill_job(run: RunDirectory, attempt: int) -> bool:
    """Kill the worker of an attempt that Slurm has started, at once; False where it is none of Slurm's.

    Raises InputError where Slurm does not do it.
    """
    launch = find_launch(read_control(run.control), attempt)
    if launch is None:
        return False
    try:
        cancel_job(str(launch.details["job"]), str(launch.details["name"]), at_once=True)
    except LovtError as error:
        raise InputError(f"run {run.id} could not be killed: {error}") from error
    return True
