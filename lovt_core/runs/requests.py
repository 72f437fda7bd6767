"""What people ask of runs: queue, stop, kill, resume. Each reads the state under the control lock before it decides."""

import os
import signal
import subprocess
import sys
from typing import Any

from lovt_core.config.experiment import Experiment
from lovt_core.errors import InputError
from lovt_core.runs.control import append_control, deciding, record
from lovt_core.runs.directory import RunDirectory, announce, create_run
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import holding, is_locked
from lovt_core.runs.machine import boot_id, machine_id, process_start_ticks
from lovt_core.runs.slots import runs_per_gpu
from lovt_core.runs.state import RESUMABLE, RunState, read_state
from lovt_core.runs.workspace import Workspace

_started: list["subprocess.Popen[bytes]"] = []
"""Schedulers that this process has started and not yet seen end: kept so that they are reaped."""


def queue_run(workspace: Workspace, experiment: Experiment, parent: dict[str, Any] | None = None) -> RunDirectory:
    """Create a run and make sure that a scheduler will start it."""
    run = create_run(workspace, experiment, parent)
    ensure_scheduler(workspace)
    return run


def ensure_scheduler(workspace: Workspace) -> None:
    """Start this host's scheduler, detached, unless one lives.

    A scheduler gives up its lock inside the queue lock after looking once more; asking inside the queue lock too means
    that a lock seen here as held belongs to a scheduler that will still look. Raises InputError where the environment
    asks for something that the scheduler could not do.
    """
    runs_per_gpu()
    with holding(workspace.queue_lock):
        alive = is_locked(workspace.scheduler_lock)
    if alive:
        return
    _started[:] = [process for process in _started if process.poll() is None]
    log = os.open(workspace.scheduler_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "lovt_core.runs.scheduler", str(workspace.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
        _started.append(process)
    finally:
        os.close(log)


def request_stop(run: RunDirectory, reason: str = "user") -> RunState:
    """Ask a run to stop: a queued one never starts, a running one finishes its step and saves.

    Returns the state in which the request was made; raises InputError when the run has already ended.
    """
    with deciding(run.path):
        state = read_state(run)
        if not state.is_active:
            raise InputError(f"run {run.id} is {state.state}: only queued, launched and running runs can be stopped")
        never_started = state.state == "queued" and state.attempt == 1
        if never_started:
            append_control(run.control, record("cancel", 1, reason=reason))
        elif not state.stop_asked:
            append_control(run.control, record("stop", state.attempt, reason=reason))
    return state


def request_kill(run: RunDirectory) -> RunState:
    """End a running worker at once, unsaved. Only a process that provably is this run's worker is touched.

    Raises InputError when the run is not running, or its worker is on another machine.
    """
    with deciding(run.path):
        state = read_state(run)
        if state.state != "running":
            raise InputError(f"run {run.id} is {state.state}: only running runs can be killed")
        append_control(run.control, record("kill", state.attempt, reason="user"))
    started = next((line for line in read_lines(run.events(state.attempt)) if line.get("event") == "started"), {})
    if started.get("machine") != machine_id() or started.get("boot") != boot_id():
        raise InputError(f"run {run.id} is on the machine {started.get('host')}: kill it there")
    pid = int(started["pid"])
    if is_locked(run.worker_lock) and process_start_ticks(pid) == started.get("start_ticks"):
        os.killpg(pid, signal.SIGKILL)
    return state


def request_resume(workspace: Workspace, run: RunDirectory) -> RunState:
    """Queue the next attempt of a stopped, interrupted, failed or lost run.

    Returns the state from which it goes on; raises InputError for any other state, and for a copied directory.
    """
    if not run.is_at_home():
        raise InputError(f"run {run.id} was created on another machine or path: a copied run is only read here")
    with holding(workspace.queue_lock), deciding(run.path):
        state = read_state(run)
        if state.state not in RESUMABLE:
            raise InputError(f"run {run.id} is {state.state}: only {', '.join(RESUMABLE)} runs can be resumed")
        if state.lock_held:
            raise InputError(f"the last worker of run {run.id} is still ending: try again in a moment")
        announce(workspace, run.id)
        append_control(run.control, record("queued", state.attempt + 1, reason="resumed"))
    ensure_scheduler(workspace)
    return state
