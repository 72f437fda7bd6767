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
from lovt_core.sweeps.judging import intermediate_curve, intermediate_scores, judge, watched_metric
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
        sign = 1.0
        if rules.pruning is not None:
            metric, minimized = rules.pruning
            steps = intermediate_curve(metric, [one.curves for one in self._follow("training")])
            sign = 1.0 if minimized == rules.sweep.config.objective[0].is_minimized else -1.0
        else:
            steps = intermediate_scores(find_tasks(rules.sweep), [one.scores for one in self._follow("evaluation")])
        new = {step: steps[step] for step in sorted(set(steps) - self.told)}
        for step, value in new.items():
            self.trial.report(sign * value, step)
            self.told.add(step)
        return new

    def prune(self, rules: Rules) -> Verdict | None:
        """The verdict of the pruner, or None where it lets the trial go on."""
        if not self.trial.should_prune():
            return None
        what = "task" if rules.pruning is None else "epoch"
        return Verdict(
            TrialState.PRUNED, cause=f"pruned by {rules.sweep.config.pruner.name} at {what} {max(self.told)}"
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
        try:
            values = tuple(judge(each, curves, scores) for each in rules.sweep.config.objective)
        except ValueError as error:
            return Verdict(TrialState.FAIL, cause=str(error))
        return Verdict(TrialState.COMPLETE, values)


def open_trial(
    workspace: Workspace, trial: optuna.Trial, runs: Sequence[TrialRun], watched: frozenset[str]
) -> OpenTrial:
    """A trial whose runs are to be followed from their beginning."""
    followers = {run.id: RunFollower(RunDirectory(workspace.runs / run.id), watched) for run in runs}
    return OpenTrial(trial, tuple(runs), followers)
