"""A SIGKILL after every step of the launch: no run is lost or started twice, and its losses are the same."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lovt_core.runs.directory import list_runs
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.lines import read_lines
from lovt_core.runs.queueing.requests import ensure_scheduler, queue_run, request_resume
from lovt_core.runs.state import read_state
from tests.core.runs.conftest import selftest, wait_for_state, wait_until

REQUEST = """
import sys
from pathlib import Path
from lovt_core.config.loading import load_stored_experiment
from lovt_core.runs.queueing.requests import queue_run
from lovt_core.runs.workspace import Workspace
queue_run(Workspace(Path(sys.argv[1])), load_stored_experiment(Path(sys.argv[2])))
"""
BEFORE_THE_RUN_EXISTS = ["runs/queue_file.py:announce"]
REQUESTER = ["runs/directory.py:create_run"]
SCHEDULER = [
    "runs/queueing/scheduler.py:Scheduler.look_around",
    "runs/queueing/slots.py:take_slot",
    "runs/queueing/launching.py:append_launch",
    "runs/launchers/local.py:start_worker",
    "runs/queueing/slots.py:TakenSlot.release",
    "runs/queueing/launching.py:launch",
    "runs/queueing/launching.py:Launcher.start",
]
WORKER_BEFORE_EVENTS = ["worker.py:keep_locks_to_ourselves", "runs/machine.py:host_facts"]
WORKER_AFTER_EVENTS = [
    "runs/events.py:EventWriter.__init__",
    "worker.py:make_workplace",
    "training/checkpoint.py:save_checkpoint",
    "runs/events.py:EventWriter.write",
]


@pytest.fixture
def kill_after(tmp_path, monkeypatch):
    """Make the next Python process that returns from a function kill itself there, once; returns the mark."""

    def arm(step: str) -> Path:
        mark = tmp_path / "killed"
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "killer"))
        monkeypatch.setenv("LOVT_KILL_AFTER", step)
        monkeypatch.setenv("LOVT_KILL_MARK", str(mark))
        return mark

    return arm


def request(workspace, tmp_path) -> int:
    """Queue a run from a process of its own; its exit code."""
    from lovt_core.config.loading import dump_experiment

    file = tmp_path / "experiment.yaml"
    file.write_text(dump_experiment(selftest()))
    return subprocess.run([sys.executable, "-c", REQUEST, workspace.path, file], check=False).returncode


def is_killed(mark: Path) -> bool:
    """Whether the process that left the mark is gone: until then it holds its locks."""
    pid = mark.read_text() if mark.exists() else ""
    if not pid.endswith("\n"):
        return False
    try:
        return psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def finish_and_compare(workspace, mark) -> None:
    """Bring the only run to its end and compare its curve with that of an undisturbed run."""
    (run,) = list_runs(workspace)
    wait_until(lambda: is_killed(mark), "the kill")
    ensure_scheduler(workspace)
    if wait_for_state(run, "finished", "lost", "failed").state != "finished":
        request_resume(workspace, run)
        wait_for_state(run, "finished")
    undisturbed = queue_run(workspace, selftest())
    wait_for_state(undisturbed, "finished")
    index = Index(workspace)
    index.sync()
    curve, expected = (index.curve(one.id, "train/loss") for one in (run, undisturbed))
    index.close()
    assert list(curve.steps) == list(range(1, 17))
    assert curve.values == expected.values
    for attempt in range(1, read_state(run).attempt + 1):
        started = [line for line in read_lines(run.events(attempt)) if line["event"] == "started"]
        assert len(started) <= 1


@pytest.mark.parametrize("step", REQUESTER + SCHEDULER + WORKER_BEFORE_EVENTS + WORKER_AFTER_EVENTS)
def test_the_run_survives(workspace, tmp_path, kill_after, step):
    mark = kill_after(step)
    code = request(workspace, tmp_path)
    assert code == (-signal.SIGKILL if step in REQUESTER else 0)
    finish_and_compare(workspace, mark)
    (run, _) = list_runs(workspace)
    expected_attempts = 1
    if (
        step in WORKER_BEFORE_EVENTS
        or step == "runs/queueing/launching.py:append_launch"
        or step in WORKER_AFTER_EVENTS
    ):
        expected_attempts = 2
    assert read_state(run).attempt == expected_attempts


@pytest.mark.parametrize("step", BEFORE_THE_RUN_EXISTS)
def test_before_the_run_exists_nothing_is_left(workspace, tmp_path, kill_after, step):
    kill_after(step)
    assert request(workspace, tmp_path) == -signal.SIGKILL
    assert list_runs(workspace) == []
    ensure_scheduler(workspace)
    os.environ.pop("LOVT_KILL_AFTER", None)
    run = queue_run(workspace, selftest(epochs=1))
    wait_for_state(run, "finished")
