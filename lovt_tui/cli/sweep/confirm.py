"""`lovt sweep confirm`: what is left of a winner with fresh seeds."""

import math
import statistics
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, print_json
from lovt_tui.cli.sweep.arguments import SweepArgument, open_sweep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lovt_core.sweeps.confirming import Confirmed, Repeat, Which
    from lovt_core.sweeps.folder import SweepFolder

NOTE = (
    "± half width of the 95 % interval over the repeats (Student's t). The paper's rows are of its own data and "
    "splits; whether yours may stand beside them: lovt compare --published"
)
PAPER = ("LoVT (30 %)", "LoVT (100 %)")


def command(
    sweep: SweepArgument,
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", "--tasks", "-t", metavar="PATTERN", help="Id, glob or suite [default: all]."),
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=100, help="Trainings of each of the two.")] = 3,
    trial: Annotated[int | None, typer.Option("--trial", min=0, help="Another finished trial than the best.")] = None,
    fresh_seed: Annotated[
        int | None, typer.Option("--fresh-seed", min=0, help="First seed [default: the base's plus 10,000].")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Only show what there is; queue nothing.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train base and winner again with fresh seeds, evaluate both in full, and show them beside the paper's LoVT.

    The first call queues the runs, each later one shows how far they are and what they say.

    \b
    Example: lovt sweep confirm temperatures --task frozen --repeats 5
    """
    from lovt_core.errors import InputError
    from lovt_core.sweeps.confirming import WHICH, find_confirmation, queue_confirmation, read_confirmation
    from lovt_tui.cli.sweep.best import choose

    folder = open_sweep(workspace, sweep)
    there = find_confirmation(folder)
    if not there and show:
        raise InputError(f"{folder.name} has no confirmation yet: leave --show out to queue one")
    if not there:
        chosen = choose(folder, trial)
        if len(chosen) > 1:
            raise InputError("several trials are on the Pareto front: choose one with --trial")
        names = choose_tasks(folder, tasks or ["all"])
        there = queue_confirmation(folder, chosen[0], names, repeats, fresh_seed)
        sys.stderr.write(
            f"{2 * repeats} trainings are queued: lovt sweep confirm {folder.name} shows how far they are\n"
        )
        for repeat in there:
            sys.stderr.write("".join(f"{run}\n" for run in (repeat.training, repeat.evaluation) if run))
    sides = {which: read_confirmation(folder, which, there) for which in WHICH}
    if as_json:
        print_json(_as_json(folder, there, sides))
    else:
        _print(folder, there, sides)


def choose_tasks(folder: "SweepFolder", patterns: list[str]) -> list[str]:
    """Ids of the tasks, whose data must be prepared; none where trainings are of a kind that has no encoder."""
    from lovt_core.config.loading import find_experiment_file, load_experiment
    from lovt_core.tasks import expand_tasks
    from lovt_tui.cli.readiness import check_tasks

    sweep = folder.read()
    if sweep.base.kind != "pretrain":
        return []
    names = tuple(task.id for task in expand_tasks(patterns))
    evaluation = sweep.evaluation or load_experiment(find_experiment_file("evaluation/localized.yaml"))
    assert evaluation.kind == "evaluate"
    check_tasks(folder.workspace, evaluation.model_copy(update={"tasks": names}))
    return list(names)


def tell_regression(folder: "SweepFolder", there: "Sequence[Repeat]", sides: "Mapping[Which, Confirmed]") -> str:
    """What the winner was worth in the sweep, and what it is worth now."""
    objective = folder.config().objective[0]
    winner = next((each for each in folder.trials() if each.number == there[0].trial and each.values), None)
    best, base = sides["best"].values, sides["base"].values
    if winner is None or not best:
        return "regression to the mean: not known before the first repeat has finished"
    fresh = statistics.mean(best)
    text = (
        f"regression to the mean: {objective.name} of trial {winner.number} was {winner.values[0]:.5g} in the sweep "
        f"and is {fresh:.5g} with {len(best)} fresh seed{'s' if len(best) > 1 else ''}, {fresh - winner.values[0]:+.3g}"
    )
    return f"{text}; the base has {statistics.mean(base):.5g}" if base else text


def _print(folder: "SweepFolder", there: "Sequence[Repeat]", sides: "Mapping[Which, Confirmed]") -> None:
    from collections import Counter

    from rich.table import Table
    from rich.text import Text

    console = get_console()
    states = Counter(state for side in sides.values() for state in side.states)
    console.print(
        f"{folder.name}, runs: {', '.join(f'{count} {state}' for state, count in states.items())}", markup=False
    )
    tasks = list(dict.fromkeys(task for side in sides.values() for task in side.scores))
    if tasks:
        paper = load_paper()
        table = Table("task", "base (%)", f"trial {there[0].trial} (%)", *(f"paper, {row}" for row in PAPER), box=None)
        for task in tasks:
            own = [format_change(side.scores.get(task, ())) for side in (sides["base"], sides["best"])]
            table.add_row(task, *(Text(cell) for cell in own), *(paper.get((row, task), "") for row in PAPER))
        console.print(table)
        console.print(NOTE, markup=False, soft_wrap=True)
    console.print(tell_regression(folder, there, sides), markup=False, soft_wrap=True)


def load_paper() -> dict[tuple[str, str], str]:
    """Row and task -> the printed score."""
    from lovt_core.results.published import load_published
    from lovt_core.tasks import TASKS

    ids = {task.number: task.id for task in TASKS}
    return {
        (score.label, ids[score.task_number]): f"{100 * score.mean:.1f} ± {100 * score.ci95:.1f}"
        for score in load_published()
    }


def format_change(values: "Sequence[float]") -> str:
    """Mean and interval of the repeats' means, in per cent."""
    if not values:
        return "–"
    if len(values) < 2:
        return f"{100 * values[0]:.1f}"
    from scipy.stats import t as student_t

    half = float(student_t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{100 * statistics.mean(values):.1f} ± {100 * half:.1f}"


def _as_json(folder: "SweepFolder", there: "Sequence[Repeat]", sides: "Mapping[Which, Confirmed]") -> dict[str, object]:
    from dataclasses import asdict

    return {
        "sweep": folder.name,
        "trial": there[0].trial,
        "repeats": [asdict(repeat) for repeat in there],
        "sides": {which: asdict(side) for which, side in sides.items()},
        "regression": tell_regression(folder, there, sides),
    }
