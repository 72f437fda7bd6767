"""The runs of a trial: planned with their ids before any exists, made of the base and the trial's settings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lovt_core.config.experiment import Experiment
from lovt_core.config.loading import change_experiment
from lovt_core.config.sweep_file import Sweep
from lovt_core.runs.directory import RunDirectory, plan_run_id
from lovt_core.runs.queueing.requests import queue_run
from lovt_core.runs.terms import Retry, Terms
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.trials import TrialRun
from lovt_core.tasks import expand_tasks

RETRY = Retry(2, ("cuda", "killed", "oom-killer", "lost"))
"""Of a trial's runs: what a machine did to a run says nothing about its settings."""


def plan_runs(sweep: Sweep, number: int) -> tuple[TrialRun, ...]:
    """Trainings of all repeats, then their evaluations where an objective names tasks."""
    repeats = range(sweep.config.repeats)
    name = name_run(sweep, number)
    trainings = tuple(TrialRun(plan_run_id(name), "training", repeat) for repeat in repeats)
    if sweep.evaluation is None:
        return trainings
    return trainings + tuple(TrialRun(plan_run_id(f"eval-{name}"), "evaluation", repeat) for repeat in repeats)


def name_run(sweep: Sweep, number: int) -> str:
    """Name of a trial's runs, short enough for a run id."""
    return f"{sweep.config.name[:50]}-t{number}"


def find_tasks(sweep: Sweep) -> tuple[str, ...]:
    """Ids of all tasks that objectives name, each once."""
    named = [task.id for each in sweep.config.objective if each.tasks for task in expand_tasks(each.tasks)]
    return tuple(dict.fromkeys(named))


KEPT = {"training.keep": "encoder", "training.keep_state": False}
"""What is left on the disk of a trial that has finished."""


class RunMaker:
    """Makes the runs of a sweep's trials."""

    def __init__(self, workspace: Workspace, sweep: Sweep, terms: Terms, parent: Mapping[str, Any]) -> None:
        """`parent`: sweep and study, as they stand in the origin of each run."""
        self._workspace = workspace
        self._sweep = sweep
        self._terms = terms if terms.retry is not None else replace(terms, retry=RETRY)
        self._parent = parent

    def train(self, number: int, settings: Mapping[str, Any], repeat: int) -> Experiment:
        """The experiment of a training; raises ConfigError for settings that exclude each other."""
        base = change_experiment(self._sweep.base, {**settings, **KEPT})
        return base.model_copy(update={"name": name_run(self._sweep, number), "seed": base.seed + repeat})

    def evaluate(self, number: int, training: str, repeat: int) -> Experiment:
        """The experiment of the evaluation behind a training: validation scores alone."""
        evaluation = self._sweep.evaluation
        assert evaluation is not None
        return evaluation.model_copy(
            update={
                "name": f"eval-{name_run(self._sweep, number)}",
                "seed": evaluation.seed + repeat,
                "tasks": find_tasks(self._sweep),
                "encoder": evaluation.encoder.model_copy(update={"source": training}),
                "settings": evaluation.settings.model_copy(update={"replicates": 0}),
            }
        )

    def make(
        self, number: int, runs: Sequence[TrialRun], settings: Mapping[str, Any], trial: Mapping[str, Any]
    ) -> None:
        """Queue those of a trial's runs that are not there yet; `trial` goes into their origins too.

        Raises LovtError where a run cannot be made.
        """
        trainings = {run.repeat: run.id for run in runs if run.role == "training"}
        for run in runs:
            if RunDirectory(self._workspace.runs / run.id).path.exists():
                continue
            parent = {**self._parent, **trial, "trial": number, "role": run.role, "repeat": run.repeat}
            if run.role == "training":
                experiment, terms = self.train(number, settings, run.repeat), self._terms
            else:
                experiment = self.evaluate(number, trainings[run.repeat], run.repeat)
                terms = replace(self._terms, after=(trainings[run.repeat],))
            queue_run(self._workspace, experiment, terms, parent, run_id=run.id)
