"""A study that its storage does not hold any more: nothing begins anew, and all that was known comes back."""

import os
import time

import optuna
import pytest

from lovt_core.errors import InputError, RecordError
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run, list_runs
from lovt_core.runs.lines import append_line
from lovt_core.runs.locks import is_locked, take_lock
from lovt_core.runs.state import read_state
from lovt_core.sweeps.asking import LocalAsker
from lovt_core.sweeps.coordinator import Coordinator, run_coordinator
from lovt_core.sweeps.folder import append_request, create_sweep, read_sweep_state
from lovt_core.sweeps.lost import check_study
from lovt_core.sweeps.rebuilding import COPY, rebuild_sweep
from lovt_core.sweeps.recorder import NOTE
from lovt_core.sweeps.requests import ensure_coordinator, extend_sweep, pause_sweep, resume_sweep, stop_sweep
from lovt_core.sweeps.storage import open_storage
from lovt_core.sweeps.study import copy_study, open_study
from tests.core.runs.conftest import selftest, wait_until
from tests.core.sweeps.conftest import make_sweep
from tests.core.sweeps.factories import make_trial

BEGAN = 1_767_225_600.0
PRUNER = {"name": "median", "metric": "train/top1", "direction": "maximize"}
SENTENCE = r"the study of the sweep small is lost: .* holds {} of its 6 trials; put it .* lovt sweep rebuild small"


def params(number):
    return {"training.optimiser.learning_rate": 10.0 ** -(number % 5), "training.optimiser.name": "adam"}


def write_lines(folder, trial, runs):
    line = {"trial": trial.number, "params": dict(trial.params), "distributions": dict(trial.distributions)}
    line |= {"settings": dict(trial.settings), "runs": runs, "origin": trial.origin, "started": BEGAN + trial.number}
    append_line(folder.trials_file, {**line, "state": "running"}, {"trial": trial.number, "began": BEGAN + 50})
    for step, value in ((1, 0.5), (2, 0.75)):
        append_line(folder.trials_file, {"trial": trial.number, "step": step, "value": value})


def end(folder, number, state, **details):
    append_line(folder.trials_file, {"trial": number, "state": state, "ended": BEGAN + 90, **details})


def make_run(folder, trial, **outcome):
    parent = {"sweep": folder.name, "study": folder.name, "trial": trial.number, "role": "training", "repeat": 0}
    parent |= {"params": dict(trial.params), "distributions": dict(trial.distributions)}
    run = create_run(folder.workspace, selftest(), parent=parent | {"settings": dict(trial.settings)})
    if outcome:
        append_control(run.control, record("trial", 1, trial=trial.number, **outcome))
    return {"id": run.id, "role": "training", "repeat": 0}


@pytest.fixture
def lost(place):
    """Six trials: finished, pruned, failed before it had a run, taken from a finished run, open, open without a run."""
    return make_lost(place)


def make_lost(place, storage=None):
    sweep = make_sweep(pruner=PRUNER, trials=8)
    url = storage or f"sqlite:///{place.path / 'sweeps.db'}"
    folder = create_sweep(place, sweep, {"created": 1.0, "study": "small", "storage": url})
    trials = [make_trial(number, sweep.config, params(number), origin="") for number in range(6)]
    for trial in trials[:2]:
        write_lines(folder, trial, [make_run(folder, trial)])
    end(folder, 0, "finished", values=[0.5])
    end(folder, 1, "pruned", cause="pruned by median at epoch 2")
    append_line(folder.trials_file, {"trial": 2, "state": "failed", "cause": "its coordinator ended", "ended": BEGAN})
    write_lines(folder, make_trial(3, sweep.config, params(3), origin="20260101-000000-old-abcd"), [])
    end(folder, 3, "finished", values=[0.25])
    write_lines(folder, trials[4], [make_run(folder, trials[4])])
    write_lines(folder, trials[5], [{"id": "20260101-000000-small-t5-abcd", "role": "training", "repeat": 0}])
    return folder


def load_study(folder):
    return optuna.load_study(study_name="small", storage=open_storage(folder.origin()["storage"]))


def refuse(folder, stored=0):
    """Nobody begins the study anew, and nothing is written."""
    before = folder.trials_file.read_bytes()
    for act in (resume_sweep, ensure_coordinator, check_study, Coordinator, lambda folder: extend_sweep(folder, 9)):
        with pytest.raises(InputError, match=SENTENCE.format(stored)):
            act(folder)
    assert not folder.control.exists()
    assert folder.trials_file.read_bytes() == before


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_lost_study_is_not_begun_anew(place, kind):
    folder = make_lost(place, f"journal:{place.path / 'sweeps.journal'}" if kind == "journal" else None)
    refuse(folder)
    assert rebuild_sweep(folder) == (6, 1)
    check_study(folder)
    assert len(Coordinator(folder).study.trials) == 6
    with pytest.raises(InputError, match="has 6 trials: it is not lost"):
        rebuild_sweep(folder)


