"""`lovt resume`: go on with a run that ended early."""

from typing import TYPE_CHECKING

import typer

from lovt_tui.cli.context import DetachOption, JsonOption, RunArgument, WorkspaceOption, get_workspace

if TYPE_CHECKING:
    from lovt_core.runs.directory import RunDirectory

PATIENCE_SECONDS = 10.0
"""A worker that has said its last word needs a moment to leave."""


def command(
    run: RunArgument,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a stopped, interrupted, failed or lost run from its last checkpoint, and follow it.

    \b
    Example: lovt resume 20261124-101500-covid
    """
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.requests import request_resume
    from lovt_tui.cli.follow import follow, print_queued

    place = get_workspace(workspace, reading=True)
    found = find_run(place, run)
    _wait_for_worker(found)
    request_resume(place, found)
    if detach:
        print_queued(found, as_json=as_json)
        return
    raise typer.Exit(follow(place, found, as_json=as_json))


def _wait_for_worker(run: "RunDirectory") -> None:
    """Let the worker of a run that has just ended leave."""
    import time

    from lovt_core.runs.state import read_state

    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        state = read_state(run)
        if state.is_active or not state.lock_held:
            return
        time.sleep(0.1)
