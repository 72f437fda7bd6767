"""An attempt inside its job: it makes sure that it is wanted, and hands its own successor to Slurm.

Login nodes forbid processes that live long, so nobody else need be there when a run is preempted, reaches its time
limit, or fails and is to be tried again.
"""

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from lovt_core.config.settings import load_settings
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import ControlRecord, append_control, deciding, read_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.launchers.slurm import describe_launch, find_launch, hand_over, name_job
from lovt_core.runs.launchers.slurm_chains import tend_chains
from lovt_core.runs.launchers.slurm_jobs import ask_job
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import take_lock
from lovt_core.runs.queue_file import read_order
from lovt_core.runs.queueing.endings import queue_interrupted, queue_retry
from lovt_core.runs.queueing.retrying import default_retry
from lovt_core.runs.state import RunState, read_last_word, read_state
from lovt_core.runs.workspace import Workspace

LOCK_SECONDS = 60.0
"""The worker of the attempt before may still be leaving, on another node."""
PAUSES = (2.0, 5.0, 15.0)
"""Between tries to hand in the successor."""
REASON_SECONDS = 5.0
"""How much of the time to save may go into asking why."""
UNFINISHED = 75
"""Exit code of a job whose run has not finished: those that wait for it go on waiting (sysexits: try again later)."""
MAX_FRUITLESS = 3
"""Interruptions in a row before anything was done, after which the time limit is taken to be too short."""


@dataclass(frozen=True)
class OwnJob:
    """The job in which this process runs."""

    id: str
    name: str

    def find_reason(self) -> str:
        """Who has sent a SIGTERM: a sentence where somebody wants the run ended, nothing for Slurm's own reasons."""
        try:
            was_cancelled = ask_job(self.id, self.name, REASON_SECONDS).was_cancelled
        except LovtError:
            return ""
        return f"job {self.id} was cancelled in Slurm" if was_cancelled else ""


def find_own_job(run: RunDirectory, attempt: int) -> OwnJob:
    """By Slurm's variables; raises InputError outside a job."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    job = f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")
    if not job:
        raise InputError(f"run {run.id} is to be started by Slurm, and this is none of its jobs")
    return OwnJob(job, os.environ.get("SLURM_JOB_NAME") or name_job(run.id, attempt))  # an array has one for all


def claim(run: RunDirectory, attempt: int, job: OwnJob) -> int | None:
    """The worker's lock, if this job is to execute the attempt; None where a worker of it has begun before.

    That happens when an administrator has put the job back into the queue; what became of that worker is written down
    then. Raises InputError where the attempt is not wanted, or another job's.
    """
    lock = take_lock(run.worker_lock, LOCK_SECONDS)
    if lock is None:
        raise InputError(f"another worker of run {run.id} is alive: attempt {attempt} does not start")
    with deciding(run.path):
        state = read_state(run)
        if run.events(attempt).exists():
            if (state.state, state.attempt) == ("running", attempt):
                append_control(run.control, *_record_requeue(state, job))
            os.close(lock)
            return None
        if (state.state, state.attempt) == ("queued", attempt):
            append_control(run.control, describe_launch(attempt, job.id, job.name))  # who handed it in has died since
            return lock
        launch = find_launch(read_control(run.control), attempt)
        if launch is not None and launch.details.get("job") == job.id and state.attempt == attempt:
            return lock
    os.close(lock)
    raise InputError(
        f"run {run.id} is {state.state} at attempt {state.attempt}: attempt {attempt} is not for job {job.id}"
    )


def _record_requeue(state: RunState, job: OwnJob) -> tuple[ControlRecord, ...]:
    exited = record("exited", state.attempt, job=job.id, slurm="REQUEUED")
    return (exited,) if state.stop_asked else (exited, record("queued", state.attempt + 1, reason="interrupted"))


def go_on(run: RunDirectory, attempt: int) -> int:
    """What follows an attempt that has ended: its successor, and those that wait for it. The exit code of the job.

    Nothing is lost where it cannot be done: a queued attempt is handed in by the next `lovt` command that looks.
    """
    workspace = Workspace(run.path.parent.parent)
    try:
        queue_interrupted(run, attempt)
        queue_retry(run, default_retry(load_settings(workspace.settings)))
        state = read_state(run)
        if (state.state, state.attempt) == ("queued", attempt + 1):
            _hand_over_successor(workspace, run, attempt)
        for message in tend_chains(workspace):
            say(message)
    except LovtError as error:
        say(str(error))
    word = read_last_word(run.events(attempt))
    return 0 if word is not None and word["event"] == "finished" else UNFINISHED


def _hand_over_successor(workspace: Workspace, run: RunDirectory, attempt: int) -> None:
    if attempt >= MAX_FRUITLESS and all(_did_nothing(run, attempt - before) for before in range(MAX_FRUITLESS)):
        reason = f"{MAX_FRUITLESS} interruptions in a row before anything was done: slurm.time_minutes is too short"
        with deciding(run.path):
            append_control(run.control, record("stop", attempt + 1, reason=reason))
        return
    for pause in (*PAUSES, None):
        if read_order(workspace).paused:
            return
        try:
            hand_over(workspace, run, attempt + 1)
            return
        except InputError as error:
            say(str(error))
            return
        except LovtError as error:
            say(str(error))
        if pause is not None:
            time.sleep(pause)


def _did_nothing(run: RunDirectory, attempt: int) -> bool:
    lines = read_lines(run.events(attempt))
    worked = any(line.get("event") in ("metrics", "saved", "result") or line.get("done") for line in lines)
    return not worked and bool(lines) and lines[-1].get("event") == "interrupted"


def say(message: str) -> None:
    """One line in the run's log; a full disk costs the line."""
    with suppress(OSError):
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()
