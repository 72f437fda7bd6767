"""A lost study, put together again from what is left of its trials."""

import os
import shutil
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from optuna.distributions import json_to_distribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lovt_core.errors import InputError, RecordError
from lovt_core.files import temporary_sibling
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import append_line, encode_number
from lovt_core.runs.locks import take_lock
from lovt_core.runs.machine import machine_id
from lovt_core.sweeps.first_trials import BEGUN, make_trial
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.open_trial import Rules
from lovt_core.sweeps.recorder import CAUSE, NOTE, STATES, encode_distributions
from lovt_core.sweeps.remains import gather_trials, list_news
from lovt_core.sweeps.study import replace_study
from lovt_core.sweeps.trials import Trial

OUTCOMES = {state: name for name, state in STATES.items()}
COPY = "trials.jsonl.before-rebuild"
"""What was written down of the trials before a study was put together again."""


def rebuild_sweep(folder: SweepFolder) -> tuple[int, int]:
    """Put the trials of a sweep whose study is lost into a new one; how many there are, and how many are still open.

    The study replaces one of the same name that is empty, smaller or begun anew. Lines are added to `trials.jsonl`,
    none is taken away; a copy of it stays.

    Raises InputError where the study is not lost, or a coordinator lives, or nothing is left of any trial.
    """
    lock = take_lock(folder.lock)
    if lock is None:
        raise InputError(f"the sweep {folder.name} has a coordinator at work: its study is not lost")
    try:
        sweep = folder.read()
        rules = Rules(sweep, "")
        trials = gather_trials(folder, _list_taken(folder, rules))
        if not trials:
            raise InputError(f"nothing is left of any trial of the sweep {folder.name}: start it again")
        owner = f"{machine_id()}:{folder.path}"
        study = replace_study(folder, sweep, [_restore(trial, owner, rules.pruning_sign) for trial in trials], owner)
        _write_down(folder, trials)
        study.set_user_attr(BEGUN, True)
    finally:
        os.close(lock)
    return len(trials), sum(trial.state == "running" for trial in trials)


def _list_taken(folder: SweepFolder, rules: Rules) -> dict[int, Trial]:
    """Finished runs that the sweep began with, by the numbers that they had when it began."""
    start = rules.sweep.config.start_with
    there = {trial.origin for trial in folder.trials()}
    taken: dict[int, Trial] = {}
    for number, run_id in enumerate(start.runs, start=int(start.base)):
        if run_id in there:
            continue
        frozen = make_trial(RunDirectory(folder.workspace.runs / run_id), rules)
        now = time.time()
        taken[number] = Trial(
            number,
            "finished",
            frozen.params,
            encode_distributions(frozen.distributions),
            frozen.user_attrs[NOTE]["settings"],
            values=tuple(frozen.values),
            started=now,
            ended=now,
            origin=run_id,
        )
    return taken


def _restore(trial: Trial, owner: str, sign: float) -> FrozenTrial:
    """The trial as Optuna had it; `sign` is that of what the pruner was told."""
    runs = [{"id": run.id, "role": run.role, "repeat": run.repeat} for run in trial.runs]
    note = {"owner": owner, "origin": trial.origin, "settings": dict(trial.settings), "runs": runs}
    told = {step: sign * value for step, value in trial.intermediate.items()}
    values = list(trial.values) or ([told[max(told)]] if trial.state == "pruned" and told else None)
    frozen = create_trial(
        state=OUTCOMES[trial.state],
        values=values,
        params=dict(trial.params),
        distributions={name: json_to_distribution(text) for name, text in trial.distributions.items()},
        user_attrs={NOTE: note, CAUSE: trial.cause},
        intermediate_values=told,
    )
    frozen.datetime_start = datetime.fromtimestamp(trial.started or trial.ended or time.time())
    if frozen.state != TrialState.RUNNING:
        frozen.datetime_complete = datetime.fromtimestamp(trial.ended or frozen.datetime_start.timestamp())
    return frozen


def _write_down(folder: SweepFolder, trials: list[Trial]) -> None:
    """Add to the sweep's lines what they do not have, beside a copy of them as they were."""
    news = list_news(trials, folder.trials())
    try:
        if folder.trials_file.exists():
            part = temporary_sibling(folder.path / COPY)
            shutil.copyfile(folder.trials_file, part)
            part.chmod(0o600)
            part.replace(folder.path / COPY)
        if news:
            append_line(folder.trials_file, *map(_describe, news))
    except OSError as error:
        raise RecordError(f"cannot write {folder.trials_file}: {error.strerror}") from error


def _describe(trial: Trial) -> Mapping[str, Any]:
    line: dict[str, Any] = {
        "trial": trial.number,
        "state": trial.state,
        "params": dict(trial.params),
        "distributions": dict(trial.distributions),
        "settings": dict(trial.settings),
        "runs": [{"id": run.id, "role": run.role, "repeat": run.repeat} for run in trial.runs],
        "origin": trial.origin,
        "started": trial.started,
        "cause": trial.cause,
        "values": [encode_number(value) for value in trial.values],
        "intermediate": {str(step): encode_number(value) for step, value in trial.intermediate.items()},
    }
    line |= {key: value for key, value in (("began", trial.began), ("ended", trial.ended)) if value is not None}
    return line
