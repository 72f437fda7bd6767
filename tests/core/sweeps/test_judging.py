"""Values of trials from what their runs have told."""

import math

import pytest

from lovt_core.config.sweep import ObjectiveConfig, PrunerConfig
from lovt_core.runs.lines import append_line
from lovt_core.sweeps.judging import intermediate_curve, intermediate_scores, judge, watched_metric
from lovt_core.sweeps.trials import Trial, best_trials, display_state, read_trials

LOSS = ObjectiveConfig(metric="val/loss")
TASKS = ObjectiveConfig(tasks=("covid-linear", "rsna-linear-1"))


def test_the_best_epoch_counts_and_repeats_are_averaged():
    curves = [{"val/loss": {1: 3.0, 2: 1.0, 3: 2.0}}, {"val/loss": {1: math.nan, 2: 5.0}}]
    assert judge(LOSS, curves, []) == 3.0
    rising = ObjectiveConfig(metric="val/top1", direction="maximize")
    assert judge(rising, [{"val/top1": {1: 0.2, 2: 0.1}}], []) == 0.2
    with pytest.raises(ValueError, match="val/loss was never reported by repeat 1; reported were val/other"):
        judge(LOSS, [curves[0], {"val/other": {1: 1.0}}], [])
    with pytest.raises(ValueError, match="val/loss was never a finite number in repeat 0"):
        judge(LOSS, [{"val/loss": {1: math.inf}}], [])


def test_a_metric_that_never_came_is_told_beside_the_nearest_ones():
    reported = {"val/loss", "train/loss", "val/accuracy", *(f"train/other{number}" for number in range(9))}
    with pytest.raises(ValueError, match="val/los was never reported by repeat 0; reported were val/loss, ") as error:
        judge(ObjectiveConfig(metric="val/los", direction="minimize"), [{}], [], [reported])
    assert str(error.value).endswith(" and 4 more")
    with pytest.raises(ValueError, match="by repeat 0; no metric was reported"):
        judge(LOSS, [{}], [], [set()])


def test_tasks_are_averaged_and_each_must_have_a_score():
    scores = [{"covid-linear": 0.5, "rsna-linear-1": 0.3}, {"covid-linear": 0.7, "rsna-linear-1": 0.1}]
    assert judge(TASKS, [], scores) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="no validation score of rsna-linear-1 in repeat 0"):
        judge(TASKS, [], [{"covid-linear": 0.5}])


def test_what_the_pruner_is_told():
    curves = [{"val/loss": {1: 3.0, 2: 1.0}}, {"val/loss": {1: 5.0, 2: math.nan, 3: 1.0}}]
    assert intermediate_curve("val/loss", curves) == {1: 4.0}
    assert intermediate_scores(("a", "b"), [{"a": 0.2}, {"a": 0.4, "b": 0.3}]) == {0: pytest.approx(0.3)}
    assert watched_metric(PrunerConfig(name="median"), LOSS) == ("val/loss", True)
    assert watched_metric(PrunerConfig(name="median", metric="val/loss"), TASKS) == ("val/loss", True)
    assert watched_metric(PrunerConfig(name="median", metric="val/top1"), TASKS) == ("val/top1", False)
    assert watched_metric(PrunerConfig(name="wilcoxon"), TASKS) is None


def test_lines_of_trials_become_trials(tmp_path):
    path = tmp_path / "trials.jsonl"
    run = {"id": "20260101-000000-a-0000", "role": "training", "repeat": 0}
    append_line(path, {"trial": 1, "state": "running", "params": {"x": 1}, "runs": [run], "started": 5.0})
    append_line(path, {"trial": 0, "state": "running", "params": {"x": 2}, "started": 4.0}, {"other": 3})
    append_line(path, {"trial": 1, "step": 2, "value": "nan"}, {"trial": 1, "step": 3, "value": 0.5})
    append_line(path, {"trial": 1, "state": "finished", "values": [0.5], "ended": 9.0})
    first, second = read_trials(path)
    assert (first.number, first.state, first.seconds) == (0, "running", None)
    assert (second.state, second.values, second.seconds, second.params) == ("finished", (0.5,), 4.0, {"x": 1})
    assert second.runs[0].id == run["id"]
    assert second.intermediate[3] == 0.5
    assert math.isnan(second.intermediate[2])


def test_work_waiting_and_what_people_see(tmp_path):
    path = tmp_path / "trials.jsonl"
    append_line(path, {"trial": 0, "state": "running", "params": {"x": 1}, "started": 10.0})
    (waiting,) = read_trials(path)
    assert (waiting.began, waiting.seconds, waiting.queued_seconds) == (None, None, None)
    states = ("running", "paused", "interrupted", "stopped", "finished")
    assert [display_state(waiting, state) for state in states[:4]] == ["queued", "queued", "queued", "stopped"]
    append_line(path, {"trial": 0, "began": 110.0})
    (running,) = read_trials(path)
    assert (running.state, running.queued_seconds, running.seconds) == ("running", 100.0, None)
    assert [display_state(running, state) for state in states[:4]] == ["running", "running", "running", "stopped"]
    append_line(path, {"trial": 0, "state": "finished", "values": [0.5], "ended": 130.0})
    (finished,) = read_trials(path)
    assert (finished.seconds, finished.queued_seconds) == (20.0, 100.0)
    assert {display_state(finished, state) for state in states} == {"finished"}


def finished(number, values):
    return Trial(number, "finished", {}, {}, {}, values=values)


def test_the_best_of_one_and_of_several_objectives():
    trials = [finished(number, values) for number, values in enumerate([(3.0,), (1.0,), (1.0,), (math.nan,)])]
    assert [trial.number for trial in best_trials(trials, (True,))] == [1]
    assert [trial.number for trial in best_trials(trials, (False,))] == [0]
    pairs = [finished(number, v) for number, v in enumerate([(1.0, 5.0), (2.0, 4.0), (2.0, 5.0), (0.0, 9.0)])]
    assert [trial.number for trial in best_trials(pairs, (True, True))] == [0, 1, 3]
    assert [trial.number for trial in best_trials(pairs, (True, False))] == [3]
