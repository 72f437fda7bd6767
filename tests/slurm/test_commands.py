"""The same commands as on one machine: launch, wait, stop, kill, resume; `--repeat` goes out as an array."""

import json
import subprocess

import pytest

from lovt_core.config.loading import dump_experiment
from lovt_core.runs.directory import find_run
from lovt_core.runs.state import read_state
from tests.cli.conftest import lovt  # noqa: F401
from tests.core.runs.conftest import selftest
from tests.slurm.conftest import count, find_launch_details, job_state, wait_for, wait_for_steps

pytestmark = pytest.mark.slurm


@pytest.fixture
def at(workspace, lovt, monkeypatch, tmp_path):  # noqa: F811
    """Run a command in the Slurm workspace."""
    monkeypatch.setenv("LOVT_HOME", str(workspace.path))
    (tmp_path / "short.yaml").write_text(dump_experiment(selftest(epochs=1)))
    (tmp_path / "long.yaml").write_text(dump_experiment(selftest(0.3, epochs=50)))
    return lovt


def test_launch_wait_and_show(at, workspace):
    answer = at("launch", "short.yaml", "--slurm", "--tag", "on-slurm")
    assert answer.code == 0, answer.err
    run_id = answer.out.strip()
    assert at("wait", run_id, "--timeout", "120").out.startswith(f"{run_id} finished")
    shown = json.loads(at("show", run_id, "--json").out)
    assert (shown["state"], shown["tags"]) == ("finished", ["on-slurm"])
    assert "cannot" not in at("runs").out


def test_stop_and_resume(at, workspace):
    run_id = at("launch", "long.yaml", "--slurm").out.strip()
    run = find_run(workspace, run_id)
    wait_for_steps(run)
    assert at("stop", run_id).code == 0
    wait_for(run, "stopped")
    assert at("resume", run_id, "--detach").code == 0
    wait_for_steps(run, attempt=2)
    assert at("kill", run_id).code == 0
    wait_for(run, "stopped")


def test_repeats_go_out_as_one_array_and_each_can_be_taken_back(at, workspace):
    answer = at("launch", "short.yaml", "--slurm", "--repeat", "4")
    assert answer.code == 0, answer.err
    runs = [find_run(workspace, run_id) for run_id in answer.out.split()]
    jobs = [find_launch_details(run)["job"] for run in runs]
    array = jobs[0].partition("_")[0]
    assert jobs == [f"{array}_{task}" for task in range(4)]
    at("stop", runs[3].id)
    assert read_state(runs[3]).state == "cancelled"
    for run in runs[:3]:
        wait_for(run, "finished")
        assert count(run, "started") == 1
    assert [run.experiment().seed - runs[0].experiment().seed for run in runs] == [0, 1, 2, 3]
    assert job_state(jobs[3]) == ""  # Slurm 22.05 forgets a task that was cancelled before it began
    assert count(runs[3], "started") == 0


def test_a_waiting_task_of_an_array_that_others_cancel_is_cancelled(at, workspace):
    workspace.settings.write_text("slurm: {gres: , sbatch: {begin: now+1hour}}\n")
    ids = at("launch", "short.yaml", "--slurm", "--repeat", "2").out.split()
    first, second = (find_run(workspace, run_id) for run_id in ids)
    subprocess.run(["scancel", find_launch_details(second)["job"]], check=True)
    assert "was cancelled in Slurm" in wait_for(second, "cancelled").detail
    assert read_state(first).state == "launched"
    at("stop", first.id)
    assert read_state(first).state == "cancelled"


def test_one_of_an_array_that_is_interrupted_goes_on_alone(at, workspace):
    ids = at("launch", "long.yaml", "--slurm", "--repeat", "2").out.split()
    first, second = (find_run(workspace, run_id) for run_id in ids)
    wait_for_steps(first)
    job = find_launch_details(first)["job"]
    subprocess.run(["scancel", "--signal=USR2", f"{job}.0"], check=True)
    wait_for_steps(first, attempt=2)
    assert "_" not in find_launch_details(first, 2)["job"]
    wait_for_steps(second)
    subprocess.run(["scancel", find_launch_details(second)["job"]], check=True)
    state = wait_for(second, "stopped")
    assert state.detail.endswith("was cancelled in Slurm")
    assert state.attempt == 1


def test_chain(at, workspace):
    ids = at("launch", "short.yaml", "short.yaml", "--chain", "--slurm").out.split()
    first, second = (find_run(workspace, run_id) for run_id in ids)
    wait_for(second, "finished")
    assert read_state(first).state == "finished"


def test_what_cannot_be_is_refused(at, monkeypatch):
    assert at("launch", "short.yaml", "--slurm", "--gpu-memory", "3").code == 2
    monkeypatch.setenv("PATH", "/nowhere")
    answer = at("launch", "short.yaml", "--slurm")
    assert (answer.code, answer.out) == (2, "")
    assert "there is no sbatch on this machine: use a login node of the cluster" in answer.err
