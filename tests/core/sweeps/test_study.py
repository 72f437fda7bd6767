"""Storages, samplers, and what happens to a study that is lost or shared."""

import subprocess
import sys

import optuna
import pytest

from lovt_core.errors import InputError
from lovt_core.runs.directory import list_runs
from lovt_core.runs.locks import is_locked
from lovt_core.sweeps.asking import GridAsker, LocalAsker, RemoteAsker
from lovt_core.sweeps.coordinator import Coordinator
from lovt_core.sweeps.folder import create_sweep, read_sweep_state
from lovt_core.sweeps.rebuilding import rebuild_sweep
from lovt_core.sweeps.requests import start_sweep
from lovt_core.sweeps.storage import open_storage
from lovt_core.sweeps.study import copy_study, open_study
from tests.core.runs.conftest import wait_until
from tests.core.sweeps.conftest import SPACE, make_sweep

GRID = {
    "training.batch_size": {"type": "int", "low": 4, "high": 12, "step": 4},
    "training.optimiser.learning_rate": {"type": "float", "low": 0.1, "high": 0.3, "step": 0.1},
}


def make_folder(place, storage=None, **changes):
    sweep = make_sweep(**changes)
    url = storage or f"sqlite:///{place.path / 'sweeps.db'}"
    return create_sweep(place, sweep, {"created": 1.0, "study": sweep.config.name, "storage": url})


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes", "qmc", "gp"])
def test_each_sampler_gives_whole_trials(place, sampler):
    folder = make_folder(place, sampler={"name": sampler, "startup_trials": 1})
    study = open_study(folder, folder.read())
    asker = RemoteAsker(folder, study) if sampler == "gp" else LocalAsker(folder.read(), study)
    drawn = []
    for number in range(3):
        trial = asker.ask()
        assert trial.number == number
        assert set(trial.params) == set(SPACE)
        study.tell(trial, float(number))
        drawn.append(trial.params["training.optimiser.learning_rate"])
    assert len(set(drawn)) == 3
    if sampler == "gp":
        asker.close()


def test_a_coordinator_that_starts_again_does_not_repeat_its_draws(place):
    folder = make_folder(place, sampler={"name": "random"})
    study = open_study(folder, folder.read())
    first = [LocalAsker(folder.read(), study).ask().params["training.optimiser.learning_rate"] for _ in range(3)]
    assert len(set(first)) == 3


def test_a_grid_gives_each_point_once_however_often_it_is_begun(place):
    folder = make_folder(place, space=GRID, sampler={"name": "grid"}, start_with={"base": False})
    study = open_study(folder, folder.read())
    points = {tuple(GridAsker(folder.read(), study).ask().params.values()) for _ in range(9)}
    assert len(points) == 9
    with pytest.raises(InputError, match="the grid is used up"):
        GridAsker(folder.read(), study).ask()


def test_a_study_of_another_space_is_refused(place):
    folder = make_folder(place)
    open_study(folder, folder.read())
    other = make_sweep(space={"training.batch_size": {"type": "int", "low": 2, "high": 8}}, name="other")
    clash = create_sweep(place, other, {**folder.origin(), "study": "small"})
    with pytest.raises(InputError, match="holds a study 'small' with another space or objective"):
        open_study(clash, clash.read())


def test_a_journal_is_a_storage_and_becomes_a_database(place, tmp_path):
    folder = make_folder(place, storage=f"journal:{place.path / 'sweeps.journal'}")
    study = open_study(folder, folder.read())
    study.tell(LocalAsker(folder.read(), study).ask(), 1.5)
    copy_study(folder, tmp_path / "copy.db")
    copied = optuna.load_study(study_name="small", storage=open_storage(f"sqlite:///{tmp_path / 'copy.db'}"))
    assert [trial.values for trial in copied.trials] == [[1.5]]
    with pytest.raises(InputError, match="is there already"):
        copy_study(folder, tmp_path / "copy.db")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql+psycopg://nobody@127.0.0.1:9/x", "cannot be reached"),
        ("redis://x", "cannot be used"),
        ("no url", "cannot be used"),
        ("sqlite:////proc/nowhere/x.db", "cannot be reached: unable to open database file"),
    ],
)
def test_storages_that_cannot_be_used(url, message):
    with pytest.raises(InputError, match=message):
        open_storage(url)


WORK = """
import sys
from pathlib import Path
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.asking import LocalAsker
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.study import open_study
folder = SweepFolder(Workspace(Path(sys.argv[1])), sys.argv[2])
study = open_study(folder, folder.read())
asker = LocalAsker(folder.read(), study)
for number in range(8):
    trial = asker.ask()
    trial.set_user_attr("by", sys.argv[3])
    trial.report(1.0, 1)
    study.tell(trial, float(number))
"""


def test_eight_coordinators_on_one_file(place):
    names = [f"sweep-{number}" for number in range(4)]
    for name in names:
        make_folder(place, name=name)
    workers = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORK, str(place.path), names[number % 4], str(number)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    assert [worker.communicate(timeout=300)[1] for worker in workers] == [""] * 8
    storage = open_storage(f"sqlite:///{place.path / 'sweeps.db'}")
    for number, name in enumerate(names):
        trials = optuna.load_study(study_name=name, storage=storage).trials
        assert sorted(trial.number for trial in trials) == list(range(16))
        assert sorted(trial.user_attrs["by"] for trial in trials) == [str(number)] * 8 + [str(number + 4)] * 8


def test_a_lost_study_comes_back_from_the_runs(place):
    space = {"training.optimiser.learning_rate": {"type": "categorical", "choices": [1e-3, 1e-2, 1e-4]},
             "selftest.fail_at_step": {"type": "categorical", "choices": [None, 4]}}  # fmt: skip
    folder = start_sweep(place, make_sweep(space=space, trials=4, sampler={"name": "grid"}, repeats=2))
    wait_until(lambda: read_sweep_state(folder) == "finished" and not is_locked(folder.lock), "the sweep", 200)
    before = folder.trials()
    assert {trial.state for trial in before} >= {"finished"}
    with pytest.raises(InputError, match="has 4 trials: it is not lost"):
        rebuild_sweep(folder)
    for path in place.path.glob("sweeps.db*"):
        path.unlink()
    assert rebuild_sweep(folder) == (4, 0)
    after = folder.trials()
    for old, new in zip(before, after, strict=True):
        assert (old.number, old.state, old.values, old.cause) == (new.number, new.state, new.values, new.cause)
        assert (old.params, old.settings, old.runs, old.origin) == (new.params, new.settings, new.runs, new.origin)
    assert len(list_runs(place)) == 8


def test_a_trial_that_was_asked_for_and_never_launched_fails(place):
    folder = make_folder(place, trials=1, start_with={"base": False})
    study = open_study(folder, folder.read())
    LocalAsker(folder.read(), study).ask()  # and the coordinator died here
    coordinator = Coordinator(folder)
    coordinator.begin()
    (trial,) = folder.trials()
    assert (trial.state, trial.cause) == ("failed", "its coordinator ended before its runs were queued")
    assert coordinator.is_over()
