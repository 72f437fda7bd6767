"""The coordinator's pen: what became of a trial, for readers and into the trial's own runs."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.trial import FrozenTrial, TrialState

from lovt_core.runs.control import append_control, deciding, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import append_line, encode_number
from lovt_core.runs.state import read_state
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.trials import Trial
from lovt_core.sweeps.trials import TrialState as State

STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}
NOTE = "lovt"
"""User attribute of a trial: owner, runs, settings, origin."""
CAUSE = "lovt-cause"


class Recorder:
    """Keeps `trials.jsonl` equal to the study, and each ended trial's runs informed."""

    def __init__(self, folder: SweepFolder) -> None:
        self._folder = folder
        self._known: dict[int, Trial] = {trial.number: trial for trial in folder.trials()}
        self._begun = {trial.number for trial in self._known.values() if trial.began is not None}

    def take_in(self, trial: FrozenTrial) -> None:
        """Write down what the study says of a trial, unless that is known; a waiting one is none yet."""
        state = STATES.get(trial.state)
        if state is None or (NOTE not in trial.user_attrs and state == "running"):
            return
        known = self._known.get(trial.number)
        values = tuple(trial.values or ()) if state == "finished" else ()
        if known is not None and (known.state, known.values) == (state, values):
            return
        line = self._describe(trial, state, values, is_new=known is None)
        append_line(self._folder.trials_file, line)
        self._known[trial.number] = Trial(trial.number, state, trial.params, {}, {}, values=values)

    def begin(self, number: int, time: float) -> None:
        """Write down when the first run of a trial started, once."""
        if number not in self._begun:
            line = {"trial": number, "began": time}  # the run's own events say it too
            append_line(self._folder.trials_file, line, durable=False)
            self._begun.add(number)

    def report(self, number: int, step: int, value: float) -> None:
        """Write down an intermediate value."""
        append_line(self._folder.trials_file, {"trial": number, "step": step, "value": encode_number(value)})

    def close_runs(self, trial: FrozenTrial, runs: Sequence[RunDirectory]) -> None:
        """Write into the control files of a trial's runs what became of it, once."""
        outcome = {
            "trial": trial.number,
            "state": STATES[trial.state],
            "values": [encode_number(value) for value in trial.values or ()],
            "cause": str(trial.user_attrs.get(CAUSE, "")),
        }
        for run in runs:
            if not run.path.is_dir():
                continue
            with deciding(run.path):
                append_control(run.control, record("trial", read_state(run).attempt, **outcome))

    def _describe(
        self, trial: FrozenTrial, state: State, values: Sequence[float], *, is_new: bool
    ) -> Mapping[str, Any]:
        line: dict[str, Any] = {"trial": trial.number, "state": state}
        note = trial.user_attrs.get(NOTE, {})
        if is_new:
            line |= {
                "params": trial.params,
                "distributions": encode_distributions(trial.distributions),
                "settings": note.get("settings", {}),
                "runs": note.get("runs", []),
                "origin": note.get("origin", ""),
                "started": trial.datetime_start.timestamp() if trial.datetime_start else time.time(),
            }
            if trial.intermediate_values:
                line["intermediate"] = {
                    str(step): encode_number(value) for step, value in trial.intermediate_values.items()
                }
        if state != "running":
            line["ended"] = trial.datetime_complete.timestamp() if trial.datetime_complete else time.time()
            line["cause"] = str(trial.user_attrs.get(CAUSE, ""))
        if values:
            line["values"] = [encode_number(value) for value in values]
        return line


def encode_distributions(distributions: Mapping[str, Any]) -> dict[str, str]:
    """JSON of Optuna's distributions."""
    return {name: distribution_to_json(each) for name, each in distributions.items()}
