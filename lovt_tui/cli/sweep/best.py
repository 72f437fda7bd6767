"""`lovt sweep best`: the winner beside the base, and as an experiment file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, print_json
from lovt_tui.cli.output_file import ForceOption
from lovt_tui.cli.sweep.arguments import SweepArgument, check_file, open_sweep
from lovt_tui.cli.sweep.trial_table import trial_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lovt_core.config.experiment import Experiment
    from lovt_core.sweeps.folder import SweepFolder
    from lovt_core.sweeps.trials import Trial

MAX_BESIDE = 4
"""Trials that stand beside the base; a larger front is a list."""


def command(
    sweep: SweepArgument,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the trial's experiment, ready to run.")
    ] = None,
    trial: Annotated[int | None, typer.Option("--trial", min=0, help="Another finished trial than the best.")] = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the best trial's settings beside the base's; of several objectives the Pareto front.

    \b
    Example: lovt sweep best temperatures --save best.yaml
    """
    from lovt_core.errors import InputError
    from lovt_tui.cli.output_file import write_out

    check_file(save, "--save", force)
    folder = open_sweep(workspace, sweep)
    chosen = choose(folder, trial)
    if save is not None and len(chosen) > 1:
        numbers = ", ".join(str(each.number) for each in chosen)
        raise InputError(f"several trials are on the Pareto front: choose one with --trial: {numbers}")
    base = folder.read().base
    if save is not None:
        write_out(write_experiment(folder, chosen[0], base).encode(), save)
    if as_json:
        print_json([_describe(each, base) for each in chosen])
        return
    _print(folder, chosen, base)
    if save is not None:
        sys.stderr.write(f"wrote {save}: lovt pretrain {save}\n")


def choose(folder: "SweepFolder", number: int | None) -> "tuple[Trial, ...]":
    """The best trials, or the finished one of that number; raises InputError where there is none."""
    from lovt_core.errors import InputError
    from lovt_core.sweeps.trials import best_trials

    trials = folder.trials()
    if number is None:
        best = best_trials(trials, folder.minimized)
        if not best:
            raise InputError(f"no trial of {folder.name} has finished yet")
        return best
    found = next((each for each in trials if each.number == number), None)
    if found is None or found.state != "finished":
        state = "not there" if found is None else found.state
        raise InputError(f"trial {number} of {folder.name} is {state}: name a finished one")
    return (found,)


def make_experiment(base: "Experiment", trial: "Trial", name: str) -> "Experiment":
    """The base with a trial's settings."""
    from lovt_core.config.loading import change_experiment

    return change_experiment(base, trial.settings).model_copy(update={"name": name})


def write_experiment(folder: "SweepFolder", trial: "Trial", base: "Experiment") -> str:
    """The experiment of a trial as a file, with a head that says where it comes from."""
    from lovt_core.config.loading import dump_experiment

    name = f"{folder.name[:50]}-best"
    objectives = folder.config().objective
    values = ", ".join(f"{each.name} {value:.5g}" for each, value in zip(objectives, trial.values, strict=True))
    head = f"# Trial {trial.number} of the sweep {folder.name}: {values}. Chosen as the best of\n"
    head += f"# {len(folder.trials())}, so expect less of it when it is run again with other seeds.\n"
    return head + dump_experiment(make_experiment(base, trial, name))


def look_up(experiment: "Experiment", key: str) -> Any:
    """The value under a key."""
    value: Any = experiment.model_dump(mode="json", by_alias=True)
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _describe(trial: "Trial", base: "Experiment") -> dict[str, Any]:
    return {
        "trial": trial.number,
        "values": list(trial.values),
        "settings": dict(trial.settings),
        "base": {key: look_up(base, key) for key in trial.settings},
        "runs": [run.id for run in trial.runs],
    }


def _print(folder: "SweepFolder", chosen: "Sequence[Trial]", base: "Experiment") -> None:
    from rich.table import Table
    from rich.text import Text

    objectives = folder.config().objective
    if len(chosen) > MAX_BESIDE:
        console = get_console()
        console.print(trial_table(folder.config(), chosen, set(), console.width))
        return
    table = Table("", "base", *(f"trial {each.number}" for each in chosen), box=None, pad_edge=False)
    started = next((each for each in folder.trials() if each.origin == "base" and each.state == "finished"), None)
    for place, objective in enumerate(objectives):
        values = [f"{each.values[place]:.5g}" for each in chosen]
        table.add_row(Text(objective.name), f"{started.values[place]:.5g}" if started else "", *values, style="bold")
    for key in dict.fromkeys(key for each in chosen for key in each.settings):
        cells = [_show(each.settings.get(key)) for each in chosen]
        table.add_row(Text(key), Text(_show(look_up(base, key))), *(Text(cell) for cell in cells))
    get_console().print(table)


def _show(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else "–" if value is None else str(value)
