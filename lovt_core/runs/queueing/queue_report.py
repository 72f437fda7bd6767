"""What waits, in the order in which it starts, and why: read from the directories and the scheduler's note."""

import json
from dataclasses import dataclass

from lovt_core.config.settings import load_settings
from lovt_core.errors import LovtError
from lovt_core.runs.control import read_control, read_labels
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.locks import is_locked
from lovt_core.runs.queue_file import read_order
from lovt_core.runs.queueing.retrying import default_retry
from lovt_core.runs.queueing.waiting import find_block
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import read_terms
from lovt_core.runs.workspace import Workspace


@dataclass(frozen=True)
class WaitingRun:
    """A queued run."""

    id: str
    priority: int
    after: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class QueueReport:
    """The queue now."""

    waiting: tuple[WaitingRun, ...]
    """First in line first."""
    running: tuple[str, ...]
    paused: bool
    has_scheduler: bool


def read_queue(workspace: Workspace) -> QueueReport:
    """Look at every run that is not at its end; those that cannot be read are left out."""
    order = read_order(workspace)
    has_scheduler = is_locked(workspace.scheduler_lock)
    waits = read_waits(workspace)
    queued: dict[str, RunDirectory] = {}
    running = []
    for run in list_runs(workspace):
        try:
            state = read_state(run).state
        except LovtError:
            continue
        if state == "queued":
            queued[run.id] = run
        elif state in ("launched", "running"):
            running.append(run.id)
    priorities = {run_id: read_labels(read_control(run.control)).priority for run_id, run in queued.items()}
    waiting = tuple(
        WaitingRun(
            run_id,
            priorities[run_id],
            read_terms(read_control(queued[run_id].control)).after,
            explain(workspace, queued[run_id], waits, paused=order.paused, has_scheduler=has_scheduler),
        )
        for run_id in order.sort(queued, priorities)
    )
    return QueueReport(waiting, tuple(running), order.paused, has_scheduler)


def read_waits(workspace: Workspace) -> dict[str, str]:
    """What the scheduler of this host has noted last."""
    try:
        waits = json.loads(workspace.waits.read_text())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in waits.items()} if isinstance(waits, dict) else {}


def explain(
    workspace: Workspace, run: RunDirectory, waits: dict[str, str], *, paused: bool, has_scheduler: bool
) -> str:
    """Why a queued run has not started."""
    if not run.is_at_home():
        return f"was queued on another machine or path, whose scheduler starts it; here: lovt queue take {run.id}"
    retry = default_retry(load_settings(workspace.settings))
    if (block := find_block(workspace, read_terms(read_control(run.control)).after, retry)) is not None:
        return block.reason
    if paused:
        return "the queue is paused: lovt queue resume"
    if has_scheduler:
        return waits.get(run.id, "is about to start")
    return "no scheduler was there; it is being started"
