"""Starting a sweep from a file, and confirming the winner of one: what would be done, then doing it. In threads."""

import re
from typing import TYPE_CHECKING

from lovt_core.errors import DataError, InputError
from lovt_tui.actions.sweeps import open_sweep
from lovt_tui.formatting import Cell, clean, plural
from lovt_tui.screens.confirm import Question

if TYPE_CHECKING:
    from lovt_core.config.sweep_file import Sweep
    from lovt_core.runs.workspace import Workspace
    from lovt_core.sweeps.folder import SweepFolder

REPEATS = 3
"""Trainings of each side of a confirmation, as `lovt sweep confirm` has them."""


def plan_start(workspace: "Workspace", file: str) -> Question:
    """What starting this file would do; raises ConfigError with every problem of the file on a line of its own."""
    sweep, _ = _load(workspace, file)
    config = sweep.config
    objectives = ", ".join(each.name for each in config.objective)
    jobs = f"{config.jobs} at once" if config.jobs else "as many at once as there are places"
    hours = f", none begins after {config.hours:g} h" if config.hours else ""
    return Question(
        f"Start the sweep {clean(config.name)}?",
        clean(
            f"{plural(config.trials, 'trial')} of {config.experiment}, {jobs}{hours}; {config.sampler.name} searches "
            f"{plural(len(config.space), 'parameter')} for the best {objectives}."
        ),
    )


def start_sweep(workspace: "Workspace", file: str) -> str:
    """Start it, detached, as `lovt sweep run --detach --as-new` does; the sweep's name."""
    from lovt_tui.cli.sweep.run import start_checked as start

    sweep, files = _load(workspace, file)
    return start(workspace, sweep, None, files, None).name


def _load(workspace: "Workspace", file: str) -> "tuple[Sweep, dict[str, str]]":
    """Where the file's name is taken the sweep gets the next free number behind it."""
    from lovt_tui.cli.sweep.run import load_sweep_file as load
    from lovt_tui.cli.sweep.run import rename

    sweep, files = load(file, {}, [])
    return rename(workspace, sweep), files


def plan_confirmation(workspace: "Workspace", name: str, trial: int | None) -> Question:
    """What confirming a trial, by default the best one, would queue; raises LovtError where none can be confirmed."""
    folder = open_sweep(workspace, name)
    number, tasks = _choose(folder, trial)
    judged = f", each evaluated on {plural(len(tasks), 'task')}" if tasks else ""
    ready = "" if len(tasks) in (0, _count_tasks()) else ": those whose data is prepared"
    return Question(
        f"Confirm trial {number} of {clean(name)}?",
        f"Queues {2 * REPEATS} trainings with fresh seeds, {REPEATS} of the base and {REPEATS} of trial {number}"
        f"{judged}{ready}. What is left of the difference is what the sweep has found. f shows how far they are.",
    )


def confirm_trial(workspace: "Workspace", name: str, trial: int | None) -> str:
    """Queue what the plan said."""
    from lovt_core.sweeps.confirming import queue_confirmation
    from lovt_tui.cli.sweep.best import choose

    folder = open_sweep(workspace, name)
    number, tasks = _choose(folder, trial)
    (chosen,) = choose(folder, number)
    queued = queue_confirmation(folder, chosen, tasks, REPEATS)
    return f"{plural(len(queued), 'training')} are queued; f shows what they say"


def _choose(folder: "SweepFolder", trial: int | None) -> tuple[int, list[str]]:
    """The trial, and the tasks whose data is prepared."""
    from lovt_tui.cli.sweep.best import choose

    chosen = choose(folder, trial)
    if len(chosen) > 1:
        raise InputError("several trials are on the Pareto front: put the cursor on one of them")
    return chosen[0].number, _find_ready_tasks(folder)


def _find_ready_tasks(folder: "SweepFolder") -> list[str]:
    """All tasks where all data is there, else those that could run; raises DataError where none could."""
    from lovt_core.tasks import TASKS
    from lovt_tui.cli.sweep.confirm import choose_tasks as check_tasks

    try:
        return check_tasks(folder, ["all"])
    except DataError as error:
        ready: list[str] = []
        for task in TASKS:
            try:
                ready += check_tasks(folder, [task.id])
            except DataError:
                continue
        if not ready:
            raise DataError(f"no task can be evaluated: {str(error).splitlines()[0]}") from error
        return ready


def _count_tasks() -> int:
    from lovt_core.tasks import TASKS

    return len(TASKS)


def find_confirmation_lines(workspace: "Workspace", name: str) -> tuple[tuple[Cell, ...], ...]:
    """How far the confirmation of a sweep is and what it says so far; empty where none was queued."""
    from collections import Counter

    from lovt_core.sweeps.confirming import WHICH, find_confirmation, read_confirmation
    from lovt_tui.cli.sweep.confirm import format_change as format_score
    from lovt_tui.cli.sweep.confirm import load_paper, tell_regression

    folder = open_sweep(workspace, name)
    there = find_confirmation(folder)
    if not there:
        return ()
    sides = {which: read_confirmation(folder, which, there) for which in WHICH}
    states = Counter(state for side in sides.values() for state in side.states)
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    lines = [(Cell("runs  ", "dim"), Cell(told)), (Cell(""),)]
    for which in WHICH:
        values = ", ".join(f"{value:.5g}" for value in sides[which].values) or "no repeat has finished yet"
        lines.append((Cell(f"{'base' if which == 'base' else f'trial {there[0].trial}':<10}", "dim"), Cell(values)))
    if tasks := list(dict.fromkeys(task for side in sides.values() for task in side.scores)):
        paper = load_paper()
        lines += [(Cell(""),), (Cell(f"{'task':<22}{'base (%)':>14}{'best (%)':>14}{'paper, 100 %':>16}", "dim"),)]
        for task in tasks:
            scores = "".join(f"{format_score(sides[which].scores.get(task, ())):>14}" for which in WHICH)
            lines.append((Cell(f"{task:<22}{scores}{paper.get(('LoVT (100 %)', task), ''):>16}"),))
    said = tell_regression(folder, there, sides)
    return (*lines, (Cell(""),), *((Cell(clean(part)),) for part in re.split(r"; |: ", said)))
