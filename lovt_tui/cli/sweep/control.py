"""`lovt sweep pause|resume|stop|extend|rebuild`."""

import sys
from typing import Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, print_json
from lovt_tui.cli.sweep.arguments import SweepArgument, check_hours, open_sweep


def pause_command(sweep: SweepArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Begin no more trials; those at work go on to their end.

    \b
    Example: lovt sweep pause temperatures
    """
    from lovt_core.sweeps.requests import pause_sweep

    folder = open_sweep(workspace, sweep)
    pause_sweep(folder)
    _tell(
        folder.name,
        "paused",
        f"{folder.name} begins no more trials; go on with: lovt sweep resume {folder.name}",
        as_json,
    )


def resume_command(sweep: SweepArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Go on with a paused, stopped or interrupted sweep; stopped runs go on from their checkpoints.

    \b
    Example: lovt sweep resume temperatures
    """
    from lovt_core.sweeps.requests import resume_sweep

    folder = open_sweep(workspace, sweep)
    resume_sweep(folder)
    _tell(folder.name, "running", f"{folder.name} goes on; look at it with: lovt sweep status {folder.name}", as_json)


def stop_command(sweep: SweepArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Ask all its runs to save and stop, and begin no more; `resume` goes on with the same trials.

    \b
    Example: lovt sweep stop temperatures
    """
    from lovt_core.sweeps.requests import stop_sweep

    folder = open_sweep(workspace, sweep)
    stop_sweep(folder)
    _tell(folder.name, "stopped", f"{folder.name} stops; go on with: lovt sweep resume {folder.name}", as_json)


def extend_command(
    sweep: SweepArgument,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="How many trials in all.")] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", help="After this time, from its beginning, none begins.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Trials at once.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change how long a sweep goes on and how many trials are at work at once; a finished one goes on.

    \b
    Example: lovt sweep extend temperatures --trials 40
    """
    from lovt_core.sweeps.requests import extend_sweep

    check_hours(hours)
    folder = open_sweep(workspace, sweep)
    extend_sweep(folder, trials, hours, jobs)
    config = folder.config()
    text = f"{folder.name}: {config.trials} trials" + (f", {config.hours:g} hours" if config.hours else "")
    _tell(folder.name, "running", text + (f", {config.jobs} at once" if config.jobs else ""), as_json)


def rebuild_command(sweep: SweepArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Put a study that was lost together again, from what is written down of its trials and from their runs.

    \b
    Example: lovt sweep rebuild temperatures
    """
    from lovt_core.sweeps.rebuilding import rebuild_sweep

    folder = open_sweep(workspace, sweep)
    count, num_open = rebuild_sweep(folder)
    if as_json:
        print_json({"sweep": folder.name, "trials": count, "open": num_open})
        return
    sys.stdout.write(
        f"{folder.name} has {count} trials again, {num_open} of them open: lovt sweep resume {folder.name}\n"
    )


def _tell(name: str, state: str, text: str, as_json: bool) -> None:
    if as_json:
        print_json({"sweep": name, "asked": state})
    else:
        sys.stdout.write(f"{text}\n")
