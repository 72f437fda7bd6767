"""`lovt runs`: list runs."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, open_index, print_json

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow


def command(
    state: Annotated[str | None, typer.Option(help="Only runs in this state.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Newest runs shown.")] = 50,
    show_all: Annotated[bool, typer.Option("--all", "-a", help="All runs.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first.

    \b
    Example: lovt runs --state failed --json
    """
    from typing import get_args

    from lovt_core.errors import InputError
    from lovt_core.runs.state import State

    if state is not None and state not in get_args(State):
        raise InputError(f"unknown state '{state}': one of {', '.join(get_args(State))}")
    place = get_workspace(workspace, reading=True)
    index = open_index(place)
    rows = [row for row in index.runs() if state is None or row.state == state]
    shown = rows if show_all else rows[:limit]
    if as_json:
        print_json([asdict(row) for row in shown])
        return
    if not rows:
        kind = f"{state} runs" if state else "runs"
        get_console().print(f"No {kind} in {place.path}. Try: lovt demo", markup=False, soft_wrap=True)
    else:
        _print_table(shown, len(rows))
    for run_id, reason in index.broken.items():
        get_console(stderr=True).print(f"cannot read {run_id}: {reason}", markup=False, style="yellow", soft_wrap=True)


def _print_table(rows: "list[RunRow]", total: int) -> None:
    from rich.table import Table

    console = get_console()
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "state", "what", "progress", "best", "age"):
        table.add_column(heading, overflow="ellipsis", no_wrap=heading not in ("what", "best"))
    for row in rows:
        progress = f"{100 * row.share:.0f} %" if row.share is not None else ""
        best = next((f"{name} {value:.4g}" for name, value in row.best.items() if name == "val/loss"), "")
        table.add_row(row.id, row.state, row.subject, progress, best, _age(row.created))
    console.print(table)
    if len(rows) < total:
        console.print(f"{len(rows)} of {total} runs shown: --all shows the rest", markup=False)


def _age(created: float) -> str:
    seconds = max(0.0, time.time() - created)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
