"""`lovt sweep export`: trials as files for other programs."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, print_json
from lovt_tui.cli.output_file import ForceOption
from lovt_tui.cli.sweep.arguments import SweepArgument, check_file, open_sweep

Format = Literal["csv", "json", "md", "latex"]
SUFFIXES: dict[str, Format] = {".csv": "csv", ".json": "json", ".md": "md", ".tex": "latex"}


def command(
    sweep: SweepArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File [default: standard output].")
    ] = None,
    text_format: Annotated[
        Format | None, typer.Option("--format", "-f", help="[default: by the file's name, else csv]")
    ] = None,
    sqlite: Annotated[
        Path | None, typer.Option("--sqlite", metavar="FILE", help="Optuna's study as a new SQLite file, instead.")
    ] = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all trials with parameters, values, states, durations and run ids.

    \b
    Example: lovt sweep export temperatures --out trials.csv
    """
    from lovt_core.errors import InputError
    from lovt_core.sweeps.export import to_csv, to_json, to_latex, to_markdown
    from lovt_tui.cli.output_file import check_out, choose_format, write_out

    folder = open_sweep(workspace, sweep)
    if sqlite is not None:
        if out is not None or text_format is not None:
            raise InputError("--sqlite writes the study itself: leave --out and --format out")
        from lovt_core.sweeps.study import copy_study

        check_file(sqlite, "--sqlite", force=False)
        copy_study(folder, sqlite)
        if as_json:
            print_json({"sweep": folder.name, "path": sqlite})
        else:
            sys.stdout.write(f"{sqlite}\n")
        return
    chosen = "json" if as_json else choose_format(text_format or (None if out else "csv"), out, SUFFIXES)
    check_out(out, force)
    config, trials = folder.config(), folder.trials()
    if chosen == "json":
        text = json.dumps(to_json(trials, config), indent=1, ensure_ascii=False) + "\n"
    else:
        text = {"csv": to_csv, "md": to_markdown, "latex": to_latex}[chosen](trials, config)
    write_out(text.encode(), out)
