"""`lovt diff`: two runs side by side."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, open_index, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from lovt_core.runs.indexing.differences import Difference
    from lovt_core.runs.indexing.index import Index
    from lovt_core.runs.records import EventRow


def command(
    first: Annotated[str, typer.Argument(metavar="RUN", help="Run id, unique prefix, name, or `last`.")],
    second: Annotated[str, typer.Argument(metavar="RUN", help="The other run.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show in what two runs differ: settings, versions, machine; and their metrics side by side.

    \b
    Example: lovt diff last baseline
    """
    from lovt_core.runs.indexing.differences import compare_runs

    index = open_index(get_workspace(workspace, reading=True))
    rows = index.run(first), index.run(second)
    comparison = compare_runs(*rows, (_find_start(index, rows[0].id), _find_start(index, rows[1].id)))
    if as_json:
        print_json({"first": rows[0].id, "second": rows[1].id, **asdict(comparison)})
        return
    console = get_console()
    console.print(f"first   {rows[0].id}\nsecond  {rows[1].id}", markup=False, soft_wrap=True)
    parts = (("settings", comparison.settings), ("metrics", comparison.metrics), ("facts", comparison.facts))
    for title, differences in parts:
        console.print(f"\n{title}", style="bold")
        console.print(_build_table(differences) if differences else "  no difference")


def _find_start(index: "Index", run_id: str) -> "EventRow | None":
    """The newest `started` event."""
    return next(reversed(index.events(run_id, "started")), None)


def _build_table(differences: "tuple[Difference, ...]") -> "Table":
    import time

    from rich.table import Table
    from rich.text import Text

    from lovt_tui.cli.runs_table import format_value
    from lovt_tui.formatting import clean

    table = Table(box=None, pad_edge=False)
    for heading in ("", "first", "second"):
        table.add_column(heading, overflow="fold")
    for each in differences:
        values = [format_value("", value, time.time()) for value in (each.first, each.second)]
        table.add_row(*(Text(clean(text)) for text in (each.key, *values)))
    return table
