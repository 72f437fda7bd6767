"""A trial at work: what its runs have told, and what that means for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import optuna
from optuna.trial import TrialState

from lovt_core.config.settings import Settings
from lovt_core.config.sweep_file import Sweep
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.queueing.retrying import default_retry, plan_retry
from lovt_core.runs.state import RunState
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.following import RunFollower
from lovt_core.sweeps.judging import intermediate_curve, intermediate_scores, judge, list_nearest, watched_metric
from lovt_core.sweeps.trial_runs import find_tasks
from lovt_core.sweeps.trials import TrialRun


@dataclass(frozen=True)
class Verdict:
    """How a trial has ended."""

    state: TrialState
    values: tuple[float, ...] | None = None
    cause: str = ""


@dataclass(frozen=True)
class Rules:
    """By what a sweep's trials are judged."""

    sweep: Sweep
    stop_reason: str
    """Of runs that a stop of the sweep has ended: they will go on."""

    @property
    def pruning(self) -> tuple[str, bool] | None:
        """Metric that the pruner watches, and whether lower is better."""
        return watched_metric(self.sweep.config.pruner, self.sweep.config.objective[0])

    @property
    def pruning_sign(self) -> float:
        """Factor of what the pruner is told: Optuna compares it in the direction of the objective."""
        if self.pruning is None:
            return 1.0
        return 1.0 if self.pruning[1] == self.sweep.config.objective[0].is_minimized else -1.0

    @property
    def watched(self) -> frozenset[str]:
        """Metrics that count."""
        named = {each.metric for each in self.sweep.config.objective if each.metric}
        return frozenset(named | ({self.pruning[0]} if self.pruning else set()))


@dataclass
class OpenTrial:
    """A trial and the runs that it owns."""

    trial: optuna.Trial
    runs: tuple[TrialRun, ...]
    followers: Mapping[str, RunFollower]
    told: set[int] = field(default_factory=set)
    """Steps of which the pruner knows."""
    states: Mapping[str, RunState] = field(default_factory=dict)
    """Of the runs, at the last look."""

    @property
    def number(self) -> int:
        """Of the trial."""
        return self.trial.number

    def look(self, rules: Rules, settings: Settings) -> Verdict | None:
        """Read the runs; how the trial has ended, or None while it is open. Raises RecordError for damaged files."""
        if gone := [one.run.id for one in self.followers.values() if not one.run.path.is_dir()]:
            return Verdict(TrialState.FAIL, cause=f"run {gone[0]} was removed")
        self.states = {run_id: follower.read() for run_id, follower in self.followers.items()}
        if cause := self._find_failure(self.states, rules, settings):
            return Verdict(TrialState.FAIL, cause=cause)
        if all(state.state == "finished" for state in self.states.values()):
            return self._judge(rules)
        return None

    def report(self, rules: Rules) -> dict[int, float]:
        """Tell the pruner of each new step; what it was told, as the runs said it."""
        if rules.sweep.config.pruner.name == "none":
            return {}
        if rules.pruning is not None:
            steps = intermediate_curve(rules.pruning[0], [one.curves for one in self._follow("training")])
        else:
            steps = intermediate_scores(find_tasks(rules.sweep), [one.scores for one in self._follow("evaluation")])
        new = {step: steps[step] for step in sorted(set(steps) - self.told)}
        for step, value in new.items():
            self.trial.report(rules.pruning_sign * value, step)
            self.told.add(step)
        return new

    def prune(self, rules: Rules) -> Verdict | None:
        """The verdict of the pruner, or None where it lets the trial go on, or there is nothing left to save."""
        if self._has_told_all(rules) or not self.trial.should_prune():
            return None
        what = "task" if rules.pruning is None else "epoch"
        return Verdict(
            TrialState.PRUNED, cause=f"pruned by {rules.sweep.config.pruner.name} at {what} {max(self.told)}"
        )

    def _has_told_all(self, rules: Rules) -> bool:
        """Whether the trainings have done all their epochs, or all tasks have a score."""
        if rules.pruning is None:
            return self.told >= set(range(len(find_tasks(rules.sweep))))
        return all(one.has_all_steps for one in self._follow("training"))

    @property
    def began(self) -> float | None:
        """When the first of its runs started, at the last look; None while all of them wait."""
        return min((one.began for one in self.followers.values() if one.began is not None), default=None)

    def tell_unwatched(self, rules: Rules) -> str:
        """What a pruner waited for in vain, once its trainings have finished; nothing where it came."""
        trainings = self._follow("training")
        is_over = all(one.run.id in self.states and self.states[one.run.id].state == "finished" for one in trainings)
        if rules.pruning is None or not trainings or not is_over:
            return ""
        metric, reported = rules.pruning[0], set().union(*(one.reported for one in trainings))
        if metric in reported:
            return ""
        return (
            f"no trial can be pruned: pruner.metric {metric} did not come in trial {self.number}; "
            f"{list_nearest(metric, reported)}"
        )

    def list_stopped(self, rules: Rules) -> list[RunDirectory]:
        """Runs that a stop of the sweep has ended, at the last look."""
        return [
            self.followers[run_id].run
            for run_id, state in self.states.items()
            if state.state in ("stopped", "cancelled") and state.detail == rules.stop_reason
        ]

    def _follow(self, role: str) -> list[RunFollower]:
        return [self.followers[run.id] for run in self.runs if run.role == role]

    def _find_failure(self, states: Mapping[str, RunState], rules: Rules, settings: Settings) -> str:
        """Why the trial cannot finish any more; nothing where it can."""
        for run in self.runs:
            state = states[run.id]
            if state.state in ("failed", "lost"):
                planned = plan_retry(self.followers[run.id].run, state, default_retry(settings))
                if state.lock_held or planned is not None:
                    continue
            elif state.state not in ("stopped", "cancelled", "pruned") or state.detail == rules.stop_reason:
                continue
            why = f": {state.detail.splitlines()[0]}" if state.detail else ""
            return f"{run.role} {run.id} {state.state}{why}"
        return ""

    def _judge(self, rules: Rules) -> Verdict:
        curves = [one.curves for one in self._follow("training")]
        scores = [one.scores for one in self._follow("evaluation")]
        reported = [one.reported for one in self._follow("training")]
        try:
            values = tuple(judge(each, curves, scores, reported) for each in rules.sweep.config.objective)
        except ValueError as error:
            return Verdict(TrialState.FAIL, cause=str(error))
        return Verdict(TrialState.COMPLETE, values)


def open_trial(
    workspace: Workspace, trial: optuna.Trial, runs: Sequence[TrialRun], watched: frozenset[str]
) -> OpenTrial:
    """A trial whose runs are to be followed from their beginning."""
    followers = {run.id: RunFollower(RunDirectory(workspace.runs / run.id), watched) for run in runs}
    return OpenTrial(trial, tuple(runs), followers)
