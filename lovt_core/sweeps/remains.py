"""What is left of the trials of a sweep whose study is lost: its own lines, and the run directories of each trial.

The lines know times, intermediate values and trials that never had a run; a run directory knows number, parameters,
distributions and outcome. Where both know something, the lines count: a coordinator writes them first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lovt_core.errors import LovtError
from lovt_core.runs.control import ControlRecord, read_control
from lovt_core.runs.directory import list_runs
from lovt_core.runs.lines import decode_number
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.trials import Trial, TrialRun

GONE = "no run of it is left"
_ROLES = {"training": 0, "evaluation": 1}


@dataclass
class Remains:
    """What the runs of one trial say of it."""

    about: Mapping[str, Any]
    """Parameters, distributions, settings, origin: as in the parent of its runs."""
    created: float
    runs: list[TrialRun] = field(default_factory=list)
    outcome: ControlRecord | None = None
    """What the coordinator wrote when it ended."""


def gather_trials(folder: SweepFolder, taken: Mapping[int, Trial]) -> list[Trial]:
    """All trials that a sweep has had, by number from 0; one of which nothing is left has failed.

    `taken` are finished runs that the sweep began with, by the number that they had if nothing else has it.
    """
    known = {trial.number: trial for trial in folder.trials()}
    remains = _gather_runs(folder, known)
    there = {origin for trial in known.values() if (origin := trial.origin)}
    missing = {number: trial for number, trial in taken.items() if trial.origin not in there}
    numbers = known.keys() | remains.keys()
    last = max(numbers | missing.keys(), default=-1)
    trials = []
    for number in range(last + 1):
        if number in numbers:
            trials.append(_merge(number, known.get(number), remains.get(number)))
        else:
            failed = Trial(number, "failed", {}, {}, {}, cause=GONE)
            trials.append(replace(missing.pop(number, failed), number=number))
    rest = (trial for number, trial in sorted(missing.items()))  # their numbers belong to others
    return [*trials, *(replace(trial, number=last + 1 + place) for place, trial in enumerate(rest))]


def _gather_runs(folder: SweepFolder, known: Mapping[int, Trial]) -> dict[int, Remains]:
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
        number = parent["trial"]
        trial = found.get(number, Remains(parent, float(origin.get("created", 0.0))))
        written = known[number].params if number in known and known[number].params else trial.about["params"]
        if parent["params"] != written:
            continue  # of a study of that name that was begun anew
        found[number] = trial
        trial.runs.append(TrialRun(run.id, parent["role"], parent["repeat"]))
        said = [item for item in read_control(run.control) if item.operation == "trial"]
        trial.outcome = said[-1] if said else trial.outcome
    return found


def _merge(number: int, known: Trial | None, remains: Remains | None) -> Trial:
    trial = known or Trial(number, "running", {}, {}, {})
    if remains is not None:
        trial = _add_runs(trial, remains)
    elif trial.state == "running":
        trial = replace(trial, state="failed", cause=GONE)
    return trial


def _add_runs(trial: Trial, remains: Remains) -> Trial:
    about, outcome = remains.about, remains.outcome
    runs = sorted(remains.runs, key=lambda run: (_ROLES.get(run.role, 2), run.repeat))
    trial = replace(trial, runs=trial.runs or tuple(runs), started=trial.started or remains.created)
    if not trial.params:
        trial = replace(
            trial,
            params=about["params"],
            distributions=about["distributions"],
            settings=about.get("settings", {}),
            origin=about.get("origin", ""),
        )
    if trial.state != "running" or outcome is None:
        return trial
    return replace(
        trial,
        state=outcome.details["state"],
        values=tuple(decode_number(value) for value in outcome.details.get("values", ())),
        cause=str(outcome.details.get("cause", "")),
        ended=outcome.time,
    )


def list_news(trials: Sequence[Trial], known: Sequence[Trial]) -> list[Trial]:
    """Trials that the lines of a sweep do not have, or know less of."""
    before = {trial.number: trial for trial in known}
    return [trial for trial in trials if before.get(trial.number) != trial]
