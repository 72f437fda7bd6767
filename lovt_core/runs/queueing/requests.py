"""What people ask of runs: queue, stop, kill, resume. Each reads the state under the control lock before it decides."""

import os
import secrets
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from lovt_core.config.experiment import Experiment
from lovt_core.config.settings import load_settings
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import Labels, append_control, deciding, read_control, read_labels, record
from lovt_core.runs.detached import start_detached
from lovt_core.runs.directory import NO_TERMS, RunDirectory, create_run
from lovt_core.runs.launchers.slurm import check_slurm, hand_over, submit_array, with_launcher
from lovt_core.runs.launchers.slurm_chains import kill_job, tend_chains, withdraw
from lovt_core.runs.launchers.slurm_jobs import can_ask
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import holding, is_locked
from lovt_core.runs.machine import boot_id, machine_id, process_start_ticks
from lovt_core.runs.queue_file import announce, read_order
from lovt_core.runs.queueing.endings import cancel_hopeless
from lovt_core.runs.queueing.waiting import check_no_cycle
from lovt_core.runs.state import RunState, read_state
from lovt_core.runs.states import RESUMABLE, State
from lovt_core.runs.terms import SLURM, Terms, read_terms
from lovt_core.runs.workspace import Workspace

START_LOOKS = 100
ENDING_SECONDS = 10.0
"""What a worker that has said its last word may take to be gone."""


def queue_run(
    workspace: Workspace,
    experiment: Experiment,
    terms: Terms = NO_TERMS,
    parent: dict[str, Any] | None = None,
    *,
    files: Mapping[str, str] | None = None,
    snapshot: bool = False,
    run_id: str | None = None,
) -> RunDirectory:
    """Create a run and make sure that a scheduler will start it, or hand it to Slurm.

    `files` are those that the experiment was read from (`stamp_files`), `run_id` one of `plan_run_id`.

    Raises InputError where Slurm is to start it and cannot, or will not: the run is cancelled then.
    """
    if terms.allowed_gpus is None and "CUDA_VISIBLE_DEVICES" in os.environ:
        terms = replace(terms, allowed_gpus=os.environ["CUDA_VISIBLE_DEVICES"])
    terms = with_launcher(terms, load_settings(workspace.settings))
    if terms.launcher == SLURM:
        check_slurm()
    run = create_run(workspace, experiment, terms, parent, files=files, snapshot=snapshot, run_id=run_id)
    _get_started(workspace, run, 1, terms)
    return run


def _get_started(workspace: Workspace, run: RunDirectory, attempt: int, terms: Terms) -> None:
    """See to it that a queued attempt starts when it can. What Slurm refuses leaves the queue."""
    if terms.launcher != SLURM or read_order(workspace).paused:
        ensure_scheduler(workspace)
        return
    try:
        block = hand_over(workspace, run, attempt, is_new=attempt == 1)
    except InputError as error:
        cancel_hopeless(run, attempt, str(error))
        raise
    except LovtError as error:
        raise LovtError(f"{error}; run {run.id} stays queued, `lovt queue` tries again") from error
    if block is not None:
        ensure_scheduler(workspace)
    elif attempt > 1:
        with suppress(LovtError):
            tend_chains(workspace)  # those that wait for the run wait for its new job from now on


def queue_repeats(
    workspace: Workspace, experiments: Sequence[Experiment], terms: Terms, files: Mapping[str, str] | None = None
) -> list[RunDirectory]:
    """Create runs that differ in their experiments only, on terms that wait for nothing; Slurm gets them as an array.

    Raises as `queue_run`.
    """
    terms = with_launcher(terms, load_settings(workspace.settings))
    if terms.launcher != SLURM or read_order(workspace).paused or terms.after:
        return [queue_run(workspace, experiment, terms, files=files) for experiment in experiments]
    check_slurm()
    runs = [create_run(workspace, experiment, terms, files=files) for experiment in experiments]
    try:
        submit_array(workspace, runs, terms.group or secrets.token_hex(4))
    except InputError as error:
        for run in runs:
            cancel_hopeless(run, 1, str(error))
        raise
    except LovtError as error:
        raise LovtError(f"{error}; its runs stay queued, `lovt queue` tries again") from error
    return runs


def ensure_scheduler(workspace: Workspace) -> None:
    """Start this host's scheduler, detached, unless one lives.

    A scheduler gives up its lock inside the queue lock after looking once more; asking inside the queue lock too means
    that a lock seen here as held belongs to a scheduler that will still look. Raises ConfigError where the workspace's
    settings could not be used by it.
    """
    load_settings(workspace.settings)
    with holding(workspace.queue_lock):
        alive = is_locked(workspace.scheduler_lock)
    if not alive:
        start_detached("lovt_core.runs.queueing.scheduler", str(workspace.path), log=workspace.scheduler_log)


