"""What the dashboard does to runs, through the very functions of the command line. Called in worker threads."""

from typing import TYPE_CHECKING

from lovt_core.errors import InputError

if TYPE_CHECKING:
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.workspace import Workspace


def stop_run(workspace: "Workspace", run_id: str) -> str:
    """Ask a run to stop; what was done, in a sentence. Raises InputError when it has ended."""
    from lovt_core.runs.queueing.requests import ensure_scheduler, request_stop

    before = request_stop(_find(workspace, run_id))
    ensure_scheduler(workspace)
    if before.state == "queued":
        return f"{run_id} will not start"
    return f"{run_id} finishes its step, saves and stops"


def kill_run(workspace: "Workspace", run_id: str) -> str:
    """End a worker at once; raises InputError when the run is not running here."""
    from lovt_core.runs.queueing.requests import ensure_scheduler, request_kill

    request_kill(_find(workspace, run_id))
    ensure_scheduler(workspace)
    return f"{run_id} was killed"


def resume_run(workspace: "Workspace", run_id: str) -> str:
    """Queue the next attempt; raises InputError when the run cannot go on."""
    from lovt_core.runs.queueing.requests import request_resume

    before = request_resume(workspace, _find(workspace, run_id))
    return f"{run_id} is queued again as attempt {before.attempt + 1}"


def _find(workspace: "Workspace", run_id: str) -> "RunDirectory":
    from lovt_core.runs.directory import RunDirectory

    run = RunDirectory(workspace.runs / run_id)
    if not run.path.is_dir():
        raise InputError(f"run {run_id} is gone: its directory {run.path} was removed")
    return run
