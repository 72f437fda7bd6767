"""Whole sweeps with real runs: what is chosen, told, pruned, stopped, resumed."""

import json
import time

import optuna
import pytest

from lovt_core.errors import InputError
from lovt_core.runs.control import read_control
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.locks import is_locked
from lovt_core.runs.queueing.requests import queue_run, request_kill
from lovt_core.runs.state import read_state
from lovt_core.sweeps.coordinator import Coordinator
from lovt_core.sweeps.folder import append_request, create_sweep, find_sweep, read_sweep_state, read_warnings
from lovt_core.sweeps.requests import (
    describe_differences,
    extend_sweep,
    pause_sweep,
    resume_sweep,
    start_sweep,
    stop_sweep,
)
from lovt_core.sweeps.storage import open_storage
from lovt_core.sweeps.trials import best_trials
from tests.core.runs.conftest import selftest, wait_for_state, wait_until
from tests.core.sweeps.conftest import make_sweep


def wait_for_sweep(folder, *states):
    def reached():
        return read_sweep_state(folder) in states and not is_locked(folder.lock)

    wait_until(reached, lambda: f"{states}: {read_sweep_state(folder)}\n{folder.trials()}\n{folder.log.read_text()}")


def load_study(folder):
    origin = folder.origin()
    return optuna.load_study(study_name=origin["study"], storage=open_storage(origin["storage"]))


def test_a_sweep_from_its_base_to_its_best(place):
    folder = start_sweep(place, make_sweep())
    wait_for_sweep(folder, "finished")
    trials = folder.trials()
    assert [trial.number for trial in trials] == list(range(6))
    assert {trial.state for trial in trials} == {"finished"}
    assert trials[0].origin == "base"
    assert trials[0].params["training.optimiser.learning_rate"] == selftest().training.optimiser.learning_rate
    runs = {run.id: run for run in list_runs(place)}
    assert sorted(runs) == sorted(run.id for trial in trials for run in trial.runs)
    for trial, frozen in zip(trials, load_study(folder).trials, strict=True):
        run = runs[trial.runs[0].id]
        assert frozen.values == list(trial.values)
        assert frozen.params == dict(trial.params)
        parent = run.origin()["parent"]
        assert (parent["sweep"], parent["trial"], parent["role"]) == ("small", trial.number, "training")
        assert parent["params"] == dict(trial.params)
        assert run.experiment().training.optimiser.learning_rate == trial.params["training.optimiser.learning_rate"]
        assert run.name == f"small-t{trial.number}"
        told = [item.details for item in read_control(run.control) if item.operation == "trial"]
        assert told == [{"trial": trial.number, "state": "finished", "values": list(trial.values), "cause": ""}]
        losses = [
            line["values"]["val/loss"]
            for line in map(json.loads, run.events(1).read_text().splitlines())
            if "val/loss" in line.get("values", {})
        ]
        assert trial.values == (min(losses),)


def test_bad_trials_are_pruned_and_their_runs_say_so(place):
    pruner = {"name": "median", "startup_trials": 2}
    space = {"training.optimiser.learning_rate": {"type": "categorical", "choices": [1e-7, 1e-6, 0.1]}}
    base = selftest(epochs=12, seconds_per_step=0.04)
    sweep = make_sweep(
        base, pruner=pruner, trials=8, space=space, start_with={"base": False}, sampler={"name": "random"}
    )
    folder = start_sweep(place, sweep)
    wait_for_sweep(folder, "finished")
    pruned = [trial for trial in folder.trials() if trial.state == "pruned"]
    assert pruned
    for trial in pruned:
        assert trial.params["training.optimiser.learning_rate"] < 0.1
        assert trial.cause.startswith("pruned by median at epoch ")
        state = wait_for_state(RunDirectory(place.runs / trial.runs[0].id), "pruned", "cancelled")
        assert state.detail == trial.cause
        assert 1 <= len(trial.intermediate) < 12
    assert any(
        trial.state == "finished" and trial.params["training.optimiser.learning_rate"] == 0.1
        for trial in folder.trials()
    )


