"""`lovt sweep run`: start a sweep, or go on with it, and follow it."""

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import (
    DetachOption,
    JsonOption,
    SetOption,
    WorkspaceOption,
    get_console,
    get_workspace,
    print_json,
    visible,
)
from lovt_tui.cli.sweep.arguments import check_hours
from lovt_tui.cli.terms import SlurmOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lovt_core.config.sweep import SweepConfig
    from lovt_core.config.sweep_file import Sweep
    from lovt_core.runs.indexing.index import Index
    from lovt_core.runs.workspace import Workspace
    from lovt_core.sweeps.folder import SweepFolder
    from lovt_core.sweeps.trials import Trial

LOOK_SECONDS = 1.0


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Sweep file, or the name of a shipped one.")],
    name: Annotated[str | None, typer.Option("--name", help="Another name than the file's.")] = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="How many trials in all.")] = None,
    hours: Annotated[float | None, typer.Option("--hours", help="After this time no trial begins.")] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Trials at once.")] = None,
    overrides: SetOption = None,
    storage: Annotated[
        str | None, typer.Option("--storage", metavar="URL", help="Optuna storage that several machines share.")
    ] = None,
    as_new: Annotated[bool, typer.Option("--as-new", help="Another sweep where one of the name is there.")] = False,
    slurm: SlurmOption = None,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a sweep and follow it; where it is there already, go on with it.

    ctrl-c leaves the sweep at work: `lovt sweep stop` ends it. --set changes the base experiment.

    \b
    Example: lovt sweep run experiments/sweeps/tiny.yaml --trials 20
    """
    check_hours(hours)
    place = get_workspace(workspace)
    changes = {"name": name, "trials": trials, "hours": hours, "jobs": jobs}
    sweep, files = load_sweep_file(
        file, {key: value for key, value in changes.items() if value is not None}, overrides or []
    )
    folder = _find_existing(place, sweep, changes, storage) if not as_new else None
    if folder is None:
        folder = start_checked(place, sweep if not as_new else rename(place, sweep), storage, files, slurm)
    if detach:
        if as_json:
            print_json({"sweep": folder.name, "path": folder.path})
        else:
            sys.stdout.write(f"{folder.name}\n")
        return
    raise typer.Exit(follow(folder, as_json=as_json))


def load_sweep_file(file: str, changes: Mapping[str, object], overrides: list[str]) -> "tuple[Sweep, dict[str, str]]":
    """A sweep file with what was said instead of its keys, and the stamps of the files it came from.

    Raises InputError and ConfigError.
    """
    from dataclasses import replace

    from lovt_core.config.base import check_name
    from lovt_core.config.loading import find_sweep_file, stamp_files
    from lovt_core.config.sweep_file import load_sweep

    if "name" in changes:
        check_name(str(changes["name"]), "--name")
    path = find_sweep_file(file)
    sweep = load_sweep(path, overrides)
    return replace(sweep, config=sweep.config.model_copy(update=changes)), stamp_files(path)


def _find_existing(
    workspace: "Workspace", sweep: "Sweep", changes: Mapping[str, object], storage: str | None
) -> "SweepFolder | None":
    """The sweep of that name, going on; raises InputError where it is another one."""
    from lovt_core.errors import InputError
    from lovt_core.sweeps.folder import list_sweeps
    from lovt_core.sweeps.requests import describe_differences, extend_sweep, resume_sweep
    from lovt_core.sweeps.storage_urls import hide_password, is_same_storage

    name = sweep.config.name
    folder = next((each for each in list_sweeps(workspace) if each.name == name), None)
    if folder is None:
        return None
    there = folder.origin()["storage"]
    if storage is not None and not is_same_storage(storage, there):
        raise InputError(f"--storage: the sweep {name} is in {hide_password(there)}; give --as-new or --name")
    if different := describe_differences(folder, sweep):
        raise InputError(
            f"there is a sweep {name} already, and it is another one: {'; '.join(different)}; give --as-new or --name"
        )
    have = folder.config()
    said = {
        key: value for key in ("trials", "hours", "jobs") if (value := getattr(sweep.config, key)) != getattr(have, key)
    }
    said = {key: value for key, value in said.items() if value is not None and changes.get(key) is not None}
    sys.stderr.write(f"the sweep {name} is there already: going on with it\n")
    if said:
        extend_sweep(folder, **said)
    else:
        resume_sweep(folder)
    return folder


def rename(workspace: "Workspace", sweep: "Sweep") -> "Sweep":
    """With the next free number behind its name."""
    from dataclasses import replace

    from lovt_core.sweeps.folder import list_sweeps

    taken = {folder.name for folder in list_sweeps(workspace)}
    name, number = sweep.config.name, 2
    if name not in taken:
        return sweep
    while f"{name}-{number}" in taken:
        number += 1
    return replace(sweep, config=sweep.config.model_copy(update={"name": f"{name}-{number}"}))


def start_checked(
    workspace: "Workspace", sweep: "Sweep", storage: str | None, files: dict[str, str], slurm: bool | None
) -> "SweepFolder":
    """Check what the runs will need before anything is written."""
    from lovt_core.sweeps.requests import start_sweep
    from lovt_core.sweeps.trial_runs import find_tasks
    from lovt_tui.cli.readiness import check_disk, check_ready, check_tasks
    from lovt_tui.cli.terms import build_terms

    terms = build_terms(workspace, slurm=slurm)
    check_ready(workspace, sweep.base)
    check_disk(workspace, sweep.base, count=sweep.config.jobs or 1)
    if sweep.evaluation is not None:
        check_tasks(workspace, sweep.evaluation.model_copy(update={"tasks": find_tasks(sweep)}))
    return start_sweep(workspace, sweep, storage=storage, terms=terms, files=files)


def follow(folder: "SweepFolder", *, as_json: bool = False) -> int:
    """Show a sweep until it ends; 0 when a trial has finished, 1 when none has, 130 after ctrl-c or a stop."""
    from lovt_tui.cli.sweep.status import best_line, describe, head_line

    try:
        config, trials = _watch(folder)
    except KeyboardInterrupt:
        name = folder.name
        sys.stderr.write(f"\n{name} goes on; look at it: lovt sweep status {name}; end it: lovt sweep stop {name}\n")
        return 130
    if as_json:
        print_json(describe(folder))
    else:
        for line in (head_line(folder, config, trials), best_line(config, trials)):
            get_console().print(line, markup=False, soft_wrap=True)
    from lovt_core.sweeps.folder import read_sweep_state

    if read_sweep_state(folder) != "finished":
        return 130
    return 0 if any(trial.state == "finished" for trial in trials) else 1


def _watch(folder: "SweepFolder") -> "tuple[SweepConfig, tuple[Trial, ...]]":
    """Say what each trial came to, and how far those at work are, until nothing more will happen."""
    from lovt_core.runs.indexing.index import Index
    from lovt_core.sweeps.folder import read_sweep_state, read_warnings
    from lovt_tui.cli.sweep.status import best_line, head_line, revive

    seen, warned = 0, 0
    index = Index(folder.workspace)
    with get_console(stderr=True).status(folder.name) as line:
        while True:
            revive(folder)
            state = read_sweep_state(folder)  # before the trials: all that have ended until then are among them
            config, trials = folder.config(), folder.trials()
            ended = sorted(
                (trial for trial in trials if trial.state != "running"), key=lambda trial: trial.ended or 0.0
            )
            for trial in ended[seen:]:
                values = ", ".join(f"{value:.5g}" for value in trial.values)
                sys.stderr.write(f"trial {trial.number} {trial.state} {values or visible(trial.cause)}\n")
            seen = len(ended)
            for warning in read_warnings(folder)[warned:]:
                sys.stderr.write(f"warning: {visible(warning)}\n")
                warned += 1
            parts = (head_line(folder, config, trials), best_line(config, trials), _tell_progress(index, trials, state))
            line.update("; ".join(filter(None, (*parts, _tell_rest(config, trials)))))
            if state not in ("running", "interrupted"):
                index.close()
                return config, trials
            time.sleep(LOOK_SECONDS)


def _tell_progress(index: "Index", trials: "Sequence[Trial]", sweep_state: str) -> str:
    """How far the trials at work are, by the steps of their runs."""
    from lovt_core.sweeps.trials import display_state

    index.sync()
    rows = {row.id: row for row in index.runs()}
    told = []
    for trial in trials:
        if display_state(trial, sweep_state) == "running":
            own = [rows[run.id] for run in trial.runs if run.id in rows]
            shares = [1.0 if row.state == "finished" else row.done / row.total if row.total else 0.0 for row in own]
            told.append(f"{trial.number}: {sum(shares) / max(1, len(trial.runs)):.0%}")
    return f"at work {', '.join(told)}" if told else ""


def _tell_rest(config: "SweepConfig", trials: "Sequence[Trial]") -> str:
    """How long the trials that are still to come will take, if they are like those before."""
    from lovt_tui.formatting import format_duration

    own = [trial for trial in trials if trial.runs]
    ended = [trial.ended for trial in own if trial.ended is not None]
    if not ended or len(own) > config.trials:
        return ""
    pace = (max(ended) - min(trial.started for trial in own)) / len(ended)
    rest = pace * (config.trials - len(ended)) - (time.time() - max(ended))
    return f"{format_duration(rest)} left" if rest > 0 else ""
