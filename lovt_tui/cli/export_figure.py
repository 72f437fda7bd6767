"""`lovt export figure`: curves of runs."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, open_index, print_json
from lovt_tui.cli.output_file import ForceOption, OutOption, check_out, choose_format, write_out

if TYPE_CHECKING:
    from lovt_core.results.figures import Figure
    from lovt_core.runs.indexing.index import Index
    from lovt_core.runs.records import Curve

FigureFormat = Literal["svg", "pdf", "pgfplots"]
_SUFFIXES: Final[dict[str, FigureFormat]] = {".svg": "svg", ".pdf": "pdf", ".tex": "pgfplots"}


def command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run ids, unique prefixes, names, or `last`.")],
    metric: Annotated[str, typer.Option("--metric", "-m", help="Metric, such as val/loss (see lovt show RUN).")],
    x_axis: Annotated[
        Literal["step", "epoch", "time"], typer.Option("--x", help="Horizontal axis; time counts from the first point.")
    ] = "step",
    smooth: Annotated[int, typer.Option("--smooth", min=1, help="Draw the mean of so many neighbouring points.")] = 1,
    log: Annotated[bool, typer.Option("--log", help="Logarithmic vertical axis.")] = False,
    figure_format: Annotated[
        FigureFormat | None, typer.Option("--format", "-f", help="[default: by the suffix of --out].")
    ] = None,
    out: OutOption = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a metric of one or several runs. Values that are not finite leave a gap.

    \b
    Example: lovt export figure last --metric val/loss --out loss.svg
    """
    from lovt_core.errors import InputError
    from lovt_core.results.figures import build_figure

    chosen = choose_format(figure_format, out, _SUFFIXES)
    if out is None and (as_json or chosen == "pdf"):
        raise InputError("a PDF and --json need a file for the figure: give --out FILE")
    check_out(out, force)
    index = open_index(get_workspace(workspace, reading=True))
    curves = {label: _smooth(curve, smooth) for label, curve in _read_curves(index, runs, metric).items()}
    figure = build_figure(curves, x_axis, log)
    write_out(_draw(figure, chosen), out)
    if as_json:
        drawn = [{"run": curve.label, "points": len(curve.x)} for curve in figure.curves]
        print_json({"file": out, "format": chosen, "metric": metric, "curves": drawn})


def _read_curves(index: "Index", runs: list[str], metric: str) -> "dict[str, Curve]":
    """Label -> curve; a run's label is its name where that tells it apart."""
    from lovt_core.errors import InputError

    rows = list({row.id: row for row in map(index.run, runs)}.values())
    names = [row.name for row in rows]
    curves = {}
    for row in rows:
        known = index.metric_names(row.id)
        if metric not in known:
            hint = f"known metrics: {', '.join(known)}" if known else "it has no metrics yet"
            raise InputError(f"run {row.id} has no metric '{metric}'; {hint}")
        curves[row.name if names.count(row.name) == 1 else row.id] = index.curve(row.id, metric)
    return curves


def _smooth(curve: "Curve", window: int) -> "Curve":
    """As the dashboard smooths."""
    import numpy as np

    from lovt_tui.widgets.thinning import smooth

    return replace(curve, values=tuple(smooth(np.asarray(curve.values, dtype=float), window).tolist()))


def _draw(figure: "Figure", figure_format: FigureFormat) -> bytes:
    from lovt_core.results.figures import draw, to_pgfplots

    return to_pgfplots(figure).encode() if figure_format == "pgfplots" else draw(figure, figure_format)
