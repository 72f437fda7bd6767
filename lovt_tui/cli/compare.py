"""`lovt compare`: encoders by tasks."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, open_index, print_json

if TYPE_CHECKING:
    from lovt_core.results.comparison import Comparison


def command(
    published: Annotated[bool, typer.Option("--published", help="Add the paper's rows.")] = False,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--task", "-t", metavar="PATTERN", help="Task id, number, glob or suite [default: evaluated ones]."
        ),
    ] = None,
    pin: Annotated[
        str | None, typer.Option(metavar="LABEL", help="Show differences to this row (its label or beginning).")
    ] = None,
    interval: Annotated[
        Literal["student", "published"],
        typer.Option(help="95 % interval: Student's t, or the paper's 1.96 standard errors."),
    ] = "student",
    significance: Annotated[
        bool, typer.Option("--significance", help="Mark significant differences to the pin (Welch's t, Holm).")
    ] = False,
    text_format: Annotated[
        Literal["table", "md", "csv"], typer.Option("--format", "-f", help="table, md (Markdown) or csv.")
    ] = "table",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare all evaluated encoders: mean test score and 95 % interval of each on each task.

    Scores share a column only where task, protocol, data and split are the same; letters lead to footnotes. The best of
    a column is bold, the second best underlined.

    \b
    Example: lovt compare --published --task rsna --pin imagenet --significance
    """
    from lovt_core.errors import InputError
    from lovt_core.results.cells import collect_cells
    from lovt_core.results.comparison import ComparisonOptions, compare
    from lovt_core.results.imported import load_imported
    from lovt_core.results.published import load_published
    from lovt_core.tasks import expand_tasks

    if as_json and text_format != "table":
        raise InputError(f"--json and --format {text_format} exclude each other: give one of them")
    if significance and pin is None:
        raise InputError("--significance tests against one row: name it with --pin LABEL")
    place = get_workspace(workspace, reading=True)
    index = open_index(place)
    options = ComparisonOptions(expand_tasks(tasks) if tasks else None, pin, interval)
    shown = load_published() if published else ()
    comparison = compare(collect_cells(index.results()), shown, index.runs(), options, load_imported(place.path))
    if as_json:
        from lovt_core.results.export import to_json

        print_json(to_json(comparison))
    else:
        _print_text(comparison, text_format, with_significance=significance)


def _print_text(comparison: "Comparison", text_format: str, *, with_significance: bool) -> None:
    from lovt_core.results.export import to_csv, to_markdown
    from lovt_core.results.rich_table import render_comparison

    if text_format == "csv":
        sys.stdout.write(to_csv(comparison))
    elif text_format == "md":
        sys.stdout.write(to_markdown(comparison, with_significance))
    elif comparison.rows:
        get_console().print(render_comparison(comparison, with_significance))
    else:
        get_console().print("No evaluations. Try: lovt evaluate imagenet --task covid-linear", markup=False)
