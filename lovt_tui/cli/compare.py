"""`lovt compare`: encoders by tasks."""

import sys
from typing import Annotated, Literal

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, open_index, print_json


def command(
    published: Annotated[bool, typer.Option("--published", help="Add the paper's rows.")] = False,
    text_format: Annotated[
        Literal["table", "md", "csv"], typer.Option("--format", "-f", help="table, md (Markdown) or csv.")
    ] = "table",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare all evaluated encoders: mean test score and 95 % interval of each on each task.

    Scores share a column only where task, protocol, data and split are the same; letters lead to footnotes.

    \b
    Example: lovt compare --published --format md
    """
    from lovt_core.errors import InputError
    from lovt_core.results.cells import collect_cells
    from lovt_core.results.comparison import compare
    from lovt_core.results.export import to_csv, to_json, to_markdown
    from lovt_core.results.published import load_published
    from lovt_core.results.rich_table import render_comparison

    if as_json and text_format != "table":
        raise InputError(f"--json and --format {text_format} exclude each other: give one of them")
    collection = collect_cells(open_index(get_workspace(workspace, reading=True)).results())
    comparison = compare(collection, load_published() if published else ())
    if as_json:
        print_json(to_json(comparison))
    elif text_format == "csv":
        sys.stdout.write(to_csv(comparison))
    elif text_format == "md":
        sys.stdout.write(to_markdown(comparison))
    elif comparison.rows:
        get_console().print(render_comparison(comparison))
    else:
        get_console().print("No evaluations. Try: lovt evaluate imagenet --task covid-linear", markup=False)
