"""`lovt resume`: go on with a run that ended early."""

import typer

from lovt_tui.cli.context import DetachOption, JsonOption, RunArgument, WorkspaceOption, get_workspace


def command(
    run: RunArgument,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a stopped, interrupted, failed or lost run from its last checkpoint, and follow it.

    Example: lovt resume 20261124-101500-covid
    """
    import sys

    from lovt_core.runs.directory import find_run
    from lovt_core.runs.requests import request_resume
    from lovt_tui.cli.follow import follow

    place = get_workspace(workspace)
    found = find_run(place, run)
    request_resume(place, found)
    if detach:
        sys.stdout.write(f"{found.id}\n")
        return
    raise typer.Exit(follow(place, found, as_json=as_json))