@pytest.mark.slow
def test_hyperband_prunes_and_lets_finish_what_has_done_all_its_epochs(place):
    space = {"training.optimiser.learning_rate": {"type": "float", "low": 1e-6, "high": 0.3, "log": True}}
    base = selftest(epochs=9, seconds_per_step=0.02)
    sweep = make_sweep(
        base,
        pruner={"name": "hyperband"},
        trials=14,
        space=space,
        sampler={"name": "random"},
        start_with={"base": False},
    )
    folder = start_sweep(place, sweep)
    wait_for_sweep(folder, "finished")
    trials = folder.trials()
    states = {state: [trial for trial in trials if trial.state == state] for state in ("finished", "pruned", "failed")}
    assert states["failed"] == []
    assert len(states["finished"]) >= 2
    assert len(states["pruned"]) >= 2
    for trial in states["pruned"]:
        assert max(trial.intermediate) < 9, "what has done all its epochs is not pruned"
        assert trial.cause == f"pruned by hyperband at epoch {max(trial.intermediate)}"
    for trial in states["finished"]:
        assert read_state(RunDirectory(place.runs / trial.runs[0].id)).state == "finished"
        assert len(trial.values) == 1


def test_work_and_waiting_of_trials_are_told_apart(place):
    place.settings.write_text("cpu_slots: 1\n")
    folder = start_sweep(place, make_sweep(selftest(epochs=2, seconds_per_step=0.05), trials=2, jobs=2))
    wait_for_sweep(folder, "finished")
    first, second = sorted(folder.trials(), key=lambda trial: trial.began)
    assert second.began >= first.began + 0.5, "one place: the second waits for the first"
    assert second.queued_seconds > first.queued_seconds
    for trial in (first, second):
        events = RunDirectory(place.runs / trial.runs[0].id).events(1).read_text().splitlines()
        assert trial.began == json.loads(events[0])["t"]
        assert trial.started <= trial.began < trial.ended
        assert trial.seconds == pytest.approx(trial.ended - trial.began)


def test_metrics_that_never_come_are_told_with_those_that_came(place):
    pruner = {"name": "median", "metric": "val/los"}
    folder = start_sweep(place, make_sweep(trials=2, jobs=1, pruner=pruner))
    wait_for_sweep(folder, "finished")
    assert [trial.state for trial in folder.trials()] == ["finished"] * 2
    (warning,) = read_warnings(folder)
    assert warning.startswith(
        "no trial can be pruned: pruner.metric val/los did not come in trial 0; reported were val/loss,"
    )
    assert warning in folder.log.read_text()

    wrong = {"metric": "val/top1", "direction": "maximize"}
    other = start_sweep(place, make_sweep(name="other", trials=1, objective=wrong))
    wait_for_sweep(other, "finished")
    (trial,) = other.trials()
    assert trial.state == "failed"
    assert trial.cause.startswith("val/top1 was never reported by repeat 0; reported were ")
    assert "val/loss" in trial.cause
    assert read_warnings(other) == ()


def test_failed_trials_do_not_end_the_sweep(place):
    space = {"selftest.fail_at_step": {"type": "categorical", "choices": [3, 400]}}
    base = selftest(fail_at_step=400)
    folder = start_sweep(place, make_sweep(base, space=space, sampler={"name": "grid"}, trials=9))
    wait_for_sweep(folder, "finished")
    good, bad = sorted(folder.trials(), key=lambda trial: -trial.params["selftest.fail_at_step"])[:2]
    assert len(folder.trials()) == 2, "a grid has as many trials as points"
    assert (good.state, bad.state) == ("finished", "failed")
    assert bad.cause.startswith(f"training {bad.runs[0].id} failed: ")
    assert "not finite" in bad.cause or "nan" in bad.cause.lower()
    assert load_study(folder).trials[bad.number].state.name == "FAIL"


def test_repeats_are_runs_with_other_seeds_and_their_mean_counts(place):
    folder = start_sweep(place, make_sweep(repeats=2, trials=2, jobs=1))
    wait_for_sweep(folder, "finished")
    for trial in folder.trials():
        runs = [RunDirectory(place.runs / run.id) for run in trial.runs]
        assert [run.experiment().seed for run in runs] == [12345, 12346]
        best = [
            min(
                json.loads(line)["values"].get("val/loss", 1e9)
                for line in run.events(1).read_text().splitlines()
                if '"metrics"' in line
            )
            for run in runs
        ]
        assert trial.values[0] == pytest.approx(sum(best) / 2)


def test_stop_and_resume_go_on_with_the_same_trials(place):
    base = selftest(epochs=4, seconds_per_step=0.1)
    folder = start_sweep(place, make_sweep(base, trials=3))
    wait_until(lambda: any(read_state(run).state == "running" for run in list_runs(place)), "a run")
    stop_sweep(folder)
    wait_for_sweep(folder, "stopped")
    before = folder.trials()
    assert {trial.state for trial in before} == {"running"}
    for trial in before:
        wait_for_state(RunDirectory(place.runs / trial.runs[0].id), "stopped", "cancelled", "finished")
    resume_sweep(folder)
    wait_for_sweep(folder, "finished")
    after = folder.trials()
    assert [trial.runs for trial in after[: len(before)]] == [trial.runs for trial in before]
    assert [trial.state for trial in after] == ["finished"] * 3
    assert len(list_runs(place)) == 3


