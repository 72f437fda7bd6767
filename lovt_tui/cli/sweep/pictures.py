"""`lovt sweep importance|plot|report`: understanding a sweep."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, print_json
from lovt_tui.cli.output_file import ForceOption
from lovt_tui.cli.sweep.arguments import ObjectiveOption, SweepArgument, open_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from lovt_core.config.sweep import SweepConfig
    from lovt_core.sweeps.trials import Trial

Kind = Literal["history", "slice", "contour", "parallel", "intermediate", "pareto"]
MAX_WIDTH = 120


def importance_command(
    sweep: SweepArgument,
    method: Annotated[
        Literal["ped-anova", "fanova"], typer.Option(help="PED-ANOVA, or fANOVA (extra `sweep`).")
    ] = "ped-anova",
    objective: ObjectiveOption = 1,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how much each parameter decides the objective over the space that was searched.

    \b
    Example: lovt sweep importance temperatures --method fanova
    """
    from lovt_core.sweeps.importance import compute_importance
    from lovt_tui.sweeping.plots import draw_importance

    folder = open_sweep(workspace, sweep)
    found = compute_importance(folder.trials(), folder.config(), objective - 1, method)
    if as_json:
        print_json([{"parameter": each.name, "importance": each.value} for each in found])
    else:
        get_console().print(draw_importance(found, _width()))


def plot_command(
    sweep: SweepArgument,
    kind: Annotated[Kind, typer.Argument(help="What to draw.")] = "history",
    params: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME", help="Parameters; a contour takes two.")
    ] = None,
    objective: ObjectiveOption = 1,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw one view of a sweep in the terminal.

    \b
    Example: lovt sweep plot temperatures slice --param local-temperature
    """
    from dataclasses import asdict

    folder = open_sweep(workspace, sweep)
    config, trials = folder.config(), folder.trials()
    views = list(_views(kind, trials, config, objective - 1, params or []))
    if as_json:
        print_json([asdict(view) for view, _ in views])  # type: ignore[call-overload]
        return
    for _, drawing in views:
        get_console().print(drawing, markup=False, highlight=False)


def _views(
    kind: Kind, trials: "Sequence[Trial]", config: "SweepConfig", objective: int, params: list[str]
) -> "Iterator[tuple[object, Text | str]]":
    from lovt_core.errors import InputError
    from lovt_core.sweeps import views
    from lovt_core.sweeps.parameter_axes import find_axes, list_axes
    from lovt_tui.sweeping import plots as plots

    if params and kind not in ("slice", "contour"):
        raise InputError(f"--param goes with slice and contour: leave it out for {kind}")
    width = _width()
    match kind:
        case "history":
            history = views.compute_history(trials, config, objective)
            yield history, plots.draw_history(history, width)
        case "slice":
            for each in views.compute_slices(trials, config, objective, tuple(params)):
                yield each, plots.draw_slice(each, width)
        case "contour":
            given = [axis.name for name in params for axis in find_axes(config.space, name)]
            names = given or [axis.name for axis in list_axes(config.space)][:2]
            if len(names) != 2:
                raise InputError(f"a contour takes two parameters, not {len(names)} ({', '.join(names)}): name two")
            contour = views.compute_contour(trials, config, (names[0], names[1]), objective)
            yield contour, plots.draw_contour(contour, width)
        case "parallel":
            parallel = views.compute_parallel(trials, config, objective)
            yield parallel, plots.draw_parallel(parallel, width)
        case "intermediate":
            told = views.compute_intermediate(trials, config)
            yield told, plots.draw_intermediate(told, width) if told.curves else plots.explain_no_curves(config)
        case "pareto":
            for front in views.compute_fronts(trials, config):
                yield front, plots.draw_front(front, width)


def report_command(
    sweep: SweepArgument,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="[default: SWEEP.html]")] = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write facts, plots, importance and all trials into one HTML file that needs nothing else.

    \b
    Example: lovt sweep report temperatures --out sweep.html
    """
    from lovt_core.errors import InputError
    from lovt_core.sweeps.report import write_report
    from lovt_tui.cli.output_file import check_out

    folder = open_sweep(workspace, sweep)
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--out {out}: the report is an HTML page: give a name that ends in .html")
    file = out or Path(f"{folder.name}.html")
    check_out(file, force)
    write_report(folder, file)
    if as_json:
        print_json({"sweep": folder.name, "path": file})
    else:
        sys.stdout.write(f"{file}\n")


def _width() -> int:
    return min(get_console().width, MAX_WIDTH)
