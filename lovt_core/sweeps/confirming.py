"""The winner of a sweep and its base once more, with seeds that no trial had and the full evaluation.

The winner is the best of many noisy values, so its value in the sweep is too good on average; what is left of the
difference when both are run again is what the sweep has found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.experiment import Experiment
from lovt_core.config.loading import change_experiment, find_experiment_file, load_experiment
from lovt_core.config.sweep import ObjectiveConfig
from lovt_core.errors import InputError
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.lines import read_lines
from lovt_core.runs.queueing.requests import label_run, queue_run
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import Terms
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.following import RunFollower
from lovt_core.sweeps.judging import judge
from lovt_core.sweeps.trial_runs import find_tasks
from lovt_core.sweeps.trials import Trial

Which = Literal["base", "best"]
WHICH: tuple[Which, ...] = ("base", "best")
SEED_STEP = 10_000
"""Between the seeds of a sweep and those of its confirmation."""


@dataclass(frozen=True)
class Repeat:
    """One training with its evaluation."""

    which: Which
    number: int
    trial: int
    training: str
    evaluation: str | None


@dataclass(frozen=True)
class Confirmed:
    """What the repeats of one side have given so far."""

    values: tuple[float, ...]
    """Of the sweep's first objective, one for each finished repeat."""
    scores: Mapping[str, tuple[float, ...]]
    """Task -> mean test score of each repeat."""
    states: tuple[str, ...]
    """Of every run."""


def queue_confirmation(
    folder: SweepFolder, trial: Trial, tasks: Sequence[str], repeats: int, seed: int | None = None
) -> list[Repeat]:
    """Queue base and winner, `repeats` trainings of each with evaluations of `tasks` behind them.

    Seeds begin at `seed`, by default far above those of the sweep. Raises InputError where a confirmation is there.
    """
    if find_confirmation(folder):
        raise InputError(f"the sweep {folder.name} has a confirmation already: lovt sweep confirm {folder.name} --show")
    sweep = folder.read()
    first = sweep.base.seed + SEED_STEP if seed is None else seed
    sides: dict[Which, Experiment] = {
        "base": sweep.base,
        "best": change_experiment(sweep.base, trial.settings) if trial.settings else sweep.base,
    }
    queued = []
    for number in range(repeats):
        for which in WHICH:
            parent = {"confirms": folder.name, "which": which, "trial": trial.number, "repeat": number}
            name = f"{folder.name[:44]}-{which}"
            training = sides[which].model_copy(update={"name": name, "seed": first + number})
            run = queue_run(folder.workspace, training, Terms(), {**parent, "role": "training"})
            evaluation = None
            if sweep.base.kind == "pretrain":
                judged = _make_evaluation(sweep.evaluation, name, run.id, tasks, first + number)
                behind = Terms(after=(run.id,))
                evaluation = queue_run(folder.workspace, judged, behind, {**parent, "role": "evaluation"}).id
            for run_id in (run.id, evaluation):
                if run_id is not None:
                    label_run(RunDirectory(folder.workspace.runs / run_id), "tags", [f"confirm-{folder.name}"])
            queued.append(Repeat(which, number, trial.number, run.id, evaluation))
    return queued


def _make_evaluation(
    given: EvaluateExperiment | None, name: str, run_id: str, tasks: Sequence[str], seed: int
) -> Experiment:
    base = given or load_experiment(find_experiment_file("evaluation/localized.yaml"))
    assert base.kind == "evaluate"
    encoder = base.encoder.model_copy(update={"source": run_id, "label": f"{name} {run_id[-4:]}"})
    full = base.settings.model_copy(update={"protocol": "full", "replicates": None})
    changes = {"name": f"eval-{name}", "encoder": encoder, "tasks": tuple(tasks), "seed": seed, "settings": full}
    return base.model_copy(update=changes)


def find_confirmation(folder: SweepFolder) -> list[Repeat]:
    """The repeats that were queued for a sweep."""
    found: dict[tuple[Which, int], Repeat] = {}
    for run in list_runs(folder.workspace):
        parent = run.origin().get("parent") or {}
        if parent.get("confirms") != folder.name:
            continue
        key = (parent["which"], parent["repeat"])
        repeat = found.get(key, Repeat(parent["which"], parent["repeat"], parent["trial"], "", None))
        is_training = parent["role"] == "training"
        found[key] = replace(repeat, training=run.id) if is_training else replace(repeat, evaluation=run.id)
    return [found[key] for key in sorted(found, key=lambda key: (key[1], key[0]))]


def read_confirmation(folder: SweepFolder, which: Which, repeats: Sequence[Repeat]) -> Confirmed:
    """What one side has given so far."""
    sweep = folder.read()
    objective = sweep.config.objective[0]
    values: list[float] = []
    scores: dict[str, list[float]] = {}
    states: list[str] = []
    for repeat in repeats:
        if repeat.which != which:
            continue
        runs = [RunDirectory(folder.workspace.runs / run) for run in (repeat.training, repeat.evaluation) if run]
        states += [read_state(run).state for run in runs]
        results = _read_results(runs[-1]) if repeat.evaluation else []
        for result in results:
            if result["type"] == "cell":
                scores.setdefault(result["task"], []).append(float(result["mean"]))
        value = _measure(
            objective, RunFollower(runs[0], frozenset({objective.metric or ""})), results, find_tasks(sweep)
        )
        if value is not None and all(read_state(run).state == "finished" for run in runs):
            values.append(value)
    return Confirmed(tuple(values), {task: tuple(each) for task, each in scores.items()}, tuple(states))


def _read_results(run: RunDirectory) -> list[dict[str, Any]]:
    attempts = range(1, read_state(run).attempt + 1)
    lines = (line for attempt in attempts for line in read_lines(run.events(attempt)))
    return [line["data"] for line in lines if line.get("event") == "result"]


def _measure(
    objective: ObjectiveConfig, training: RunFollower, results: Sequence[Mapping[str, Any]], tasks: Sequence[str]
) -> float | None:
    """The objective of one repeat, judged as in the sweep; None where it is not known yet."""
    training.read()
    validation: dict[str, float] = {}
    for task in tasks:
        own = [result for result in results if result["task"] == task]
        searched = [max(result["validation"]) for result in own if result["type"] == "search" and result["validation"]]
        trained = [float(result["validation"]) for result in own if result["type"] == "replicate"]
        if searched or trained:  # with a single learning rate nothing is searched: the replicates' own scores count
            validation[task] = searched[-1] if searched else sum(trained) / len(trained)
    try:
        return judge(objective, [training.curves], [validation])
    except ValueError:
        return None