def request_stop(run: RunDirectory, reason: str = "user", end: Literal["stopped", "pruned"] = "stopped") -> RunState:
    """Ask a run to stop: a queued one never starts, a running one finishes its step and saves.

    `end` is what it is then called. Returns the state in which the request was made; raises InputError when the run has
    already ended.
    """
    state = read_state(run)
    if state.state == "launched" and withdraw(run, state.attempt, reason):
        return state
    with deciding(run.path):
        state = read_state(run)
        if not state.is_active:
            raise InputError(f"run {run.id} is {state.state}: only queued, launched and running runs can be stopped")
        never_started = state.state == "queued" and state.attempt == 1
        if never_started:
            append_control(run.control, record("cancel", 1, reason=reason))
        elif not state.stop_asked:
            append_control(run.control, record("stop", state.attempt, reason=reason, end=end))
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
    if kill_job(run, state.attempt):
        return state
    started = _wait_for_start(run, state.attempt)
    if started.get("machine") != machine_id() or started.get("boot") != boot_id():
        raise InputError(f"run {run.id} is on the machine {started.get('host')}: kill it there")
    pid = int(started["pid"])
    if is_locked(run.worker_lock) and process_start_ticks(pid) == started.get("start_ticks"):
        os.killpg(pid, signal.SIGKILL)
    return state


def _wait_for_start(run: RunDirectory, attempt: int) -> dict[str, Any]:
    """The first event, which says where the worker is; its file is there an instant earlier."""
    for _ in range(START_LOOKS):
        for line in read_lines(run.events(attempt)):
            if line.get("event") == "started":
                return line
        time.sleep(0.05)
    return {}


def request_resume(workspace: Workspace, run: RunDirectory, terms: Terms = NO_TERMS) -> RunState:
    """Queue the next attempt of a stopped, interrupted, failed or lost run, on changed `terms` where they say so.

    Returns the state from which it goes on; raises InputError for any other state, and for a copied directory.
    """
    return _queue_again(workspace, run, terms, RESUMABLE, "resumed")


def request_retry(workspace: Workspace, run: RunDirectory) -> RunState:
    """As `request_resume`, for runs too that were cancelled before they began."""
    return _queue_again(workspace, run, NO_TERMS, (*RESUMABLE, "cancelled"), "resumed")


def request_epochs(workspace: Workspace, run: RunDirectory, epochs: int, terms: Terms = NO_TERMS) -> RunState:
    """Queue an attempt that trains on to `epochs`; a finished run needs the optimiser state that `keep_state` keeps.

    Raises InputError where that is not there, or the run has as many epochs already.
    """
    experiment = run.experiment()
    if experiment.kind == "evaluate" or experiment.kind == "imported":
        raise InputError(f"run {run.id} is no training: only trainings have epochs to go on with")
    if epochs <= experiment.training.max_epochs:
        raise InputError(f"run {run.id} is to train {experiment.training.max_epochs} epochs already: give more")
    states: tuple[State, ...] = RESUMABLE
    if read_state(run).state == "finished":
        if not any(run.checkpoints.glob("*.state")):
            raise InputError(
                f"run {run.id} has finished without training.keep_state, its optimiser state is gone: start a new one"
            )
        states = (*RESUMABLE, "finished")
    longer = replace(terms, settings={**(terms.settings or {}), "training.max_epochs": epochs})
    return _queue_again(workspace, run, longer, states, f"extended to {epochs} epochs")


def _queue_again(
    workspace: Workspace, run: RunDirectory, terms: Terms, states: tuple[State, ...], reason: str
) -> RunState:
    if not run.is_at_home():
        raise InputError(
            f"run {run.id} was created on another machine or path: a copied run is only read here, "
            f"until `lovt queue take {run.id}`"
        )
    check_no_cycle(workspace, run.id, terms.after)
    _await_end(run)
    with holding(workspace.queue_lock), deciding(run.path):
        state = read_state(run)
        if state.state not in states:
            raise InputError(f"run {run.id} is {state.state}: only {', '.join(states)} runs can be resumed")
        if state.lock_held:
            raise InputError(f"the last worker of run {run.id} is still ending: try again in a moment")
        announce(workspace, run.id)
        append_control(run.control, record("queued", state.attempt + 1, reason=reason, **terms.to_json()))
    _get_started(workspace, run, state.attempt + 1, read_terms(read_control(run.control)))
    return state


def _await_end(run: RunDirectory) -> None:
    """A run looks ended from its worker's last word on, a moment before the worker is gone."""
    deadline = time.monotonic() + ENDING_SECONDS
    while (state := read_state(run)).lock_held and not state.is_active and time.monotonic() < deadline:
        time.sleep(0.05)


def request_take(workspace: Workspace, run: RunDirectory) -> RunState:
    """Make this machine and path the home of a copied run; a queued one starts. Raises InputError when it is already.

    A run at work elsewhere cannot be told from one that died there: nothing is taken while its lock is held here.
    """
    with holding(workspace.queue_lock), deciding(run.path):
        if run.is_at_home():
            raise InputError(f"run {run.id} is at home here already")
        state = read_state(run)
        if is_locked(run.worker_lock) or (state.lock_held and can_ask()):
            raise InputError(f"run {run.id} is {state.state}, its worker is alive: stop it first")
        announce(workspace, run.id)
        append_control(run.control, record("take", state.attempt, machine=machine_id(), path=str(run.path)))
    ensure_scheduler(workspace)
    return state


def label_run(run: RunDirectory, operation: Literal["name", "tags", "note", "priority"], value: Any) -> Labels:
    """Write a label on a run; all labels afterwards."""
    with deciding(run.path):
        append_control(run.control, record(operation, read_state(run).attempt, **{operation: value}))
        return read_labels(read_control(run.control))
