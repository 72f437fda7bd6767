"""`lovt show`: one run in full."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
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
    visible,
)
from lovt_tui.cli.follow import describe_cell, describe_said
from lovt_tui.cli.trained_run import Part

if TYPE_CHECKING:
    from lovt_core.runs.indexing.index import Index
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace


def command(
    run: RunArgument,
    config: Annotated[bool, typer.Option("--config", help="Print the experiment as YAML.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Print the worker's log.")] = False,
    metric: Annotated[
        str | None, typer.Option("--curve", metavar="METRIC", help="Print a metric over steps as CSV, e.g. val/loss.")
    ] = None,
    predictions: Annotated[
        bool, typer.Option("--predictions", help="Draw best, median and worst test image of each evaluated task.")
    ] = False,
    task: Annotated[
        str | None, typer.Option("--task", metavar="ID", help="Only predictions of this task (or glob, suite).")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Draw the predictions on one contact sheet (PNG) instead.")
    ] = None,
    regions: Annotated[
        bool, typer.Option("--regions", help="Draw the attention of some reports' sentences over the image.")
    ] = False,
    samples: Annotated[
        int | None, typer.Option("--samples", min=1, help="With --regions: how many samples [default: 4].")
    ] = None,
    part: Annotated[
        Part | None, typer.Option("--split", help="With --regions: training, validation [default] or test samples.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="With --regions: also save the pictures in this folder.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: state, progress, newest and best metrics, results, what happened; predictions; or its attention.

    \b
    Example: lovt show last --curve val/loss
    Example: lovt show last --regions --samples 2
    """
    from lovt_tui.cli.predictions import PredictionsRequest, show_predictions
    from lovt_tui.cli.regions import RegionsAsked, show_regions

    _check_what_is_asked(
        (config, log, metric is not None, predictions, regions),
        among_predictions=(task, sheet) != (None, None),
        of_regions=(samples, part, out) != (None, None, None),
    )
    place = get_workspace(workspace, reading=True)
    index = open_index(place)
    row = index.run(run)
    if predictions:
        show_predictions(place, row, PredictionsRequest(task, sheet, as_json))
    elif regions:
        show_regions(place, row.id, RegionsAsked(samples or 4, part or "validation", out, as_json))
    elif config or log:
        _print_file(row, place.runs / row.id, "experiment.yaml" if config else "log.txt", as_json=as_json)
    elif metric is not None:
        _print_curve(index, row, metric, as_json=as_json)
    elif as_json:
        _print_as_json(index, row, place.runs / row.id)
    else:
        _print_run(index, _tell_wait(place, row), place.runs / row.id)


def _check_what_is_asked(asked: tuple[bool, ...], *, among_predictions: bool, of_regions: bool) -> None:
    """Raise InputError for options that do not go together; the last two `asked` are predictions and regions."""
    from lovt_core.errors import InputError

    if sum(asked) > 1:
        raise InputError("--config, --log, --curve, --predictions and --regions exclude each other: give one of them")
    if among_predictions and not asked[-2]:
        raise InputError("--task and --sheet choose among predictions: give --predictions too")
    if of_regions and not asked[-1]:
        raise InputError("--samples, --split and --out choose what --regions shows: give --regions too")


def _print_as_json(index: "Index", row: "RunRow", path: Path) -> None:
    events = [asdict(event) for event in index.events(row.id)]
    print_json({**asdict(row), "path": path, "metrics": index.metric_names(row.id), "events": events})


def _print_file(row: "RunRow", folder: Path, name: str, *, as_json: bool) -> None:
    """The experiment or the log; a run that has not begun has an empty log."""
    if as_json and name == "experiment.yaml":
        print_json(row.experiment)
        return
    path = folder / name
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() or name != "log.txt" else ""
    print_json({"id": row.id, "log": text}) if as_json else sys.stdout.write(text)


def _print_curve(index: "Index", row: "RunRow", metric: str, *, as_json: bool) -> None:
    import csv

    from lovt_core.errors import InputError

    names = index.metric_names(row.id)
    if metric not in names:
        known = f"known metrics: {', '.join(names)}" if names else "it has no metrics yet"
        raise InputError(f"run {row.id} has no metric '{metric}'; {known}")
    curve = index.curve(row.id, metric)
    if as_json:
        columns = {"steps": curve.steps, "epochs": curve.epochs, "times": curve.times, "values": curve.values}
        print_json({"metric": curve.metric, **{name: list(numbers) for name, numbers in columns.items()}})
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("step", "epoch", "time", "value"))
    writer.writerows(zip(curve.steps, curve.epochs, curve.times, curve.values, strict=True))


def _tell_wait(place: "Workspace", row: "RunRow") -> "RunRow":
    """A queued run with what it waits for."""
    from lovt_core.runs.queueing.queue_report import read_queue

    if row.state != "queued":
        return row
    reason = next((each.reason for each in read_queue(place).waiting if each.id == row.id), "")
    return replace(row, detail=reason)


def _print_run(index: "Index", row: "RunRow", folder: Path) -> None:
    console = get_console()
    facts = [("run", row.id), ("state", f"{row.state}{', stop asked' if row.stop_asked else ''}")]
    facts += [("why", row.detail)] if row.detail else []
    facts += [("tags", " ".join(row.tags))] if row.tags else []
    facts += [("note", visible(row.remark))] if row.remark else []
    facts += [("what", row.subject), ("attempt", str(row.attempt)), ("where", f"{row.host} {row.slot}".strip())]
    facts.append(("folder", str(folder)))
    if row.total:
        epoch = f", epoch {row.epoch:.2f}" if row.epoch else ""
        facts.append(("progress", f"{row.done} of {row.total} {row.unit}s{epoch}"))
    facts += [(f"best {name}", f"{value:.6g}") for name, value in sorted(row.best.items())]
    facts += [(name, f"{value:.6g}") for name, value in sorted(row.latest.items())]
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        console.print(f"{name:<{width}}  {text}", markup=False, soft_wrap=True)
    for text, style in dict.fromkeys(filter(None, map(describe_said, index.events(row.id)))):
        console.print(text, markup=False, style=style, soft_wrap=True)
    for result in index.results(row.id):
        if result.data.get("type") == "cell":
            console.print(describe_cell(result.data), markup=False, soft_wrap=True)
