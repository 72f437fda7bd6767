"""What people ask of sweeps. Light: whoever only asks opens no storage and imports no Optuna."""

import math
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from lovt_core import __version__
from lovt_core.config.experiment import StoredExperiment
from lovt_core.config.sweep import count_grid
from lovt_core.config.sweep_file import Sweep, list_keys, overlap
from lovt_core.errors import InputError, RecordError
from lovt_core.runs.detached import start_detached
from lovt_core.runs.directory import RunDirectory, find_run, list_runs
from lovt_core.runs.locks import is_locked
from lovt_core.runs.machine import machine_id
from lovt_core.runs.queueing.requests import request_stop
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import Terms
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.folder import (
    EXTENDED,
    SweepFolder,
    append_request,
    create_sweep,
    deciding,
    read_wish,
    stop_reason,
)
from lovt_core.sweeps.lost import check_study
from lovt_core.sweeps.storage_urls import hide_password, make_absolute
from lovt_core.sweeps.trial_runs import KEPT

NO_TERMS = Terms()


def start_sweep(
    workspace: Workspace,
    sweep: Sweep,
    *,
    storage: str | None = None,
    terms: Terms = NO_TERMS,
    files: Mapping[str, str] | None = None,
) -> SweepFolder:
    """Write a sweep and start its coordinator; `terms` are those of all its runs.

    Raises InputError when its name is taken, its base or a run to start with does not fit the space, or the storage
    cannot be used.
    """
    from lovt_core.sweeps.storage import close_storage, default_storage, open_storage

    _check_start(workspace, sweep, next(iter(files or ()), ""))
    url = make_absolute(storage) if storage else default_storage(workspace)
    close_storage(open_storage(url))
    origin = {
        "created": time.time(),
        "command": [hide_password(word) for word in sys.argv],
        "version": __version__,
        "machine": machine_id(),
        "study": sweep.config.name,
        "storage": url,
        "terms": terms.to_json(),
        "files": dict(files or {}),
    }
    folder = create_sweep(workspace, sweep, origin)
    ensure_coordinator(folder)
    return folder


def _check_start(workspace: Workspace, sweep: Sweep, file: str) -> None:
    """`file` is the sweep's, where it has one."""
    from lovt_core.sweeps.space import params_of

    start = sweep.config.start_with
    if start.base:
        _, problems = params_of(sweep.config.space, sweep.base)
        if problems:
            where = f"{file}: " if file else ""
            raise InputError(
                f"{where}start_with.base: the base {sweep.config.experiment} is not in the space: "
                f"{'; '.join(problems)}; widen the range, or set start_with.base to false"
            )
    for text in start.runs:
        run = find_run(workspace, text)
        if run.id != text:
            raise InputError(f"start_with.runs: '{text}': give the whole id, {run.id}")
        if any(each.tasks for each in sweep.config.objective):
            raise InputError("start_with.runs: a run has no validation scores of tasks: leave it out")
        if different := _find_other_keys(sweep, run.experiment()):
            raise InputError(
                f"start_with.runs: run {run.id} differs from the base in keys outside the space: {', '.join(different)}"
            )
        if (state := read_state(run).state) != "finished":
            raise InputError(f"start_with.runs: run {run.id} is {state}: only finished ones have a value")


def _find_other_keys(sweep: Sweep, experiment: StoredExperiment) -> list[str]:
    """Keys outside the space in which a run's experiment is another than the base."""
    searched = (key for name, parameter in sweep.config.space.items() for key in list_keys(name, parameter))
    free = ("name", "seed", *searched, *KEPT)
    one, other = (dict(_flatten("", each.model_dump(mode="json", by_alias=True))) for each in (sweep.base, experiment))
    return sorted(
        key
        for key in one.keys() | other.keys()
        if one.get(key) != other.get(key) and not any(overlap(key, each) for each in free)
    )


def ensure_coordinator(folder: SweepFolder) -> None:
    """Start the coordinator of a sweep, detached, unless one lives or none is wanted.

    Raises InputError where its study is lost.
    """
    with deciding(folder):
        if read_wish(folder) != "running" or is_locked(folder.lock):
            return
    check_study(folder)
    start_detached("lovt_core.sweeps.coordinator", str(folder.workspace.path), folder.name, log=folder.log)


