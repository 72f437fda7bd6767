"""`lovt stop` and `lovt kill`: end runs."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, print_json

if TYPE_CHECKING:
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.state import RunState

RunsArgument = Annotated[list[str], typer.Argument(metavar="RUN...", help="Run ids, prefixes, names, or `last`.")]


def command(
    runs: RunsArgument,
    kill: Annotated[bool, typer.Option("--kill", help="End running workers at once, unsaved.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask runs to stop: each finishes its step, saves and can be resumed. A queued run never starts.

    \b
    Example: lovt stop last
    """
    from lovt_core.runs.queueing.requests import request_kill, request_stop

    if kill:
        _end(runs, workspace, request_kill, "kill", as_json=as_json)
    else:
        _end(runs, workspace, request_stop, "stop", as_json=as_json)


def kill_command(runs: RunsArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """End running workers at once; what they have not saved is lost. Only processes of this workspace are touched.

    \b
    Example: lovt kill 20261124-101500-covid-1a2b
    """
    from lovt_core.runs.queueing.requests import request_kill

    _end(runs, workspace, request_kill, "kill", as_json=as_json)


def _end(
    texts: list[str],
    workspace: WorkspaceOption,
    request: "Callable[[RunDirectory], RunState]",
    asked: str,
    *,
    as_json: bool,
) -> None:
    """Ask each run; all names are looked up before the first one is asked."""
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.queueing.requests import ensure_scheduler

    place = get_workspace(workspace, reading=True)
    found = [find_run(place, text, alone=True) for text in texts]
    answers = []
    for run in found:
        before = request(run)
        answers.append({"id": run.id, "was": before.state, "asked": asked})
        if not as_json:
            what = {"stop": "is asked to save and stop", "kill": "is asked to die"}[asked]
            sys.stdout.write(f"{run.id} {'was queued and will not start' if before.state == 'queued' else what}\n")
    ensure_scheduler(place)
    if as_json:
        print_json(answers[0] if len(answers) == 1 else answers)
