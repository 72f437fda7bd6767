"""Arguments that several commands of `lovt sweep` take."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import WorkspaceOption, get_workspace

if TYPE_CHECKING:
    from lovt_core.sweeps.folder import SweepFolder

SweepArgument = Annotated[str, typer.Argument(metavar="SWEEP", help="Name of the sweep, or how it begins.")]
ObjectiveOption = Annotated[int, typer.Option("--objective", min=1, help="Which of several objectives, from 1.")]


def check_hours(hours: float | None) -> None:
    """Raise InputError for a time that never comes."""
    from lovt_core.errors import InputError

    if hours is not None and not (math.isfinite(hours) and hours > 0):
        raise InputError(f"--hours: must be a finite number above 0, not {hours:g}")


def check_file(file: Path | None, option: str, force: bool) -> None:
    """As `check_out`, for a file that another option names."""
    from lovt_core.errors import InputError
    from lovt_tui.cli.output_file import check_out

    try:
        check_out(file, force)
    except InputError as error:
        raise InputError(str(error).replace("--out", option)) from error


def open_sweep(workspace: WorkspaceOption, name: str) -> "SweepFolder":
    """The sweep of that name; raises InputError when there is none."""
    from lovt_core.sweeps.folder import find_sweep

    return find_sweep(get_workspace(workspace, reading=True), name)
