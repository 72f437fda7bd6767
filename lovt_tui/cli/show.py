"""`lovt show`: one run in full."""

import sys
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
    from pathlib import Path

    from lovt_core.runs.index import Index
    from lovt_core.runs.records import RunRow


def command(
    run: RunArgument,
    config: Annotated[bool, typer.Option("--config", help="Print the experiment as YAML.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Print the worker's log.")] = False,
    metric: Annotated[
        str | None, typer.Option("--curve", metavar="METRIC", help="Print a metric over steps as CSV, e.g. val/loss.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: state, progress, newest and best metrics, results, what happened.

    \b
    Example: lovt show last --curve val/loss
    """
    from lovt_core.errors import InputError

    if config + log + (metric is not None) > 1:
        raise InputError("--config, --log and --curve exclude each other: give one of them")
    place = get_workspace(workspace, reading=True)
    index = open_index(place)
    row = index.run(run)
    folder = place.runs / row.id
    if config and as_json:
        print_json(row.experiment)
    elif config:
        sys.stdout.write((folder / "experiment.yaml").read_text(encoding="utf-8"))
    elif log:
        path = folder / "log.txt"
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        print_json({"id": row.id, "log": text}) if as_json else sys.stdout.write(text)
    elif metric is not None:
        _print_curve(index, row, metric, as_json=as_json)
    elif as_json:
        events = [asdict(event) for event in index.events(row.id)]
        print_json({**asdict(row), "path": folder, "metrics": index.metric_names(row.id), "events": events})
    else:
        _print_run(index, row, folder)


def _print_curve(index: "Index", row: "RunRow", metric: str, *, as_json: bool) -> None:
    import csv

    from lovt_core.errors import InputError

    names = index.metric_names(row.id)
    if metric not in names:
        known = f"known metrics: {', '.join(names)}" if names else "it has no metrics yet"
        raise InputError(f"run {row.id} has no metric '{metric}'; {known}")
    curve = index.curve(row.id, metric)
    if as_json:
        print_json(asdict(curve))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("step", "epoch", "time", "value"))
    writer.writerows(zip(curve.steps, curve.epochs, curve.times, curve.values, strict=True))


def _print_run(index: "Index", row: "RunRow", folder: "Path") -> None:
    console = get_console()
    facts = [("run", row.id), ("state", f"{row.state}{', stop asked' if row.stop_asked else ''}")]
    facts += [("why", row.detail)] if row.detail else []
    facts += [("what", row.subject), ("attempt", str(row.attempt)), ("where", f"{row.host} {row.slot}".strip())]
    facts.append(("folder", str(folder)))
    if row.total:
        facts.append(("progress", f"{row.done} of {row.total} {row.unit}s, epoch {row.epoch:.2f}"))
    facts += [(f"best {name}", f"{value:.6g}") for name, value in sorted(row.best.items())]
    facts += [(name, f"{value:.6g}") for name, value in sorted(row.latest.items())]
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        console.print(f"{name:<{width}}  {text}", markup=False, soft_wrap=True)
    for event in index.events(row.id):
        if event.kind == "alarm":
            console.print(f"note: {event.data['message']}", markup=False, style="yellow", soft_wrap=True)
    for result in index.results(row.id):
        if result.data.get("type") == "cell":
            console.print(describe_cell(result.data), markup=False, soft_wrap=True)
