"""What a trial is worth: pure functions of what its runs have told."""

import math
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher

from lovt_core.config.sweep import ObjectiveConfig, PrunerConfig
from lovt_core.tasks import expand_tasks

Curves = Mapping[str, Mapping[int, float]]
MAX_NAMES = 8
"""Metrics that a message lists."""


def best_of(curve: Mapping[int, float], *, minimized: bool) -> float | None:
    """The best finite value of a curve; None where there is none."""
    finite = [value for value in curve.values() if math.isfinite(value)]
    if not finite:
        return None
    return min(finite) if minimized else max(finite)


def list_nearest(metric: str, reported: Collection[str]) -> str:
    """Names of metrics that were reported, those that are most like `metric` first."""
    if not reported:
        return "no metric was reported"
    nearest = sorted(reported, key=lambda name: (-SequenceMatcher(None, metric, name).ratio(), name))
    more = f" and {len(nearest) - MAX_NAMES} more" if len(nearest) > MAX_NAMES else ""
    return f"reported were {', '.join(nearest[:MAX_NAMES])}{more}"


def judge(
    objective: ObjectiveConfig,
    curves: Sequence[Curves],
    scores: Sequence[Mapping[str, float]],
    reported: Sequence[Collection[str]] = (),
) -> float:
    """The value of one objective: the mean over repeats.

    `curves` are those of the trainings, `scores` those of the evaluations, `reported` the names of all metrics, one
    for each repeat. Raises ValueError saying what never came.
    """
    values: list[float] = []
    if objective.metric is not None:
        for repeat, curve in enumerate(curves):
            best = best_of(curve.get(objective.metric, {}), minimized=objective.is_minimized)
            if best is None and objective.metric in curve:
                raise ValueError(f"{objective.metric} was never a finite number in repeat {repeat}")
            if best is None:
                known = list_nearest(objective.metric, reported[repeat] if repeat < len(reported) else curve.keys())
                raise ValueError(f"{objective.metric} was never reported by repeat {repeat}; {known}")
            values.append(best)
    else:
        tasks = [task.id for task in expand_tasks(objective.tasks or ())]
        for repeat, score in enumerate(scores):
            if missing := [task for task in tasks if not math.isfinite(score.get(task, math.nan))]:
                raise ValueError(f"no validation score of {', '.join(missing)} in repeat {repeat}")
            values.append(sum(score[task] for task in tasks) / len(tasks))
    return sum(values) / len(values)


def watched_metric(pruner: PrunerConfig, objective: ObjectiveConfig) -> tuple[str, bool] | None:
    """The metric that the pruner watches over the training, and whether lower is better; None: tasks, or nothing."""
    if pruner.name not in ("median", "hyperband"):
        return None
    if pruner.metric is not None:
        same = pruner.metric == objective.metric and pruner.direction is None
        return pruner.metric, objective.is_minimized if same else pruner.is_minimized
    return (objective.metric, objective.is_minimized) if objective.metric else None


def intermediate_curve(metric: str, curves: Sequence[Curves]) -> dict[int, float]:
    """Epoch -> mean over the repeats, for epochs that all of them have reached."""
    found = [curve.get(metric, {}) for curve in curves]
    epochs = sorted(set.intersection(*(set(curve) for curve in found))) if found else []
    means = {epoch: sum(curve[epoch] for curve in found) / len(found) for epoch in epochs}
    return {epoch: value for epoch, value in means.items() if math.isfinite(value)}


def intermediate_scores(tasks: Sequence[str], scores: Sequence[Mapping[str, float]]) -> dict[int, float]:
    """Number of a task -> mean over the repeats, for tasks that all of them have a score of."""
    return {
        number: sum(score[task] for score in scores) / len(scores)
        for number, task in enumerate(tasks)
        if scores and all(task in score for score in scores)
    }
