"""Arguments that several commands of `lovt sweep` take."""

from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import WorkspaceOption, get_workspace

if TYPE_CHECKING:
    from lovt_core.sweeps.folder import SweepFolder

SweepArgument = Annotated[str, typer.Argument(metavar="SWEEP", help="Name of the sweep, or how it begins.")]
ObjectiveOption = Annotated[int, typer.Option("--objective", min=1, help="Which of several objectives, from 1.")]


def open_sweep(workspace: WorkspaceOption, name: str) -> "SweepFolder":
    """The sweep of that name; raises InputError when there is none."""
    from lovt_core.sweeps.folder import find_sweep

    return find_sweep(get_workspace(workspace, reading=True), name)
