"""`lovt export`: the comparison, curves and encoders as files for other programs."""

import io
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from lovt_tui.cli import export_encoder, export_figure, export_metrics
from lovt_tui.cli.context import WorkspaceOption, print_json
from lovt_tui.cli.output_file import ForceOption, OutOption, check_out, choose_format, write_out
from lovt_tui.cli.table_options import (
    PinOption,
    PublishedOption,
    SignificanceOption,
    TableChoice,
    TasksOption,
    build_comparison,
)

if TYPE_CHECKING:
    from lovt_core.results.comparison import Comparison

TableFormat = Literal["csv", "json", "md", "latex", "html", "sqlite"]
SUFFIXES: Final[dict[str, TableFormat]] = {
    ".csv": "csv",
    ".json": "json",
    ".md": "md",
    ".tex": "latex",
    ".html": "html",
    ".db": "sqlite",
    ".sqlite": "sqlite",
}

app = typer.Typer(invoke_without_command=True)
app.command("figure", short_help="Curves of runs as SVG, PDF or pgfplots.")(export_figure.command)
app.command("metrics", short_help="Metrics of runs as CSV or TensorBoard files.")(export_metrics.command)
app.command("encoder", short_help="An encoder's weights for other tools.")(export_encoder.command)


@app.callback()
def export(
    context: typer.Context,
    published: PublishedOption = False,
    tasks: TasksOption = None,
    pin: PinOption = None,
    interval: Annotated[
        Literal["student", "published"] | None,
        typer.Option(
            help="95 % interval: Student's t, or the paper's 1.96 standard errors [default: student; with "
            "--published in latex the paper's, so that its tables come out as printed]."
        ),
    ] = None,
    significance: SignificanceOption = False,
    table_format: Annotated[
        TableFormat | None, typer.Option("--format", "-f", help="[default: by the suffix of --out].")
    ] = None,
    standalone: Annotated[
        bool, typer.Option("--standalone", help="With latex: a whole document, ready for pdflatex.")
    ] = False,
    out: OutOption = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Export the comparison of all evaluated encoders (see lovt compare) as CSV, JSON, Markdown, LaTeX, HTML or SQLite.

    Subcommands take options of their own, after their name.

    \b
    Example: lovt export --published --format latex --out tables.tex
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from lovt_core.errors import InputError

    chosen = choose_format(table_format, out, SUFFIXES)
    if standalone and chosen != "latex":
        raise InputError(f"--standalone makes a LaTeX document: leave it out with {chosen}, or give --format latex")
    check_out(out, force)
    as_printed = published and chosen == "latex"
    rule = interval or ("published" if as_printed else "student")
    comparison = build_comparison(TableChoice(published, tasks, pin, rule, significance), workspace)
    if not comparison.rows:
        raise InputError("nothing is evaluated yet: run lovt evaluate, or add the paper's rows with --published")
    write_out(format_table(comparison, chosen, significance, standalone), out)


def _refuse_options(context: typer.Context) -> None:
    """A table's options before the name of a subcommand would be lost."""
    from lovt_core.errors import InputError

    if any(context.params.values()):
        raise InputError(
            f"options before '{context.invoked_subcommand}' belong to the table: put what is meant for "
            f"{context.invoked_subcommand} after its name"
        )


def format_table(comparison: "Comparison", table_format: TableFormat, significance: bool, standalone: bool) -> bytes:
    match table_format:
        case "csv":
            from lovt_core.results.export import to_csv

            return to_csv(comparison).encode()
        case "md":
            from lovt_core.results.export import to_markdown

            return to_markdown(comparison, significance).encode()
        case "json":
            return _json_text(comparison).encode()
        case "latex":
            from lovt_core.results.latex import to_latex

            return to_latex(comparison, significance, standalone).encode()
        case "html":
            from lovt_core.results.html import to_html

            return to_html(comparison, significance).encode()
        case "sqlite":
            from lovt_core.results.sqlite_export import to_sqlite

            return to_sqlite(comparison)


def _json_text(comparison: "Comparison") -> str:
    """The same as `lovt compare --json` prints."""
    from lovt_core.results.export import to_json

    text = io.StringIO()
    with redirect_stdout(text):
        print_json(to_json(comparison))
    return text.getvalue()
