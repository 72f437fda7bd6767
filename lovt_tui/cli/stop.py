"""`lovt stop`: ask a run to stop."""

import sys
from typing import Annotated

import typer

from lovt_tui.cli.context import JsonOption, RunArgument, WorkspaceOption, get_workspace, print_json


def command(
    run: RunArgument,
    kill: Annotated[bool, typer.Option("--kill", help="End a running worker at once, unsaved.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a run to stop: it finishes its step, saves and can be resumed. A queued run never starts.

    \b
    Example: lovt stop last
    """
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.requests import ensure_scheduler, request_kill, request_stop

    place = get_workspace(workspace, reading=True)
    found = find_run(place, run)
    before = request_kill(found) if kill else request_stop(found)
    ensure_scheduler(place)
    if as_json:
        print_json({"id": found.id, "was": before.state, "asked": "kill" if kill else "stop"})
    elif before.state == "queued":
        sys.stdout.write(f"{found.id} was queued and will not start\n")
    else:
        sys.stdout.write(f"{found.id} is asked to {'die' if kill else 'save and stop'}\n")