def test_pause_begins_nothing_and_extend_begins_more(place):
    folder = start_sweep(place, make_sweep(trials=2, jobs=1))
    pause_sweep(folder)
    wait_for_sweep(folder, "paused")
    assert len(folder.trials()) <= 1
    resume_sweep(folder)
    wait_for_sweep(folder, "finished")
    assert len(folder.trials()) == 2
    with pytest.raises(InputError, match="has 2 trials already: give more"):
        extend_sweep(folder, trials=2)
    extend_sweep(folder, trials=3, jobs=2)
    wait_for_sweep(folder, "finished")
    assert len(folder.trials()) == 3
    assert folder.config().jobs == 2


def test_finished_runs_count_as_trials(place):
    run = queue_run(place, selftest())
    wait_for_state(run, "finished")
    start = {"base": False, "runs": [run.id]}
    folder = start_sweep(place, make_sweep(trials=1, start_with=start))
    wait_for_sweep(folder, "finished")
    first, second = folder.trials()
    assert (first.origin, first.state, first.runs) == (run.id, "finished", ())
    assert first.values[0] > 0
    assert second.origin == ""
    with pytest.raises(InputError, match="give the whole id"):
        start_sweep(place, make_sweep(name="other", start_with={"runs": ["selftest"]}))


def test_a_run_that_somebody_removes_or_stops_fails_its_trial(place):
    base = selftest(epochs=4, seconds_per_step=0.1)
    folder = start_sweep(place, make_sweep(base, trials=2, jobs=2))
    wait_until(lambda: sum(read_state(run).state == "running" for run in list_runs(place)) == 2, "two runs")
    request_kill(list_runs(place)[0])
    wait_for_sweep(folder, "finished")
    states = {trial.runs[0].id: trial for trial in folder.trials()}
    killed = states[list_runs(place)[0].id]
    assert killed.state == "failed"
    assert "stopped" in killed.cause


def test_several_objectives_have_a_front(place):
    objective = [{"metric": "val/loss"}, {"metric": "train/loss"}]
    folder = start_sweep(place, make_sweep(objective=objective, trials=4))
    wait_for_sweep(folder, "finished")
    trials = folder.trials()
    assert {len(trial.values) for trial in trials} == {2}
    study = load_study(folder)
    assert [trial.number for trial in best_trials(trials, folder.minimized)] == sorted(
        trial.number for trial in study.best_trials
    )


def test_after_its_hours_no_trial_begins(place):
    sweep = make_sweep(hours=0.5)
    origin = {"created": time.time() - 3600, "study": "small", "storage": f"sqlite:///{place.path / 'sweeps.db'}"}
    coordinator = Coordinator(create_sweep(place, sweep, origin))
    coordinator.begin()
    coordinator.tick()
    assert coordinator.is_over()
    assert coordinator.folder.trials() == ()
    append_request(coordinator.folder, "extend", hours=9.0)
    assert not coordinator.is_over()


def test_the_base_must_be_in_the_space(place):
    base = selftest()
    narrow = {"training.optimiser.learning_rate": {"type": "float", "low": 0.1, "high": 1.0}}
    with pytest.raises(
        InputError, match=r"the base base.yaml is not in the space: training.optimiser.learning_rate: 0.0001 lies"
    ):
        start_sweep(place, make_sweep(base, space=narrow))
    with pytest.raises(InputError, match="storage 'mysql2://x' cannot be used"):
        start_sweep(place, make_sweep(), storage="mysql2://x")
    assert list((place.path / "sweeps").glob("*/sweep.yaml")) == []


def test_names_and_differences(place):
    folder = create_sweep(place, make_sweep(), {"created": 0})
    append_request(folder, "pause")
    assert describe_differences(folder, make_sweep(trials=99, jobs=7)) == []
    changed = make_sweep(selftest(epochs=3), seed=1)
    assert describe_differences(folder, changed) == [
        "base.training.max_epochs: was 2, is 3",
        "seed: was 12345, is 1",
    ]
    with pytest.raises(InputError, match="there is a sweep small already"):
        create_sweep(place, make_sweep(), {})
    assert find_sweep(place, "sm").name == "small"
    with pytest.raises(InputError, match="no sweep 'large': there are small"):
        find_sweep(place, "large")
