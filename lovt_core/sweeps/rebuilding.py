"""A lost study, from the run directories of its trials: each holds number, parameters, distributions and outcome."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.distributions import json_to_distribution
from optuna.trial import FrozenTrial, TrialState

from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import read_control
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.lines import decode_number
from lovt_core.runs.locks import take_lock
from lovt_core.runs.machine import machine_id
from lovt_core.sweeps.first_trials import BEGUN, make_trial
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.open_trial import Rules
from lovt_core.sweeps.recorder import CAUSE, NOTE, STATES, Recorder
from lovt_core.sweeps.study import open_study

OUTCOMES = {state: name for name, state in STATES.items()}


@dataclass
class Remains:
    """What the runs of one trial say of it."""

    about: Mapping[str, Any]
    """Parameters, distributions, settings, origin: as in the parent of its runs."""
    created: float
    runs: list[dict[str, Any]] = field(default_factory=list)
    outcome: Mapping[str, Any] | None = None
    """What the coordinator wrote when it ended."""


def rebuild_sweep(folder: SweepFolder) -> tuple[int, int]:
    """Put the trials of a sweep whose study is lost into a new one; how many there are, and how many are still open.

    Raises InputError where the study has trials, or a coordinator lives, or no run belongs to the sweep.
    """
    lock = take_lock(folder.lock)
    if lock is None:
        raise InputError(f"the sweep {folder.name} has a coordinator at work: its study is not lost")
    try:
        sweep = folder.read()
        rules = Rules(sweep, "")
        study = open_study(folder, sweep)
        if there := len(study.get_trials(deepcopy=False)):
            raise InputError(f"the study of {folder.name} has {there} trials: it is not lost, nothing is rebuilt")
        remains = _gather(folder)
        taken = [make_trial(RunDirectory(folder.workspace.runs / run), rules) for run in sweep.config.start_with.runs]
        if not remains and not taken:
            raise InputError(f"no run of {folder.workspace.path} belongs to the sweep {folder.name}")
        _add(folder, study, remains, taken)
        study.set_user_attr(BEGUN, True)
    finally:
        os.close(lock)
    return len(study.get_trials(deepcopy=False)), sum(each.outcome is None for each in remains.values())


def _gather(folder: SweepFolder) -> dict[int, Remains]:
    """What the runs of the workspace say of the sweep's trials, by number."""
    found: dict[int, Remains] = {}
    for run in list_runs(folder.workspace):
        try:
            origin = run.origin()
        except LovtError:
            continue
        parent = origin.get("parent") or {}
        if parent.get("sweep") != folder.name or not isinstance(parent.get("trial"), int):
            continue
        trial = found.setdefault(parent["trial"], Remains(parent, float(origin.get("created", 0.0))))
        trial.runs.append({"id": run.id, "role": parent["role"], "repeat": parent["repeat"]})
        said = [item.details for item in read_control(run.control) if item.operation == "trial"]
        trial.outcome = said[-1] if said else trial.outcome
    return found


def _add(folder: SweepFolder, study: optuna.Study, remains: Mapping[int, Remains], taken: list[FrozenTrial]) -> None:
    """Add them under the numbers that they had; a number without a run failed before it had any, or was taken in."""
    owner = f"{machine_id()}:{folder.path}"
    for number in range(max(remains, default=-1) + 1):
        if number in remains:
            study.add_trial(_restore(remains[number], owner))
        elif taken:
            study.add_trial(taken.pop(0))
        else:
            note = {CAUSE: "no run of it is left", NOTE: {"owner": owner, "runs": [], "settings": {}}}
            study.add_trial(optuna.trial.create_trial(state=TrialState.FAIL, user_attrs=note))
    for trial in taken:
        study.add_trial(trial)
    folder.trials_file.unlink(missing_ok=True)
    recorder = Recorder(folder)
    for frozen in study.get_trials(deepcopy=False):
        recorder.take_in(frozen)


def _restore(remains: Remains, owner: str) -> FrozenTrial:
    about, outcome = remains.about, remains.outcome or {}
    state = OUTCOMES[outcome["state"]] if outcome else TrialState.RUNNING
    roles = {"training": 0, "evaluation": 1}
    runs = sorted(remains.runs, key=lambda run: (roles.get(run["role"], 2), run["repeat"]))
    note = {"owner": owner, "origin": about.get("origin", ""), "settings": about.get("settings", {}), "runs": runs}
    values = [decode_number(value) for value in outcome.get("values", [])]
    return optuna.trial.create_trial(
        state=state,
        values=values or None,
        params=dict(about["params"]),
        distributions={name: json_to_distribution(text) for name, text in about["distributions"].items()},
        user_attrs={NOTE: note, CAUSE: outcome.get("cause", "")},
    )
