"""Stop, kill, resume; children that outlive their worker; slots; copied runs."""

import os
import shutil
import signal
import threading
import time

import psutil
import pytest

from lovt_core.errors import InputError
from lovt_core.runs.control import append_control, read_control, record
from lovt_core.runs.directory import RunDirectory, create_run, find_run, list_runs
from lovt_core.runs.events import EventWriter
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import is_locked, take_lock
from lovt_core.runs.queueing.requests import ensure_scheduler, queue_run, request_kill, request_resume, request_stop
from lovt_core.runs.queueing.slots import CPU, list_held
from lovt_core.runs.state import read_state
from tests.core.runs.conftest import is_process, selftest, wait_for_state, wait_until


def started(run, attempt=1):
    return next(line for line in read_lines(run.events(attempt)) if line["event"] == "started")


def wait_for_steps(run, count):
    def enough():
        return sum(line["event"] == "metrics" for line in read_lines(run.events(1))) >= count

    wait_until(enough, f"{count} steps")


def test_stop_while_queued(workspace):
    first = queue_run(workspace, selftest(seconds_per_step=0.3))
    second = queue_run(workspace, selftest())
    wait_for_state(first, "running")
    assert read_state(second).state == "queued"
    assert request_stop(second).state == "queued"
    assert read_state(second).state == "cancelled"
    with pytest.raises(InputError, match="is cancelled: only queued, launched and running runs can be stopped"):
        request_stop(second)
    wait_for_state(first, "finished")
    assert not second.events(1).exists()


def test_stop_while_launched(workspace):
    """The request falls between `launch 1` and the worker's first event: the worker answers it without a step."""
    run = create_run(workspace, selftest())
    lock = take_lock(run.worker_lock)
    append_control(run.control, record("launch", 1, title="CPU"))
    assert request_stop(run).state == "launched"
    assert read_state(run).stop_asked
    from lovt_core.runs.launchers.local import start_worker

    process = start_worker(run, 1, (lock,), {})
    os.close(lock)
    assert process.wait() == 0
    assert read_state(run).state == "stopped"
    assert [line["event"] for line in read_lines(run.events(1))] == ["started", "stopped"]


def test_stop_while_launched_of_a_worker_that_dies_is_not_started_again(workspace):
    run = create_run(workspace, selftest())
    append_control(run.control, record("launch", 1, title="CPU"), record("stop", 1))
    ensure_scheduler(workspace)
    wait_for_state(run, "stopped")
    assert read_state(run).attempt == 1


def test_stop_then_resume_equals_an_undisturbed_run(workspace):
    run = queue_run(workspace, selftest(seconds_per_step=0.5))
    wait_for_steps(run, 3)
    request_stop(run)
    wait_for_state(run, "stopped")
    with pytest.raises(InputError, match="is stopped: only queued"):
        request_stop(run)
    request_resume(workspace, run)
    wait_for_state(run, "finished")
    undisturbed = queue_run(workspace, selftest())
    wait_for_state(undisturbed, "finished")
    index = Index(workspace)
    index.sync()
    for metric in ("train/loss", "val/loss"):
        assert index.curve(run.id, metric).values == index.curve(undisturbed.id, metric).values
    index.close()
    with pytest.raises(InputError, match="is finished: only stopped, interrupted, failed, lost runs can be resumed"):
        request_resume(workspace, run)


def test_resume_waits_for_a_worker_that_has_said_its_last_word(workspace, monkeypatch):
    monkeypatch.setattr("lovt_core.runs.queueing.requests.ensure_scheduler", lambda workspace: None)
    run = create_run(workspace, selftest())
    append_control(run.control, record("launch", 1, title="CPU"))
    writer = EventWriter(run.events(1))
    writer.write_last_word("stopped")
    writer.close()
    lock = take_lock(run.worker_lock)
    monkeypatch.setattr("lovt_core.runs.queueing.requests.ENDING_SECONDS", 0.0)
    with pytest.raises(InputError, match="still ending: try again in a moment"):
        request_resume(workspace, run)
    monkeypatch.setattr("lovt_core.runs.queueing.requests.ENDING_SECONDS", 60.0)
    leaving = threading.Timer(0.3, os.close, (lock,))
    leaving.start()
    request_resume(workspace, run)
    leaving.join()
    assert read_state(run).state == "queued"


def test_sigterm_that_nobody_asked_for_is_queued_again(workspace):
    run = queue_run(workspace, selftest(seconds_per_step=0.3))
    wait_for_steps(run, 2)
    os.kill(started(run)["pid"], signal.SIGTERM)
    wait_until(lambda: read_state(run).attempt == 2, "attempt 2")
    wait_for_state(run, "finished")
    assert read_lines(run.events(1))[-1]["event"] == "interrupted"
    reasons = [item.details.get("reason") for item in read_control(run.control) if item.operation == "queued"]
    assert reasons == [None, "interrupted"]


def test_kill_ends_the_worker_and_its_children(workspace):
    run = queue_run(workspace, selftest(seconds_per_step=0.2, epochs=50, fork_child=True))
    wait_for_steps(run, 1)
    pid = started(run)["pid"]
    request_kill(run)
    state = wait_for_state(run, "stopped")
    assert state.detail == "the worker was killed by signal SIGKILL"
    wait_until(lambda: not is_process(pid), "the worker to be gone", 5)