def test_the_coordinator_says_so_in_the_state(lost, monkeypatch):
    from lovt_core.sweeps import coordinator

    monkeypatch.setattr("sys.argv", ["coordinator", str(lost.workspace.path), "small"])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit):
        coordinator.main()
    assert read_sweep_state(lost) == "stopped"
    assert "lovt sweep rebuild small" in lost.control.read_text()


def test_all_that_was_known_comes_back(lost):
    before, lines = lost.trials(), lost.trials_file.read_bytes()
    rebuild_sweep(lost)
    after = lost.trials()
    assert after[:5] == before[:5], "times, intermediate values, causes and states are those that were written down"
    assert (after[5].state, after[5].cause, after[5].params) == ("failed", "no run of it is left", before[5].params)
    assert lost.trials_file.read_bytes().startswith(lines), "nothing is taken away"
    assert (lost.path / COPY).read_bytes() == lines
    frozen = load_study(lost).trials
    assert [each.state.name for each in frozen] == ["COMPLETE", "PRUNED", "FAIL", "COMPLETE", "RUNNING", "FAIL"]
    assert frozen[0].intermediate_values == {1: -0.5, 2: -0.75}, "Optuna compares in the direction of the objective"
    assert frozen[0].datetime_start.timestamp() == pytest.approx(BEGAN)
    assert frozen[0].datetime_complete.timestamp() == pytest.approx(BEGAN + 90)
    assert frozen[3].user_attrs[NOTE]["origin"] == "20260101-000000-old-abcd"
    assert [run["id"] for run in frozen[4].user_attrs[NOTE]["runs"]] == [run.id for run in after[4].runs]
    again = Coordinator(lost)
    again.begin()
    assert list(again._open) == [4], "the open trial is taken up again"
    assert lost.trials() == after


@pytest.mark.parametrize("stored", [0, 2])
def test_an_empty_or_smaller_study_is_replaced(lost, stored):
    lines = lost.trials_file.read_bytes()
    lost.trials_file.unlink()
    study = open_study(lost, lost.read())
    for number in range(stored):
        study.tell(LocalAsker(lost.read(), study).ask(), float(number))
    lost.trials_file.write_bytes(lines)
    refuse(lost, stored)
    assert rebuild_sweep(lost) == (6, 1)
    assert load_study(lost).trials[0].values == [0.5]


def test_a_study_begun_anew_is_replaced_and_its_runs_are_left_out(lost):
    lines = lost.trials_file.read_bytes()
    lost.trials_file.unlink()
    study = open_study(lost, lost.read())
    for number in range(7):
        trial = LocalAsker(lost.read(), study).ask()
        made = make_trial(number, lost.config(), {**params(number), "training.optimiser.name": "adamw"})
        trial.set_user_attr(NOTE, {"runs": [make_run(lost, made)] if number < 6 else []})
        study.tell(trial, float(number))
    lost.trials_file.write_bytes(lines)
    with pytest.raises(InputError, match=r"is lost: .* holds another one of that name; .* lovt sweep rebuild small"):
        Coordinator(lost)
    assert rebuild_sweep(lost) == (6, 1)
    assert [run.id for run in lost.trials()[0].runs] == [load_study(lost).trials[0].user_attrs[NOTE]["runs"][0]["id"]]


def test_a_coordinator_at_work_and_trials_of_other_machines_are_left_alone(lost):
    lock = take_lock(lost.lock)
    with pytest.raises(InputError, match="has a coordinator at work"):
        rebuild_sweep(lost)
    os.close(lock)
    lines = lost.trials_file.read_bytes()
    lost.trials_file.unlink()
    study = open_study(lost, lost.read())
    LocalAsker(lost.read(), study).ask().set_user_attr(NOTE, {"owner": "another:machine", "runs": []})
    lost.trials_file.write_bytes(lines)
    with pytest.raises(InputError, match="some of them of other machines"):
        rebuild_sweep(lost)
    assert len(load_study(lost).trials) == 1


def test_without_its_lines_the_runs_tell(lost):
    trials = lost.trials()
    lost.trials_file.unlink()
    run = next(run for run in list_runs(lost.workspace) if run.origin()["parent"]["trial"] == 4)
    append_control(run.control, record("trial", 1, trial=4, state="finished", values=[0.5], cause="odd"))
    assert rebuild_sweep(lost) == (5, 2)
    after = lost.trials()
    assert [trial.state for trial in after] == ["running", "running", "failed", "failed", "finished"]
    assert [trial.cause for trial in after[2:]] == ["no run of it is left", "no run of it is left", "odd"]
    assert after[4].ended == pytest.approx(time.time(), abs=60)
    assert [trial.params for trial in after[:2]] == [trial.params for trial in trials[:2]]


