"""`lovt du`: what takes the disk, by run and kind."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from lovt_core.runs.space.sizes import RunUsage
    from lovt_core.runs.space.usage import Usage
    from lovt_core.runs.workspace import Workspace

SHOWN = 30


def command(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Only these runs.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Largest runs shown.")] = SHOWN,
    show_all: Annotated[bool, typer.Option("--all", "-a", help="All runs.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what takes the disk: each run by kind of file, trash, prepared data, caches; largest first.

    \b
    Example: lovt du --limit 10
    """
    place = get_workspace(workspace, reading=True)
    if runs:
        _show_runs(place, runs, as_json=as_json)
        return
    from lovt_core.runs.space.usage import measure_workspace

    usage = measure_workspace(place)
    if as_json:
        print_json(_as_json(place, usage))
        return
    shown = usage.runs if show_all else usage.runs[:limit]
    if shown:
        get_console().print(_build_run_table(shown, usage.runs))
    if len(shown) < len(usage.runs):
        get_console().print(f"{len(shown)} of {len(usage.runs)} runs shown: --all shows the rest", markup=False)
    get_console().print(_build_rest_table(place, usage))


def _show_runs(workspace: "Workspace", texts: list[str], *, as_json: bool) -> None:
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.space.sizes import Scale, measure_run

    scale = Scale()
    found = {run.id: run for run in (find_run(workspace, text) for text in texts)}
    rows = sorted((measure_run(run, scale) for run in found.values()), key=lambda row: -row.total)
    if as_json:
        print_json([_run_as_json(row) for row in rows])
    else:
        get_console().print(_build_run_table(rows, rows))


def _build_run_table(shown: "Sequence[RunUsage]", counted: "Sequence[RunUsage]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from lovt_core.runs.space.sizes import KINDS, format_size

    table = Table(box=None, pad_edge=False, show_footer=len(counted) > 1)
    table.add_column("run", f"{len(counted)} runs", overflow="ellipsis", no_wrap=True)
    table.add_column("total", format_size(sum(row.total for row in counted)), justify="right", no_wrap=True)
    for kind in KINDS:
        total = sum(row.bytes[kind] for row in counted)
        table.add_column(kind, format_size(total) if total else "", justify="right", no_wrap=True)
    for row in shown:
        cells = [format_size(row.bytes[kind]) if row.bytes[kind] else "" for kind in KINDS]
        table.add_row(Text(row.id), format_size(row.total), *cells)
    return table


def _build_rest_table(workspace: "Workspace", usage: "Usage") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from lovt_core.runs.space.sizes import format_size

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, justify="right")
    table.add_column()
    runs = sum(run.total for run in usage.runs)
    lines = [(runs, f"{len(usage.runs)} runs"), (usage.trash, "trash (lovt rm --empty)")]
    lines += [
        (each.num_bytes, f"prepared data {each.data_set} {each.version}{', current' if each.is_current else ''}")
        for each in usage.prepared
    ]
    lines += [(usage.features, "feature caches"), (usage.index, "index"), (usage.other, "everything else")]
    for num_bytes, what in sorted(lines, key=lambda line: -line[0]):
        if num_bytes:
            table.add_row(format_size(num_bytes), Text(what))
    table.add_row(format_size(usage.total), Text(f"in all; {_free(workspace)} free on the disk of {workspace.path}"))
    return table


def _free(workspace: "Workspace") -> str:
    import shutil

    from lovt_core.runs.space.sizes import format_size

    return format_size(shutil.disk_usage(workspace.path).free)


def _run_as_json(row: "RunUsage") -> dict[str, Any]:
    return {"id": row.id, "total": row.total, **{str(kind): size for kind, size in row.bytes.items()}}


def _as_json(workspace: "Workspace", usage: "Usage") -> dict[str, Any]:
    import shutil
    from dataclasses import asdict

    return {
        "runs": [_run_as_json(row) for row in usage.runs],
        "prepared": [asdict(each) for each in usage.prepared],
        "trash": usage.trash,
        "features": usage.features,
        "index": usage.index,
        "other": usage.other,
        "total": usage.total,
        "free": shutil.disk_usage(workspace.path).free,
    }
