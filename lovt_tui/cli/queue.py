"""`lovt queue`: what waits and why; pause, move, clear, take, start at boot."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, RunArgument, WorkspaceOption, get_console, get_workspace, print_json

if TYPE_CHECKING:
    from lovt_core.runs.queueing.queue_report import WaitingRun
    from lovt_core.runs.workspace import Workspace

app = typer.Typer(invoke_without_command=True)


@app.callback()
def listing(context: typer.Context, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List queued runs in the order in which they start, with what each one waits for.

    \b
    Example: lovt queue
    """
    if context.invoked_subcommand is not None:
        return
    from lovt_core.runs.queueing.queue_report import read_queue
    from lovt_core.runs.queueing.requests import ensure_scheduler

    place = get_workspace(workspace, reading=True)
    report = read_queue(place)
    if report.waiting and not report.has_scheduler:
        ensure_scheduler(place)
    if as_json:
        print_json(asdict(report))
        return
    console = get_console()
    if not report.waiting:
        console.print(f"Nothing waits in {place.path}.", markup=False, soft_wrap=True)
    else:
        _print_table(report.waiting)
    if report.paused:
        console.print("The queue is paused: lovt queue resume", style="yellow")


def _print_table(waiting: "tuple[WaitingRun, ...]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "run", "priority", "waits because", box=None, pad_edge=False)
    for position, each in enumerate(waiting, start=1):
        table.add_row(str(position), Text(each.id), str(each.priority or ""), Text(each.reason))
    get_console().print(table)


@app.command(short_help="Start nothing more; what runs goes on.")
def pause(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Start nothing more until `lovt queue resume`; runs at work go on.

    \b
    Example: lovt queue pause
    """
    _set_paused(get_workspace(workspace, reading=True), paused=True)
    _tell({"paused": True}, "the queue is paused; runs at work go on", as_json=as_json)


@app.command(short_help="Start queued runs again.")
def resume(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Start queued runs again.

    \b
    Example: lovt queue resume
    """
    from lovt_core.runs.queueing.requests import ensure_scheduler

    place = get_workspace(workspace, reading=True)
    _set_paused(place, paused=False)
    ensure_scheduler(place)
    _tell({"paused": False}, "the queue goes on", as_json=as_json)


def _tell(facts: dict[str, Any], text: str, *, as_json: bool) -> None:
    print_json(facts) if as_json else sys.stdout.write(f"{text}\n")


def _set_paused(place: "Workspace", *, paused: bool) -> None:
    from lovt_core.runs.locks import holding
    from lovt_core.runs.queue_file import set_paused

    with holding(place.queue_lock):
        set_paused(place, paused)


@app.command(short_help="Change a run's turn.")
def move(
    run: RunArgument,
    first: Annotated[bool, typer.Option("--first", help="Before all others of its priority.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Behind all others of its priority.")] = False,
    before: Annotated[str | None, typer.Option("--before", metavar="RUN", help="Right before this queued run.")] = None,
    priority: Annotated[int | None, typer.Option("--priority", "-p", help="Higher ones start first.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the turn of a queued run.

    \b
    Example: lovt queue move 20261124-101500-covid-1a2b --first
    """
    from lovt_core.errors import InputError
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.locks import holding
    from lovt_core.runs.queue_file import move as move_run
    from lovt_core.runs.queueing.requests import label_run
    from lovt_core.runs.state import read_state

    if first + last + (before is not None) + (priority is not None) != 1:
        raise InputError("say where to: one of --first, --last, --before RUN, --priority N")
    place = get_workspace(workspace, reading=True)
    found = find_run(place, run)
    if (state := read_state(found).state) != "queued":
        raise InputError(f"run {found.id} is {state}: only queued runs can be moved")
    if priority is not None:
        label_run(found, "priority", priority)
    else:
        other = find_run(place, before) if before is not None else None
        if other is not None and read_state(other).state != "queued":
            raise InputError(f"--before: run {other.id} is not queued")
        with holding(place.queue_lock):
            move_run(place, found.id, "first" if first else "last" if last else "before", other.id if other else None)
    _tell({"id": found.id, "moved": True}, f"{found.id} is moved", as_json=as_json)


@app.command(short_help="Cancel everything that waits.")
def clear(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel all queued runs; what runs goes on.

    \b
    Example: lovt queue clear --yes
    """
    from contextlib import suppress

    from lovt_core.errors import InputError
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.queueing.queue_report import read_queue
    from lovt_core.runs.queueing.requests import ensure_scheduler, request_stop

    place = get_workspace(workspace, reading=True)
    waiting = read_queue(place).waiting
    if not waiting:
        _tell({"cancelled": []}, "nothing waits", as_json=as_json)
        return
    if not yes and not typer.confirm(f"Cancel {len(waiting)} queued runs?"):
        raise typer.Exit(1)
    cancelled = []
    for each in waiting:
        with suppress(InputError):  # it has started in the meantime
            request_stop(RunDirectory(place.runs / each.id))
            cancelled.append(each.id)
    ensure_scheduler(place)
    _tell({"cancelled": cancelled}, "\n".join(cancelled), as_json=as_json)


@app.command(short_help="Make a copied run this machine's own.")
def take(run: RunArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Make a run that was copied from another machine or folder at home here, so that it can start and be resumed.

    \b
    Example: lovt queue take 20261124-101500-covid-1a2b
    """
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.queueing.requests import request_take

    place = get_workspace(workspace, reading=True)
    found = find_run(place, run)
    state = request_take(place, found)
    hint = "" if state.state == "queued" else f"; it is {state.state}: lovt resume {found.id}"
    _tell({"id": found.id, "state": state.state}, f"{found.id} is at home here now{hint}", as_json=as_json)


@app.command(short_help="Start the queue again after a reboot.")
def autostart(
    remove: Annotated[bool, typer.Option("--remove", help="Take the unit away again.")] = False,
    show: Annotated[bool, typer.Option("--print", help="Print unit and crontab line, change nothing.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Install a systemd user unit that starts the queue at boot; without systemd, say the crontab line.

    \b
    Example: lovt queue autostart
    """
    from lovt_core.runs.queueing.autostart import crontab_line, describe_unit, install_unit, remove_unit

    place = get_workspace(workspace, reading=True)
    unit = describe_unit(place)
    if show:
        text = f"# {unit.path}\n{unit.text}\n# or, with cron:\n{crontab_line(place)}"
        _tell({"path": str(unit.path), "unit": unit.text, "crontab": crontab_line(place)}, text, as_json=as_json)
        return
    lines = remove_unit(place) if remove else install_unit(place)
    _tell({"path": str(unit.path), "done": lines}, "\n".join(lines), as_json=as_json)
