"""Coordinators of two workspaces on one study in PostgreSQL, which goes down in between."""

import os
import time
from pathlib import Path

import optuna
import pytest

from lovt_core.runs.directory import list_runs
from lovt_core.runs.locks import is_locked
from lovt_core.runs.workspace import find_workspace
from lovt_core.sweeps.folder import read_sweep_state
from lovt_core.sweeps.requests import start_sweep
from lovt_core.sweeps.storage import close_storage, open_storage
from lovt_core.sweeps.study import copy_study
from tests.core.runs.conftest import selftest, wait_until
from tests.core.sweeps.conftest import make_sweep
from tests.postgres.server import Server

pytestmark = pytest.mark.postgres


@pytest.fixture
def server():
    programs, folder, port = os.environ["LOVT_POSTGRES"].split(":")
    return Server(Path(programs), Path(folder), int(port))


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Two workspaces, as of two machines that share nothing but the server."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = [find_workspace(tmp_path / name) for name in ("one", "other")]
    for place in found:
        place.settings.write_text("cpu_slots: 4\n")
    return found


def load_trials(url):
    storage = open_storage(url)
    try:
        return optuna.load_study(study_name="small", storage=storage).trials
    finally:
        close_storage(storage)


def test_two_workspaces_work_on_one_study(places, server, tmp_path):
    sweep = make_sweep(selftest(epochs=3, seconds_per_step=0.03), trials=14, jobs=2)
    folders = [start_sweep(place, sweep, storage=server.url) for place in places]
    wait_until(lambda: all(len(folder.trials()) >= 2 for folder in folders), "trials in both")
    server.stop()
    time.sleep(8)
    server.start()
    for folder in folders:
        wait_until(
            lambda folder=folder: read_sweep_state(folder) == "finished" and not is_locked(folder.lock),
            lambda folder=folder: f"the end: {folder.trials()}\n{folder.log.read_text()}",
            300,
        )
    trials = load_trials(server.url)
    assert len(trials) >= 14
    done = [trial for trial in trials if trial.state.name == "COMPLETE"]
    lost = [trial for trial in trials if trial.state.name != "COMPLETE"]
    owners = {trial.user_attrs["lovt"]["owner"] for trial in done}
    assert len(owners) == 2, "both have worked"
    assert len(done) >= 12
    for trial in lost:  # the server went down between asking and writing the runs' ids
        assert "owner" not in trial.user_attrs.get("lovt", {})
    runs = [run["id"] for trial in done for run in trial.user_attrs["lovt"]["runs"]]
    there = [run.id for place in places for run in list_runs(place)]
    assert sorted(runs) == sorted(there)
    assert "does not answer" in "".join(folder.log.read_text() for folder in folders)
    copy_study(folders[0], tmp_path / "copy.db")
    copied = load_trials(f"sqlite:///{tmp_path / 'copy.db'}")
    assert [trial.values for trial in copied] == [trial.values for trial in trials]
