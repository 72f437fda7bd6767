"""Trials judged by validation scores of tasks: real trainings, their evaluations, what the pruner is told."""

from dataclasses import dataclass, field

import optuna

from lovt_core.config.loading import find_experiment_file, load_experiment
from lovt_core.config.settings import Settings
from lovt_core.config.sweep import SweepConfig
from lovt_core.config.sweep_file import Sweep
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import append_line, read_lines
from lovt_core.runs.locks import is_locked
from lovt_core.runs.state import RunState
from lovt_core.sweeps.folder import read_sweep_state
from lovt_core.sweeps.following import RunFollower
from lovt_core.sweeps.open_trial import OpenTrial, Rules
from lovt_core.sweeps.requests import start_sweep
from lovt_core.sweeps.study import make_pruner
from lovt_core.sweeps.trial_runs import find_tasks
from lovt_core.sweeps.trials import TrialRun
from tests.core.runs.conftest import wait_until

TASKS = ("rsna-linear-1", "rsna-linear-10", "covid-linear", "siim-unet-frozen", "object-cxr-yolo-frozen")


def make_sweep(**changes):
    base = load_experiment(
        find_experiment_file("tiny/lovt"),
        ["data.image_size=64", "training.batch_size=8", "training.max_epochs=1", "training.schedule.warmup_steps=0",
         "method.image_encoder.stride=16"],
    )  # fmt: skip
    evaluation = load_experiment(
        find_experiment_file("tiny/linear"),
        ["settings.image_size=64", "settings.batch_size=4", "settings.max_epochs=2", "settings.protocol=full",
         "settings.learning_rates=[0.03, 0.01]"],
    )  # fmt: skip
    fields = {
        "name": "judged",
        "experiment": "tiny/lovt.yaml",
        "space": {"method.objective.global.temperature": {"type": "float", "low": 0.05, "high": 0.5}},
        "objective": {"tasks": ["covid-linear"]},
        "trials": 2,
    }
    return Sweep(SweepConfig.model_validate(fields | changes), base, evaluation)


def test_the_validation_score_of_a_task_decides_and_nothing_is_tested(place, tmp_path):
    for name, count in (("covid-chestxray", 40), ("covid-rural", 30)):
        synthesize(tmp_path / name, Synthesis(name, count, 64, 0), lambda value: None)
        prepare(name, tmp_path / name, place.prepared_root, PrepareOptions(size=64), lambda value: None)
    folder = start_sweep(place, make_sweep())
    wait_until(
        lambda: read_sweep_state(folder) == "finished" and not is_locked(folder.lock),
        lambda: f"the sweep: {folder.trials()}\n{folder.log.read_text()}",
        400,
    )
    trials = folder.trials()
    assert [trial.state for trial in trials] == ["finished"] * 2
    for trial in trials:
        assert [run.role for run in trial.runs] == ["training", "evaluation"]
        training, evaluation = (RunDirectory(place.runs / run.id) for run in trial.runs)
        results = [line["data"] for line in read_lines(evaluation.events(1)) if line["event"] == "result"]
        assert [result["type"] for result in results] == ["rate", "rate", "search"]
        assert trial.values == (max(results[-1]["validation"]),)
        assert evaluation.experiment().encoder.source == training.id
        assert [path.suffix for path in training.checkpoints.iterdir()] == [".encoder"]
        temperature = training.experiment().method.objective.global_.temperature
        assert temperature == trial.params["method.objective.global.temperature"]


@dataclass
class Told:
    """In the place of a follower: an evaluation that has some scores."""

    run: RunDirectory
    scores: dict = field(default_factory=dict)
    curves: dict = field(default_factory=dict)
    reported: set = field(default_factory=set)
    began: float | None = 1.0
    has_all_steps: bool = False

    def read(self):
        return RunState("running", 1, lock_held=True)


def test_wilcoxon_ends_a_trial_that_is_worse_on_task_after_task(tmp_path):
    objective = {"tasks": list(TASKS)}
    sweep = make_sweep(objective=objective, pruner={"name": "wilcoxon", "startup_trials": 2}, trials=9)
    rules = Rules(sweep, "stopped")
    assert rules.pruning is None
    assert set(find_tasks(sweep)) == set(TASKS)
    study = optuna.create_study(direction="maximize", pruner=make_pruner(sweep))
    verdicts = []
    for level in (0.8, 0.2):
        trial = study.ask()
        opened = OpenTrial(trial, (TrialRun("e", "evaluation", 0),), {"e": Told(RunDirectory(tmp_path))})
        for number, task in enumerate(find_tasks(sweep)):
            opened.followers["e"].scores[task] = level + 0.01 * number
            assert opened.look(rules, Settings()) is None
            assert opened.report(rules) == {number: level + 0.01 * number}
            verdict = opened.prune(rules)
            if verdict is not None:
                break
        verdicts.append(verdict)
        if verdict is None:
            study.tell(trial, level)
    assert verdicts[0] is None
    assert verdicts[1] is not None
    assert verdicts[1].cause.startswith("pruned by wilcoxon at task ")


def test_nothing_is_pruned_after_the_last_task(tmp_path):
    rules = Rules(make_sweep(objective={"tasks": list(TASKS)}, pruner={"name": "wilcoxon"}), "stopped")
    opened = OpenTrial(AlwaysPruned(), (TrialRun("e", "evaluation", 0),), {"e": Told(RunDirectory(tmp_path))})
    for number, task in enumerate(find_tasks(rules.sweep)):
        opened.followers["e"].scores[task] = 0.1
        assert opened.report(rules) == {number: 0.1}
        assert (opened.prune(rules) is None) == (number == len(TASKS) - 1)


class AlwaysPruned:
    """A trial that its pruner has given up."""

    number = 0

    def report(self, value, step):
        pass

    def should_prune(self):
        return True


def test_nothing_is_pruned_after_the_last_epoch(tmp_path):
    sweep = make_sweep(objective={"metric": "val/loss"}, pruner={"name": "hyperband"}, repeats=2)
    rules = Rules(sweep, "stopped")
    runs = tuple(TrialRun(name, "training", repeat) for repeat, name in enumerate("ab"))
    opened = OpenTrial(AlwaysPruned(), runs, {name: Told(RunDirectory(tmp_path)) for name in "ab"})
    for name in "ab":
        opened.followers[name].curves["val/loss"] = {1: 2.0, 2: 1.0}
    assert opened.report(rules) == {1: 2.0, 2: 1.0}
    assert opened.prune(rules).cause == "pruned by hyperband at epoch 2"
    opened.followers["a"].has_all_steps = True
    assert opened.prune(rules) is not None, "one of two repeats has still something to do"
    opened.followers["b"].has_all_steps = True
    assert opened.prune(rules) is None


def test_a_follower_knows_when_all_steps_are_done(tmp_path):
    run = RunDirectory(tmp_path / "20260101-000000-a-0000")
    run.path.mkdir()
    follower = RunFollower(run, frozenset({"val/loss"}))
    append_line(run.events(1), {"t": 7.0, "event": "started"})
    append_line(run.events(1), {"t": 8.0, "event": "metrics", "step": 9, "total": 10, "values": {"train/loss": 1.0}})
    follower.read()
    assert (follower.began, follower.has_all_steps, follower.reported) == (7.0, False, {"train/loss"})
    line = {"t": 9.0, "event": "metrics", "step": 10, "total": 10, "epoch": 1.0, "values": {"val/loss": "nan"}}
    append_line(run.events(1), line)
    follower.read()
    assert (follower.began, follower.has_all_steps) == (7.0, True)
    assert follower.reported == {"train/loss", "val/loss"}