def test_a_child_that_outlives_its_worker_holds_no_lock(workspace):
    run = queue_run(workspace, selftest(seconds_per_step=0.2, epochs=50, fork_child=True))
    wait_for_steps(run, 2)
    pid = started(run)["pid"]
    children = [process.pid for process in psutil.Process(pid).children()]
    assert children
    os.kill(pid, signal.SIGKILL)  # the worker alone: its child lives on
    state = wait_for_state(run, "failed")
    assert state.detail == "the worker was killed by signal SIGKILL"
    assert any(is_process(child) for child in children)
    assert not is_locked(run.worker_lock)
    assert list_held((CPU,)) == ()
    for child in children:
        os.kill(child, signal.SIGKILL)
    request_resume(workspace, run)
    wait_until(lambda: read_state(run).state == "running", "the next attempt")
    request_stop(run)
    wait_for_state(run, "stopped", "finished")


def test_three_deaths_before_the_first_event_are_enough(workspace, monkeypatch, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import sys, os\nif any('worker' in a for a in sys.orig_argv):\n    print('no luck', file=sys.stderr)\n"
        "    sys.stderr.flush()\n    os._exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(broken))
    run = queue_run(workspace, selftest())
    wait_until(lambda: read_state(run).state == "failed", "three deaths")
    state = read_state(run)
    assert state.attempt == 3
    assert state.detail == "the worker exited with code 7 without a last word"
    exits = [item for item in read_control(run.control) if item.operation == "exited"]
    assert [item.details["log"][-1] for item in exits] == ["no luck"] * 3


def test_a_failure_tells_why(workspace):
    run = queue_run(workspace, selftest(fail_at_step=5))
    state = wait_for_state(run, "failed")
    assert "step 5" in state.detail
    assert "Traceback" in read_lines(run.events(1))[-1]["traceback"]


def test_one_slot_runs_one_run_at_a_time(workspace):
    runs = [queue_run(workspace, selftest(seconds_per_step=0.02)) for _ in range(2)]
    for run in runs:
        wait_for_state(run, "finished")
    first, second = (read_lines(run.events(1)) for run in runs)
    assert second[0]["t"] >= first[-1]["t"]


def test_the_next_scheduler_adopts_a_living_worker(workspace):
    run = queue_run(workspace, selftest(seconds_per_step=0.25, epochs=50))
    wait_for_steps(run, 1)
    scheduler = next(item for item in read_control(run.control) if item.operation == "launch").details["scheduler"]
    os.kill(scheduler, signal.SIGKILL)
    wait_until(lambda: not is_locked(workspace.scheduler_lock), "the scheduler to die")
    assert read_state(run).state == "running"
    ensure_scheduler(workspace)
    time.sleep(0.5)
    os.kill(started(run)["pid"], signal.SIGKILL)
    wait_for_state(run, "lost")
    wait_until(lambda: any(item.operation == "exited" for item in read_control(run.control)), "the exit record")
    assert read_state(run).detail == "the worker died without a last word, exit status unknown"
    wait_until(lambda: not is_locked(workspace.scheduler_lock), "the scheduler to leave", 60)
    assert [item.operation for item in read_control(run.control)].count("exited") == 1


def test_a_copied_run_is_read_but_not_started(workspace, tmp_path):
    run = queue_run(workspace, selftest(seconds_per_step=0.05, epochs=100))
    wait_for_steps(run, 1)
    request_stop(run)
    wait_for_state(run, "stopped")
    copy = RunDirectory(workspace.runs / "20260101-000000-copy-abcd")
    shutil.copytree(run.path, copy.path)
    index = Index(workspace)
    index.sync()
    assert {row.id for row in index.runs()} == {run.id, copy.id}
    index.close()
    with pytest.raises(InputError, match="created on another machine or path"):
        request_resume(workspace, copy)


def test_find_run(workspace):
    with pytest.raises(InputError, match="has no runs yet"):
        find_run(workspace, "last")
    first = create_run(workspace, selftest())
    second = create_run(workspace, selftest())
    assert find_run(workspace, "last") == second
    assert find_run(workspace, first.id) == first
    assert find_run(workspace, second.id[-4:]) == second
    with pytest.raises(InputError, match="fits 2 runs"):
        find_run(workspace, first.id[:8])
    with pytest.raises(InputError, match="no run 'nothing'"):
        find_run(workspace, "nothing")
    for run in (first, second):
        request_stop(run)


def test_a_removed_run_is_forgotten_and_its_worker_ended(workspace):
    run = queue_run(workspace, selftest(seconds_per_step=0.2, epochs=50))
    wait_for_steps(run, 1)
    pid = started(run)["pid"]
    shutil.rmtree(run.path)
    wait_until(lambda: not is_process(pid), "the worker to end")
    wait_until(lambda: not is_locked(workspace.scheduler_lock), "the scheduler to leave", 60)
    (workspace.runs / run.id / "checkpoints").mkdir(parents=True, exist_ok=True)  # as a worker may leave behind
    assert list_runs(workspace) == []
    with pytest.raises(InputError, match="has no runs yet"):
        find_run(workspace, "last")