def pause_sweep(folder: SweepFolder) -> None:
    """Begin no more trials; those at work go on to their end. Raises RecordError where the sweep is damaged."""
    folder.config()
    append_request(folder, "pause")


def resume_sweep(folder: SweepFolder) -> None:
    """Go on with a paused, stopped or interrupted sweep; stopped runs are resumed from their checkpoints.

    Raises InputError where its study is lost, RecordError where the sweep is damaged.
    """
    _check_going_on(folder)
    append_request(folder, "resume")
    ensure_coordinator(folder)


def _check_going_on(folder: SweepFolder) -> None:
    folder.read()
    if not is_locked(folder.lock):
        check_study(folder)


def stop_sweep(folder: SweepFolder) -> None:
    """Ask all its runs to save and stop, and begin no more; `resume_sweep` goes on from there."""
    append_request(folder, "stop", reason="user")
    reason = stop_reason(folder)
    for run in _list_runs(folder):
        if run.path.is_dir() and read_state(run).is_active:
            with suppress(InputError):  # it has ended meanwhile
                request_stop(run, reason)


def _list_runs(folder: SweepFolder) -> list[RunDirectory]:
    """Runs of trials that are not over, and all whose own record names the sweep, whatever is written down of them."""
    trials = folder.trials()
    open_runs = {run.id for trial in trials if trial.state == "running" for run in trial.runs}
    ended = {run.id for trial in trials if trial.state != "running" for run in trial.runs}
    for run in list_runs(folder.workspace):
        if run.id not in ended and _names(run, folder):
            open_runs.add(run.id)
    return [RunDirectory(folder.workspace.runs / run_id) for run_id in sorted(open_runs)]


def _names(run: RunDirectory, folder: SweepFolder) -> bool:
    try:
        return (run.origin().get("parent") or {}).get("sweep") == folder.name
    except RecordError:
        return False


def extend_sweep(
    folder: SweepFolder, trials: int | None = None, hours: float | None = None, jobs: int | None = None
) -> None:
    """Change how many trials there are to be in all, for how many hours since the beginning, and how many at once.

    Raises InputError where that says nothing new or the study is lost, RecordError where the sweep is damaged.
    """
    said = {key: value for key, value in zip(EXTENDED, (trials, hours, jobs), strict=True) if value is not None}
    if not said:
        raise InputError("extend: say what: trials, hours or jobs")
    for key, value in said.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"extend: {key}: must be a finite number above 0, not {value:g}")
    if trials is not None:
        _check_more(folder, trials)
    _check_going_on(folder)
    append_request(folder, "extend", **said)
    ensure_coordinator(folder)


def _check_more(folder: SweepFolder, trials: int) -> None:
    known, config = folder.trials(), folder.config()
    if trials <= len(known):
        raise InputError(f"extend: the sweep {folder.name} has {len(known)} trials already: give more")
    if config.sampler.name != "grid":
        return
    points, own = count_grid(config.space), sum(trial.origin in ("", "base") for trial in known)
    if own >= points:
        raise InputError(
            f"extend: the grid of {folder.name} has {points} points, and each has had its trial: search a wider space "
            "as another sweep"
        )


def describe_differences(folder: SweepFolder, sweep: Sweep) -> list[str]:
    """What is another in `sweep` than in the sweep in the folder, a sentence each; how long it runs is free."""
    there = folder.read()
    before = _describe(there)
    after = _describe(sweep)
    return [
        f"{key}: was {before.get(key, 'not there')}, is {after.get(key, 'not there')}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


FREE = ("name", "experiment", "set", *EXTENDED)
"""Keys of a sweep file that may change: names, how far it goes, and what stands in the base once it is merged."""


def _describe(sweep: Sweep) -> dict[str, object]:
    """Everything else, flat, with the base as it is after merging."""
    config = sweep.config.model_dump(mode="json", exclude=set(FREE))
    config["base"] = sweep.base.model_dump(mode="json", by_alias=True)
    config["tasks"] = sweep.evaluation.model_dump(mode="json") if sweep.evaluation else None
    return dict(_flatten("", config))


def _flatten(prefix: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict) and value:
        return [
            pair for key, item in value.items() for pair in _flatten(f"{prefix}.{key}" if prefix else str(key), item)
        ]
    return [(prefix, value)]
