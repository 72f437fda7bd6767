"""`lovt show`: one run in full."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import (
    JsonOption,
    RunArgument,
    WorkspaceOption,
    get_console,
    get_workspace,
    open_index,
    print_json,
)
from lovt_tui.cli.follow import describe_cell

if TYPE_CHECKING:
    from lovt_core.runs.index import Index
    from lovt_core.runs.records import RunRow


def command(
    run: RunArgument,
    config: Annotated[bool, typer.Option("--config", help="Print the experiment as YAML.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Print the worker's log.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: state, progress, newest and best metrics, results, what happened.

    Example: lovt show last --config
    """
    import sys

    place = get_workspace(workspace)
    index = open_index(place)
    row = index.run(run)
    folder = place.runs / row.id
    if config:
        sys.stdout.write((folder / "experiment.yaml").read_text())
    elif log:
        path = folder / "log.txt"
        sys.stdout.write(path.read_text(errors="replace") if path.exists() else "")
    elif as_json:
        events = [asdict(event) for event in index.events(row.id)]
        print_json({**asdict(row), "path": folder, "metrics": index.metric_names(row.id), "events": events})
    else:
        _print_run(index, row)


def _print_run(index: "Index", row: "RunRow") -> None:
    console = get_console()
    facts = [("run", row.id), ("state", f"{row.state}{', stop asked' if row.stop_asked else ''}")]
    facts += [("why", row.detail)] if row.detail else []
    facts += [("what", row.subject), ("attempt", str(row.attempt)), ("where", f"{row.host} {row.slot}".strip())]
    if row.total:
        facts.append(("progress", f"{row.done} of {row.total} {row.unit}s, epoch {row.epoch:.2f}"))
    facts += [(f"best {name}", f"{value:.6g}") for name, value in sorted(row.best.items())]
    facts += [(name, f"{value:.6g}") for name, value in sorted(row.latest.items())]
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        console.print(f"{name:<{width}}  {text}", markup=False)
    for event in index.events(row.id):
        if event.kind == "alarm":
            console.print(f"note: {event.data['message']}", markup=False, style="yellow")
    for result in index.results(row.id):
        if result.data.get("type") == "cell":
            console.print(describe_cell(result.data), markup=False)