def test_runs_that_a_sweep_began_with_get_their_numbers_back(place, monkeypatch):
    old = make_trial(0, make_sweep().config, params(2), origin="20260101-000000-old-abcd")
    start = {"base": True, "runs": [old.origin]}
    folder = create_sweep(place, make_sweep(start_with=start), {
        "created": 1.0, "study": "small", "storage": f"sqlite:///{place.path / 'sweeps.db'}"})  # fmt: skip
    for number in (0, 2):
        make_run(folder, make_trial(number, folder.config(), params(number)), state="finished", values=[1.0], cause="")
    taken = optuna.trial.create_trial(
        value=0.125,
        params=dict(old.params),
        distributions={
            name: optuna.distributions.json_to_distribution(text) for name, text in old.distributions.items()
        },
        user_attrs={NOTE: {"origin": old.origin, "runs": [], "settings": dict(old.settings)}},
    )
    monkeypatch.setattr("lovt_core.sweeps.rebuilding.make_trial", lambda run, rules: taken)
    assert rebuild_sweep(folder) == (3, 0)
    assert [(trial.origin, trial.values) for trial in folder.trials()] == [
        ("", (1.0,)),
        (old.origin, (0.125,)),
        ("", (1.0,)),
    ]


def test_nothing_is_left(place):
    folder = create_sweep(place, make_sweep(), {
        "created": 1.0, "study": "small", "storage": f"sqlite:///{place.path / 'sweeps.db'}"})  # fmt: skip
    with pytest.raises(InputError, match="nothing is left of any trial of the sweep small"):
        rebuild_sweep(folder)


def test_a_lost_study_is_not_exported(lost, tmp_path):
    with pytest.raises(InputError, match=SENTENCE.format(0)):
        copy_study(lost, tmp_path / "x.db")
    assert not (lost.workspace.path / "sweeps.db").exists()
    assert not (tmp_path / "x.db").exists()


def test_a_damaged_database_is_named(lost):
    (lost.workspace.path / "sweeps.db").write_bytes(b"no database" * 100)
    with pytest.raises(InputError, match=r"the storage .*sweeps.db is damaged \(.*\): move it away"):
        check_study(lost)


def test_a_storage_that_does_not_answer_may_hold_the_study(place):
    check_study(make_lost(place, "postgresql+psycopg://nobody@127.0.0.1:9/x"))


def test_stop_ends_runs_of_which_nothing_is_written_down(lost):
    lost.trials_file.unlink()
    stop_sweep(lost)
    assert {read_state(run).state for run in list_runs(lost.workspace)} == {"cancelled"}
    assert {read_state(run).detail for run in list_runs(lost.workspace)} == {"the sweep small was stopped"}


def test_damaged_sweep_files(lost):
    file = lost.path / "sweep.yaml"
    file.write_text(file.read_text().replace("trials: 8", "trials: none"))
    for act in (pause_sweep, resume_sweep, lambda folder: extend_sweep(folder, 9), run_coordinator):
        with pytest.raises(
            RecordError, match=r"sweep.yaml is damaged: line.*trials: must be a whole number, not 'none'"
        ):
            act(lost)
    assert not lost.control.exists()


def test_a_study_that_is_ahead_of_the_lines_goes_on(place):
    folder = create_sweep(place, make_sweep(trials=1, start_with={"base": False}), {
        "created": 1.0, "study": "small", "storage": f"sqlite:///{place.path / 'sweeps.db'}"})  # fmt: skip
    study = open_study(folder, folder.read())
    LocalAsker(folder.read(), study).ask()
    append_request(folder, "resume")
    ensure_coordinator(folder)
    wait_until(lambda: read_sweep_state(folder) == "finished" and not is_locked(folder.lock), "the sweep")
    assert [trial.state for trial in folder.trials()] == ["failed"]


@pytest.mark.parametrize("hours", [float("nan"), float("inf"), 0, -1.0])
def test_hours_that_never_come(lost, hours):
    with pytest.raises(InputError, match="extend: hours: must be a finite number above 0"):
        extend_sweep(lost, hours=hours)


def test_a_grid_that_is_used_up_says_so(place):
    space = {"training.optimiser.name": {"type": "categorical", "choices": ["adamw", "adam"]}}
    folder = create_sweep(place, make_sweep(space=space, sampler={"name": "grid"}), {"created": 1.0})
    for number in range(2):
        append_line(folder.trials_file, {"trial": number, "state": "finished", "values": [1.0], "params": {}})
    with pytest.raises(InputError, match="the grid of small has 2 points, and each has had its trial"):
        extend_sweep(folder, trials=9)
