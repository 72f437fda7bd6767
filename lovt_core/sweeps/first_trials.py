"""Trials that a sweep begins with: its base, and finished runs whose values count."""

import optuna

from lovt_core.config.sweep_file import Sweep
from lovt_core.errors import InputError
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.following import RunFollower
from lovt_core.sweeps.judging import judge
from lovt_core.sweeps.open_trial import Rules
from lovt_core.sweeps.recorder import NOTE
from lovt_core.sweeps.space import all_distributions, params_of, settings_of

BEGUN = "lovt-begun"
BASE = "base"


def add_first_trials(workspace: Workspace, study: optuna.Study, rules: Rules) -> None:
    """Put them into the study, each once, however often a coordinator dies over it.

    Raises InputError where one is not in the space, or has no value.
    """
    if study.user_attrs.get(BEGUN):
        return
    start = rules.sweep.config.start_with
    there = {trial.user_attrs.get(NOTE, {}).get("origin") for trial in study.get_trials(deepcopy=False)}
    if start.base and BASE not in there:
        params, problems = params_of(rules.sweep.config.space, rules.sweep.base)
        if problems:
            raise InputError(f"start_with.base: {'; '.join(problems)}")
        study.enqueue_trial(params, user_attrs={NOTE: {"origin": BASE}})
    for run_id in start.runs:
        if run_id not in there:
            study.add_trial(make_trial(RunDirectory(workspace.runs / run_id), rules))
    study.set_user_attr(BEGUN, True)


def make_trial(run: RunDirectory, rules: Rules) -> optuna.trial.FrozenTrial:
    """A finished training as a trial; raises InputError where it is not in the space, or has no value."""
    config = rules.sweep.config
    experiment = run.experiment()
    if experiment.kind not in ("pretrain", "selftest"):
        raise InputError(f"start_with.runs: {run.id} is of kind {experiment.kind}: only trainings can be trials")
    params, problems = params_of(config.space, experiment, rules.sweep.base)
    if problems:
        raise InputError(f"start_with.runs: {run.id}: {'; '.join(problems)}")
    follower = RunFollower(run, rules.watched)
    follower.read()
    try:
        values = [judge(each, [follower.curves], [], [follower.reported]) for each in config.objective]
    except ValueError as error:
        raise InputError(f"start_with.runs: {run.id}: {error}") from error
    known = all_distributions(config.space)
    return optuna.trial.create_trial(
        params=params,
        distributions={name: known[name] for name in params},
        values=values,
        user_attrs={NOTE: {"origin": run.id, "runs": [], "settings": settings_of(config.space, params)}},
    )


def is_taken(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether a trial is a run that was there before the sweep."""
    return trial.user_attrs.get(NOTE, {}).get("origin", "") not in ("", BASE)


def count_own(sweep: Sweep, trials: list[optuna.trial.FrozenTrial]) -> int:
    """Trials that count against the number that there are to be."""
    waiting = optuna.trial.TrialState.WAITING
    return sum(trial.state != waiting and not is_taken(trial) for trial in trials)
