"""`lovt sweep status`: all sweeps, or one with its trials. Opens no storage and loads no Optuna."""

import sys
import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.sweep.arguments import open_sweep
from lovt_tui.cli.sweep.trial_table import STYLES, choose_shown, trial_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lovt_core.config.sweep import SweepConfig
    from lovt_core.runs.workspace import Workspace
    from lovt_core.sweeps.folder import SweepFolder
    from lovt_core.sweeps.trials import Trial

WATCH_SECONDS = 2.0
BEGIN_SECONDS = 15.0
"""What a coordinator may take to begin after it was asked for."""


def command(
    sweep: Annotated[str | None, typer.Argument(metavar="[SWEEP]", help="Name of one sweep [default: all].")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Newest trials shown.")] = 20,
    sort: Annotated[Literal["number", "value"], typer.Option(help="Newest trials last, or the best first.")] = "number",
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds until ctrl-c.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all sweeps, or show one: how many trials, the best so far, what is at work.

    A coordinator that has died is started again.

    \b
    Example: lovt sweep status temperatures --sort value
    """
    from lovt_core.errors import InputError

    if watch and as_json:
        raise InputError("--watch draws on the screen: leave --json out")
    if sweep is None:
        _print_all(get_workspace(workspace, reading=True), as_json=as_json)
        return
    folder = open_sweep(workspace, sweep)
    _revive_or_say(folder)
    if as_json:
        print_json(describe(folder))
    elif watch:
        _watch(folder, limit, sort)
    else:
        _print_one(folder, limit, sort)


def _revive_or_say(folder: "SweepFolder") -> None:
    """What is written down of a sweep can be looked at whatever keeps it from going on."""
    from lovt_core.errors import LovtError

    try:
        revive(folder)
    except LovtError as error:
        sys.stderr.write(f"{error}\n")


def revive(folder: "SweepFolder") -> None:
    """Start the coordinator again where it has died, and say so; raises InputError where the study is lost."""
    from lovt_core.sweeps.folder import read_sweep_state

    asked = max(path.stat().st_mtime for path in (folder.path / "sweep.yaml", folder.control) if path.exists())
    if read_sweep_state(folder) == "interrupted" and time.time() - asked > BEGIN_SECONDS:
        from lovt_core.sweeps.requests import ensure_coordinator

        ensure_coordinator(folder)
        sys.stderr.write(f"the coordinator of {folder.name} was not running: started again\n")


def describe(folder: "SweepFolder") -> dict[str, Any]:
    """One sweep as JSON values."""
    from lovt_core.sweeps.folder import find_stop_reason, read_sweep_state, read_warnings
    from lovt_core.sweeps.trials import best_trials, display_state

    config, trials, state = folder.config(), folder.trials(), read_sweep_state(folder)
    minimized = tuple(each.is_minimized for each in config.objective)
    return {
        "sweep": folder.name,
        "state": state,
        "reason": find_stop_reason(folder),
        "warnings": list(read_warnings(folder)),
        "objectives": [each.name for each in config.objective],
        "trials_wanted": config.trials,
        "counts": dict(Counter(trial.state for trial in trials)),
        "best": [trial.number for trial in best_trials(trials, minimized)],
        "trials": [
            {
                **asdict(trial),
                "display_state": display_state(trial, state),
                "seconds": trial.seconds,
                "queued_seconds": trial.queued_seconds,
            }
            for trial in trials
        ],
    }


def _print_all(workspace: "Workspace", *, as_json: bool) -> None:
    from lovt_core.sweeps.folder import list_sweeps, read_sweep_state
    from lovt_core.sweeps.trials import display_state

    rows: list[dict[str, Any]] = []
    for folder in list_sweeps(workspace):
        state = read_sweep_state(folder)
        counts = Counter(str(display_state(trial, state)) for trial in folder.trials())
        rows.append({"sweep": folder.name, "state": state, "trials": counts.total(), **counts})
    if as_json:
        print_json(rows)
        return
    console = get_console()
    if not rows:
        console.print(f"No sweep in {workspace.path} yet: lovt sweep run FILE", markup=False, soft_wrap=True)
        return
    from rich.table import Table

    table = Table("sweep", "state", "trials", *STYLES, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(str(row.get(key, "")) for key in ("sweep", "state", "trials", *STYLES)))
    console.print(table)


def _print_one(folder: "SweepFolder", limit: int, sort: str) -> None:
    from lovt_core.sweeps.folder import read_sweep_state, read_warnings

    console = get_console()
    config, trials = folder.config(), folder.trials()
    console.print(head_line(folder, config, trials), markup=False, soft_wrap=True)
    for warning in read_warnings(folder):
        console.print(f"warning: {warning}", markup=False, soft_wrap=True, style="yellow")
    if line := best_line(config, trials):
        console.print(line, markup=False, soft_wrap=True)
    if trials:
        best = {trial.number for trial in find_best(config, trials)}
        shown = choose_shown(config, trials, limit, sort)
        console.print(trial_table(config, shown, best, console.width, read_sweep_state(folder)))
        if len(trials) > limit:
            console.print(f"{len(trials) - limit} more: --limit {len(trials)}", style="dim")


def _watch(folder: "SweepFolder", limit: int, sort: str) -> None:
    console = get_console()
    try:
        while True:
            console.clear()
            _print_one(folder, limit, sort)
            time.sleep(WATCH_SECONDS)
            _revive_or_say(folder)
    except KeyboardInterrupt:
        sys.stderr.write(f"{folder.name} goes on\n")


def head_line(folder: "SweepFolder", config: "SweepConfig", trials: "Sequence[Trial]") -> str:
    """State and counts."""
    from lovt_core.sweeps.folder import find_stop_reason, read_sweep_state
    from lovt_core.sweeps.trials import display_state

    state, reason = read_sweep_state(folder), find_stop_reason(folder)
    counts = Counter(str(display_state(trial, state)) for trial in trials)
    told = ", ".join(f"{counts[each]} {each}" for each in STYLES if counts[each])
    done = sum(trial.state != "running" for trial in trials)
    shown = f"{state} ({reason})" if reason else state
    return f"{folder.name}: {shown}, {done} of {config.trials} trials{f' ({told})' if told else ''}"


def best_line(config: "SweepConfig", trials: "Sequence[Trial]") -> str:
    """The best trial so far, or how many are on the front; nothing while there is none."""
    best = find_best(config, trials)
    if not best:
        return ""
    if len(config.objective) > 1:
        return f"{len(best)} trials on the Pareto front: {', '.join(str(trial.number) for trial in best)}"
    return f"best: trial {best[0].number}, {config.objective[0].name} {best[0].values[0]:.5g}"


def find_best(config: "SweepConfig", trials: "Sequence[Trial]") -> "tuple[Trial, ...]":
    """The best trial, or the Pareto front."""
    from lovt_core.sweeps.trials import best_trials

    return best_trials(trials, tuple(each.is_minimized for each in config.objective))
