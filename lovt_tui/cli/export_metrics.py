"""`lovt export metrics`: metrics of runs for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, open_index, print_json
from lovt_tui.cli.output_file import ForceOption, check_out, write_out

if TYPE_CHECKING:
    from lovt_core.runs.indexing.index import Index
    from lovt_core.runs.records import Curve, RunRow

MetricsFormat = Literal["csv", "tensorboard"]


def command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run ids, unique prefixes, names, or `last`.")],
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", "-m", help="Only this metric; may be repeated [default: all].")
    ] = None,
    metrics_format: Annotated[
        MetricsFormat, typer.Option("--format", "-f", help="csv, or tensorboard (event files).")
    ] = "csv",
    wide: Annotated[
        bool, typer.Option("--wide", help="With csv: a column for each metric, a line for each step.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="File [default: stdout]; for tensorboard a folder, with one for each run.",
        ),
    ] = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the metrics of runs: CSV with a line for each value, or TensorBoard event files.

    Attempts are joined as in curves. Values that are not finite stay (`nan`, `inf`).

    \b
    Example: lovt export metrics last --format tensorboard --out logs
    """
    from lovt_core.errors import InputError

    if as_json and out is None:
        raise InputError("--json needs a file for the metrics: give --out PATH")
    if wide and metrics_format != "csv":
        raise InputError("--wide is a form of CSV: leave it out with tensorboard")
    if metrics_format == "csv":
        check_out(out, force)
    index = open_index(get_workspace(workspace, reading=True))
    rows = list({row.id: row for row in map(index.run, runs)}.values())
    curves = {row.id: _read_curves(index, row, metrics) for row in rows}
    files = _write_csv(curves, wide, out) if metrics_format == "csv" else _write_folders(rows, curves, out, force)
    if as_json:
        points = {run: sum(len(curve.steps) for curve in its_curves) for run, its_curves in curves.items()}
        print_json({"format": metrics_format, "files": files, "points": points})


def _read_curves(index: "Index", row: "RunRow", wanted: list[str] | None) -> "list[Curve]":
    from lovt_core.errors import InputError

    known = index.metric_names(row.id)
    for metric in wanted or ():
        if metric not in known:
            hint = f"known metrics: {', '.join(known)}" if known else "it has no metrics yet"
            raise InputError(f"run {row.id} has no metric '{metric}'; {hint}")
    if not known:
        raise InputError(f"run {row.id} has no metrics yet")
    return [index.curve(row.id, metric) for metric in wanted or known]


def _write_csv(curves: "dict[str, list[Curve]]", wide: bool, out: Path | None) -> list[Path]:
    from lovt_core.interop.metrics_csv import write_long, write_wide

    write_out((write_wide(curves) if wide else write_long(curves)).encode(), out)
    return [] if out is None else [out]


def _write_folders(rows: "list[RunRow]", curves: "dict[str, list[Curve]]", out: Path | None, force: bool) -> list[Path]:
    """A folder for each run, as TensorBoard shows folders as runs; each appears whole."""
    from lovt_core.errors import InputError
    from lovt_core.interop.tensorboard_files import name_event_file, publish_event_file

    if out is None:
        raise InputError("tensorboard needs a folder: give --out DIR")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file: name a folder")
    files = {row.id: out / row.id / name_event_file(row.created) for row in rows}
    taken = [file for file in files.values() if file.exists()]
    if taken and not force:
        raise InputError(f"{taken[0]} exists: give --force to replace it, or another folder")
    for run, file in files.items():
        publish_event_file(file, curves[run])
    return list(files.values())
