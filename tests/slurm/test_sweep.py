"""A sweep whose trials are jobs: told, pruned, and taken up again by another coordinator."""

import os
import signal

import pytest

from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.locks import is_locked
from lovt_core.sweeps.folder import read_sweep_state
from lovt_core.sweeps.requests import ensure_coordinator, start_sweep
from tests.core.runs.conftest import selftest, wait_until
from tests.core.sweeps.conftest import make_sweep
from tests.slurm.conftest import ON_SLURM, find_launch_details
from tests.torture.test_sweep_kills import find_coordinator

pytestmark = pytest.mark.slurm


def test_trials_are_jobs_and_outlive_their_coordinator(workspace):
    folder = start_sweep(workspace, make_sweep(selftest(epochs=3), trials=4, jobs=2), terms=ON_SLURM)
    wait_until(lambda: len(folder.trials()) >= 2, "two trials")
    os.kill(find_coordinator(folder), signal.SIGKILL)
    wait_until(lambda: not is_locked(folder.lock), "the coordinator to be gone")
    ensure_coordinator(folder)
    wait_until(
        lambda: read_sweep_state(folder) == "finished", lambda: f"{folder.trials()}\n{folder.log.read_text()}", 240
    )
    assert [trial.state for trial in folder.trials()] == ["finished"] * 4
    assert sorted(run.id for run in list_runs(workspace)) == sorted(
        run.id for trial in folder.trials() for run in trial.runs
    )
    for trial in folder.trials():
        assert find_launch_details(RunDirectory(workspace.runs / trial.runs[0].id))["launcher"] == "slurm"
    wait_until(lambda: not is_locked(folder.lock), "the coordinator to leave")
