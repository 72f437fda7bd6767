"""What a queued run waits for besides a place: other runs, whose end may start it or make it pointless."""

from dataclasses import dataclass

from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import read_control
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.queueing.retrying import plan_retry
from lovt_core.runs.state import read_state
from lovt_core.runs.states import State
from lovt_core.runs.terms import Retry, read_terms
from lovt_core.runs.workspace import Workspace

HOPELESS: tuple[State, ...] = ("failed", "cancelled", "pruned")


@dataclass(frozen=True)
class Blocked:
    """A run that waits for others."""

    reason: str
    is_hopeless: bool = False
    """What it waits for will not come."""
    is_stuck: bool = False
    """What it waits for comes only if somebody does something."""
    behind: str = ""
    """The run that it waits for, where that goes on by itself."""


def find_block(workspace: Workspace, after: tuple[str, ...], default_retry: Retry) -> Blocked | None:
    """Why a run that was queued behind others may not start; None when all of them have finished.

    A failed one that will be tried again, an interrupted, stopped or lost one may still finish; any other failed or
    cancelled one will not, unless somebody resumes it, and takes those behind it with it.
    """
    blocks = [block for run_id in after if (block := _look(workspace, run_id, default_retry)) is not None]
    hopeless = next((block for block in blocks if block.is_hopeless), None)
    return hopeless or next((block for block in blocks if block.is_stuck), None) or (blocks[0] if blocks else None)


def _look(workspace: Workspace, run_id: str, default_retry: Retry) -> Blocked | None:
    run = RunDirectory(workspace.runs / run_id)
    if not (run.path / "experiment.yaml").exists():
        return Blocked(f"waited for {run_id}, which was removed", is_hopeless=True)
    try:
        state = read_state(run)
    except LovtError as error:
        return Blocked(f"waits for {run_id}, which cannot be read: {error}", is_stuck=True)
    if state.state == "finished":
        return None
    if state.state in HOPELESS and plan_retry(run, state, default_retry) is None:
        why = f": {state.detail.splitlines()[0]}" if state.detail else ""
        return Blocked(f"waited for {run_id}, which has {_ended(state.state)}{why}", is_hopeless=True)
    if state.state in ("stopped", "lost") and plan_retry(run, state, default_retry) is None:
        return Blocked(f"waits for {run_id}, which is {state.state}: lovt resume {run_id}", is_stuck=True)
    return Blocked(f"waits for {run_id} ({state.state})", behind=run_id)


def _ended(state: State) -> str:
    return {"failed": "failed", "cancelled": "been cancelled", "pruned": "been pruned"}.get(state, state)


def check_no_cycle(workspace: Workspace, run_id: str, after: tuple[str, ...]) -> None:
    """Raise InputError when a run would, over others, wait for itself."""
    seen: dict[str, str] = dict.fromkeys(after, run_id)
    todo = list(after)
    while todo:
        current = todo.pop()
        if current == run_id:
            raise InputError(f"--after would make {run_id} wait for itself: {' -> '.join(_trace(seen, run_id))}")
        for other in read_terms(read_control(RunDirectory(workspace.runs / current).control)).after:
            if other not in seen:
                seen[other] = current
                todo.append(other)


def _trace(seen: dict[str, str], run_id: str) -> list[str]:
    path = [run_id]
    while len(path) == 1 or path[-1] != run_id:
        path.append(seen[path[-1]])
    return path[::-1]
