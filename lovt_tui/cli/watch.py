"""`lovt wait` and `lovt logs`: what runs do, for scripts and for eyes."""

import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import JsonOption, RunArgument, WorkspaceOption, get_workspace, print_json, visible
from lovt_tui.cli.stop import RunsArgument

if TYPE_CHECKING:
    from pathlib import Path

    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.state import RunState

LOOK_SECONDS = 0.25
TIMED_OUT = 124
"""As timeout(1) has it."""


def wait_command(
    runs: RunsArgument,
    timeout: Annotated[float | None, typer.Option("--timeout", min=0, metavar="SECONDS", help="Give up.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Wait until runs have ended: exit code 0 if all finished, 1 if any did not, 124 when the time is up.

    A stopped or lost run has ended; an interrupted or retried one goes on and is waited for.

    \b
    Example: lovt wait last && lovt compare
    """
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.queueing.requests import ensure_scheduler
    from lovt_core.runs.state import read_state

    place = get_workspace(workspace, reading=True)
    open_runs = {run.id: run for run in (find_run(place, text) for text in runs)}
    ended: dict[str, RunState] = {}
    ensure_scheduler(place)
    deadline = None if timeout is None else time.monotonic() + timeout
    while open_runs:
        for run in list(open_runs.values()):
            if (state := _find_end(run)) is not None:
                ended[run.id] = state
                del open_runs[run.id]
                if not as_json:
                    why = f": {state.detail.splitlines()[0]}" if state.detail else ""
                    sys.stdout.write(f"{run.id} {state.state}{visible(why)}\n")
                    sys.stdout.flush()
        if any(read_state(run).told_by_slurm for run in open_runs.values()):
            ensure_scheduler(place)  # what Slurm has ended is written down, and tried again, by a scheduler
        if not open_runs or (deadline is not None and time.monotonic() > deadline):
            break
        time.sleep(LOOK_SECONDS)
    if as_json:
        print_json({"ended": {run_id: asdict(state) for run_id, state in ended.items()}, "waited_for": list(open_runs)})
    all_well = all(state.state == "finished" for state in ended.values())
    raise typer.Exit(TIMED_OUT if open_runs else 0 if all_well else 1)


def _find_end(run: "RunDirectory") -> "RunState | None":
    """The state of a run that will not go on by itself."""
    from lovt_core.config.settings import load_settings
    from lovt_core.runs.queueing.endings import died_unrecorded
    from lovt_core.runs.queueing.retrying import default_retry, plan_retry
    from lovt_core.runs.state import read_state
    from lovt_core.runs.workspace import Workspace

    state = read_state(run)
    if state.is_active or state.state == "interrupted" or state.lock_held or died_unrecorded(state):
        return None
    settings = load_settings(Workspace(run.path.parent.parent).settings)
    return None if plan_retry(run, state, default_retry(settings)) is not None else state


def logs_command(
    run: RunArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the run ends; ctrl-c leaves it alone.")] = False,
    lines: Annotated[int | None, typer.Option("--lines", "-n", min=0, help="Only the last lines.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what a run's worker has written to stdout and stderr.

    \b
    Example: lovt logs last -f -n 20
    """
    from lovt_core.errors import InputError
    from lovt_core.runs.directory import find_run

    if follow and as_json:
        raise InputError("--follow has no end to write JSON at: leave one of them out")
    found = find_run(get_workspace(workspace, reading=True), run)
    if as_json:
        print_json({"id": found.id, "log": _read_tail(found.log, lines).decode(errors="replace")})
        return
    position = _print_tail(found.log, lines)
    while follow:
        ended = _find_end(found) is not None
        position = _print_from(found.log, position)
        if ended:
            return
        time.sleep(LOOK_SECONDS)


def _print_tail(path: "Path", lines: int | None) -> int:
    """Print the end of a file; where it ends."""
    size = path.stat().st_size if path.exists() else 0
    sys.stdout.write(_read_tail(path, lines).decode(errors="replace"))
    sys.stdout.flush()
    return size


def _read_tail(path: "Path", lines: int | None) -> bytes:
    """The last lines of a file, all by default; a missing one has none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    return content if lines is None else b"".join(content.splitlines(keepends=True)[-lines:] if lines else [])


def _print_from(path: "Path", position: int) -> int:
    try:
        with path.open("rb") as file:
            file.seek(position)
            content = file.read()
    except FileNotFoundError:
        return 0
    if content:
        sys.stdout.write(content.decode(errors="replace"))
        sys.stdout.flush()
    return position + len(content)
