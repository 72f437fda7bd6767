"""Trials of a sweep as readers see them: a file of lines beside the sweep, written by its coordinator alone.

    {"trial": 3, "state": "running", "params": {...}, "distributions": {...}, "settings": {...}, "runs": [...], ...}
    {"trial": 3, "began": 1767225600.0}
    {"trial": 3, "step": 4, "value": 5.2}
    {"trial": 3, "state": "finished", "values": [5.1]}

The newest word of each key counts. Whoever only looks needs neither Optuna nor its storage.
"""

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lovt_core.runs.lines import decode_number, read_lines

TrialState = Literal["running", "finished", "pruned", "failed"]
DisplayState = Literal["queued", "running", "stopped", "finished", "pruned", "failed"]
"""As people see it: a trial that is not over may wait for a place, or for its sweep to go on."""
Role = Literal["training", "evaluation"]


@dataclass(frozen=True)
class TrialRun:
    """A run that belongs to a trial."""

    id: str
    role: Role
    repeat: int


@dataclass(frozen=True)
class Trial:
    """One trial, frozen at the moment it was read."""

    number: int
    state: TrialState
    params: Mapping[str, Any]
    """Values of the parameters, by the names under which Optuna knows them."""
    distributions: Mapping[str, str]
    """The same names -> Optuna's JSON of their distributions."""
    settings: Mapping[str, Any]
    """Keys of the experiment with the values that the parameters gave them."""
    runs: tuple[TrialRun, ...] = ()
    values: tuple[float, ...] = ()
    """One for each objective; empty unless finished."""
    intermediate: Mapping[int, float] = field(default_factory=dict)
    """Step (epoch, or task) -> what the pruner was told."""
    started: float = 0.0
    """When it was asked for and queued, in Unix seconds, as `began` and `ended`."""
    ended: float | None = None
    cause: str = ""
    """Why it failed or was pruned."""
    origin: str = ""
    """`base`, the id of the finished run that it was taken from, or nothing: sampled."""

    began: float | None = None
    """When the first of its runs started; None before that, and of trials of other machines."""

    @property
    def seconds(self) -> float | None:
        """Its work, from the start of its first run to its end; None while it has none."""
        if self.ended is None:
            return None
        return max(0.0, self.ended - (self.started if self.began is None else self.began))

    @property
    def queued_seconds(self) -> float | None:
        """How long it waited for a place before its first run started; None where that is not known."""
        return None if self.began is None else max(0.0, self.began - self.started)


_COPIED = ("state", "params", "distributions", "settings", "started", "began", "ended")


def display_state(trial: Trial, sweep_state: str) -> DisplayState:
    """The state of a trial for people; `sweep_state` as in `folder.read_sweep_state`."""
    if trial.state != "running":
        return trial.state
    if sweep_state == "stopped":
        return "stopped"
    return "queued" if trial.began is None and not trial.intermediate else "running"


def read_trials(path: Path) -> tuple[Trial, ...]:
    """All trials in a file of lines, by number; a missing file has none."""
    return gather_trials(read_lines(path))


def gather_trials(lines: Iterable[Mapping[str, Any]]) -> tuple[Trial, ...]:
    """The trials that lines tell of."""
    trials: dict[int, Trial] = {}
    for line in lines:
        number = line.get("trial")
        if not isinstance(number, int):
            continue
        trial = trials.get(number, Trial(number, "running", {}, {}, {}))
        if "step" in line:
            told = {**trial.intermediate, int(line["step"]): decode_number(line["value"])}
            trials[number] = replace(trial, intermediate=told)
        else:
            trials[number] = _take_in(trial, line)
    return tuple(trials[number] for number in sorted(trials))


def _take_in(trial: Trial, line: Mapping[str, Any]) -> Trial:
    known = {key: line[key] for key in _COPIED if key in line}
    known |= {key: str(line[key]) for key in ("cause", "origin") if key in line}
    if "runs" in line:
        known["runs"] = tuple(TrialRun(run["id"], run["role"], run["repeat"]) for run in line["runs"])
    if "values" in line:
        known["values"] = tuple(decode_number(value) for value in line["values"])
    if "intermediate" in line:
        known["intermediate"] = {int(step): decode_number(value) for step, value in line["intermediate"].items()}
    return replace(trial, **known)


def is_better(first: Trial, second: Trial, minimized: tuple[bool, ...]) -> bool:
    """Whether `first` is at least as good as `second` in every objective and better in one."""
    pairs = [
        (one, other) if low else (-one, -other)
        for one, other, low in zip(first.values, second.values, minimized, strict=True)
    ]
    return all(one <= other for one, other in pairs) and any(one < other for one, other in pairs)


def best_trials(trials: Iterable[Trial], minimized: tuple[bool, ...]) -> tuple[Trial, ...]:
    """Finished trials that no other beats: the earliest of the best for one objective, the Pareto front for several."""
    finished = [
        trial
        for trial in trials
        if trial.state == "finished" and len(trial.values) == len(minimized) and not any(map(math.isnan, trial.values))
    ]
    signed = {
        trial.number: tuple(value if low else -value for value, low in zip(trial.values, minimized, strict=True))
        for trial in finished
    }
    if len(minimized) == 1:
        return tuple(sorted(finished, key=lambda trial: signed[trial.number])[:1])
    front: list[Trial] = []
    for trial in sorted(finished, key=lambda trial: signed[trial.number]):  # whatever beats a trial comes before it
        mine = signed[trial.number]
        if not any(
            signed[other.number] != mine and all(map(operator.le, signed[other.number], mine)) for other in front
        ):
            front.append(trial)
    return tuple(sorted(front, key=lambda trial: trial.number))
