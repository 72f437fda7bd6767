"""The queue: order, pause, runs behind runs, retries, several hosts; each with the real scheduler and worker."""

import json
import os
import signal
import sys
import time
from dataclasses import replace

import pytest

from lovt_core.config.loading import load_experiment, stamp_files
from lovt_core.errors import InputError
from lovt_core.runs import machine
from lovt_core.runs.control import append_control, read_control, record
from lovt_core.runs.directory import RunDirectory, create_run
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import holding, is_locked
from lovt_core.runs.queue_file import COMPACT_LINES, announce, compact, move, read_order, set_paused
from lovt_core.runs.queueing.queue_report import read_queue
from lovt_core.runs.queueing.requests import (
    ensure_scheduler,
    label_run,
    queue_run,
    request_epochs,
    request_resume,
    request_retry,
    request_stop,
    request_take,
)
from lovt_core.runs.queueing.scheduler import Scheduler, run_scheduler
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import Retry, Terms
from tests.core.runs.conftest import selftest, wait_for_state, wait_until


def pause(workspace, paused=True):
    with holding(workspace.queue_lock):
        set_paused(workspace, paused)


def go_on(workspace):
    pause(workspace, paused=False)
    ensure_scheduler(workspace)


def started_at(run):
    return read_lines(run.events(1))[0]["t"]


def finish_all(workspace, *runs):
    for run in runs:
        if read_state(run).is_active:
            request_stop(run)
    go_on(workspace)


def test_runs_start_by_priority_then_in_the_order_of_the_queue(workspace):
    pause(workspace)
    a, b, c, d = (queue_run(workspace, selftest(epochs=1), Terms(priority=p)) for p in (0, 0, 0, 5))
    with holding(workspace.queue_lock):
        move(workspace, c.id, "before", b.id)
    label_run(b, "priority", 1)
    report = read_queue(workspace)
    assert [each.id for each in report.waiting] == [d.id, b.id, a.id, c.id]
    assert {each.reason for each in report.waiting} == {"the queue is paused: lovt queue resume"}
    wait_until(lambda: not is_locked(workspace.scheduler_lock), "the scheduler of a paused queue to leave")
    go_on(workspace)
    for run in (a, b, c, d):
        wait_for_state(run, "finished")
    times = {run.id: started_at(run) for run in (a, b, c, d)}
    assert sorted(times, key=times.__getitem__) == [d.id, b.id, a.id, c.id]


def test_a_run_behind_another_starts_when_that_has_finished(workspace):
    pause(workspace)
    first = queue_run(workspace, selftest(epochs=1))
    second = queue_run(workspace, selftest(epochs=1), Terms(after=(first.id,), priority=9))
    assert next(each.reason for each in read_queue(workspace).waiting) == f"waits for {first.id} (queued)"
    go_on(workspace)
    wait_for_state(second, "finished")
    assert read_lines(first.events(1))[-1]["event"] == "finished"
    assert started_at(second) >= read_lines(first.events(1))[-1]["t"]


def test_what_waits_for_a_failed_run_is_cancelled_with_the_reason(workspace):
    first = queue_run(workspace, selftest(fail_at_step=2))
    second = queue_run(workspace, selftest(), Terms(after=(first.id,)))
    third = queue_run(workspace, selftest(), Terms(after=(second.id,)))
    state = wait_for_state(third, "cancelled")
    assert read_state(second).state == "cancelled"
    assert read_state(second).detail.startswith(f"waited for {first.id}, which has failed: the loss is nan at step 2")
    assert state.detail.startswith(f"waited for {second.id}, which has been cancelled: waited for {first.id}")
    request_retry(workspace, second)
    request_retry(workspace, third)
    for run in (second, third):  # what they wait for has failed as before: they are as cancelled as they were
        wait_until(lambda run=run: read_state(run) == replace(read_state(run), state="cancelled", attempt=2), "the end")


def test_what_waits_for_a_stopped_run_waits_on_and_the_scheduler_does_not(workspace):
    first = queue_run(workspace, selftest(seconds_per_step=0.3))
    second = queue_run(workspace, selftest(epochs=1), Terms(after=(first.id,)))
    wait_for_state(first, "running")
    request_stop(first)
    wait_for_state(first, "stopped")
    wait_until(lambda: not is_locked(workspace.scheduler_lock), "the scheduler to leave")
    (waiting,) = read_queue(workspace).waiting
    assert waiting.reason == f"waits for {first.id}, which is stopped: lovt resume {first.id}"
    with pytest.raises(InputError, match=f"--after would make {first.id} wait for itself: {first.id} -> {second.id}"):
        request_resume(workspace, first, Terms(after=(second.id,)))
    request_resume(workspace, first)
    wait_for_state(second, "finished")


def test_a_removed_run_takes_those_behind_it_along(workspace):
    import shutil

    pause(workspace)
    first = queue_run(workspace, selftest())
    second = queue_run(workspace, selftest(), Terms(after=(first.id,)))
    wait_until(lambda: not is_locked(workspace.scheduler_lock), "the scheduler to leave")
    shutil.rmtree(first.path)
    go_on(workspace)
    assert "which was removed" in wait_for_state(second, "cancelled").detail


def test_a_killed_run_is_tried_again_as_often_as_was_said(workspace):
    run = queue_run(workspace, selftest(seconds_per_step=0.2), Terms(retry=Retry(1, ("killed",))))
    wait_until(lambda: sum(line["event"] == "saved" for line in read_lines(run.events(1))) > 0, "a checkpoint")
    os.kill(read_lines(run.events(1))[0]["pid"], signal.SIGKILL)
    wait_until(lambda: run.events(2).exists(), "the second attempt")
    wait_until(lambda: any(line["event"] == "metrics" for line in read_lines(run.events(2))), "its first step")
    assert any(line.get("note", "").startswith("resumed from") for line in read_lines(run.events(2)))
    os.kill(read_lines(run.events(2))[0]["pid"], signal.SIGKILL)
    state = wait_for_state(run, "failed")
    assert (state.attempt, state.cause) == (2, "killed")
    reasons = [item.details.get("reason") for item in read_control(run.control) if item.operation == "queued"]
    assert reasons == [None, "retry 1 of 1 after: the worker was killed by signal SIGKILL"]
    request_resume(workspace, run)
    wait_for_state(run, "finished")


def test_a_diverged_run_is_not_tried_again(workspace):
    run = queue_run(workspace, selftest(fail_at_step=2), Terms(retry=Retry(3, ("killed", "lost"))))
    state = wait_for_state(run, "failed")
    assert (state.attempt, state.cause) == (1, "diverged")


def test_the_users_command_is_started_without_a_shell(workspace, tmp_path):
    told = tmp_path / "told.json"
    script = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + '|' + sys.stdin.read())"
    command = [sys.executable, "-c", script, str(told), "{state} $(id) {id}"]
    workspace.settings.write_text(f"notify: {json.dumps(command)}\n")
    run = queue_run(workspace, selftest(epochs=1))
    wait_for_state(run, "finished")
    wait_until(lambda: told.exists() and told.read_text().endswith("\n"), "the command")
    arguments, _, story = told.read_text().partition("|")
    assert arguments == f"finished $(id) {run.id}"
    assert json.loads(story)["best"]["val/loss"] > 0


def test_a_notify_command_that_is_not_there_costs_nothing(workspace):
    workspace.settings.write_text("notify: [/no/such/program]\n")
    run = queue_run(workspace, selftest(epochs=1))
    wait_for_state(run, "finished")
    wait_until(lambda: "cannot start /no/such/program" in workspace.scheduler_log.read_text(), "the complaint")


def test_cpu_slots_run_side_by_side(workspace):
    workspace.settings.write_text("cpu_slots: 2\n")
    runs = [queue_run(workspace, selftest(seconds_per_step=0.2)) for _ in range(2)]
    for run in runs:
        wait_for_state(run, "running", "finished")
    first, second = runs
    assert read_state(first).state == "running" or started_at(second) < read_lines(first.events(1))[-1]["t"]
    for run in runs:
        wait_for_state(run, "finished")


def test_a_finished_run_can_be_extended_if_its_state_was_kept(workspace):
    kept = selftest(epochs=2)
    kept = kept.model_copy(update={"training": kept.training.model_copy(update={"keep_state": True})})
    run = queue_run(workspace, kept)
    wait_for_state(run, "finished")
    with pytest.raises(InputError, match="is to train 2 epochs already"):
        request_epochs(workspace, run, 2)
    request_epochs(workspace, run, 3)
    wait_for_state(run, "finished")
    assert run.experiment().training.max_epochs == 3
    steps = [line["step"] for line in read_lines(run.events(2)) if line["event"] == "metrics"]
    assert (min(steps), max(steps)) == (17, 24)
    gone = queue_run(workspace, selftest(epochs=1))
    wait_for_state(gone, "finished")
    with pytest.raises(InputError, match="finished without training"):
        request_epochs(workspace, gone, 5)


def test_a_snapshot_runs_the_code_of_its_time(workspace):
    pause(workspace)
    run = queue_run(workspace, selftest(epochs=1), snapshot=True)
    package = run.code / "lovt_core"
    version = package / "__init__.py"
    version.write_text(version.read_text() + '\n__version__ = "0.0.0-snapshot"\n')
    go_on(workspace)
    wait_for_state(run, "finished")
    first = read_lines(run.events(1))[0]
    assert first["version"] == "0.0.0-snapshot"
    alarms = [line["message"] for line in read_lines(run.events(1)) if line["event"] == "alarm"]
    assert any("code has changed since this run was queued" in text for text in alarms)  # we have just changed it


def test_pruned_runs_say_why(workspace):
    run = queue_run(workspace, selftest(epochs=50, seconds_per_step=0.05))
    wait_for_state(run, "running")
    request_stop(run, "pruned by median at epoch 3", "pruned")
    state = wait_for_state(run, "pruned")
    assert (state.detail, state.stop_asked) == ("pruned by median at epoch 3", False)
    with pytest.raises(InputError, match="is pruned"):
        request_resume(workspace, run)
    killed = queue_run(workspace, selftest(epochs=50, seconds_per_step=0.05))
    wait_for_state(killed, "running")
    wait_until(lambda: bool(read_lines(killed.events(1))), "its first event")
    request_stop(killed, "no use", "pruned")
    started = read_lines(killed.events(1))[0]
    os.kill(started["pid"], signal.SIGKILL)
    assert wait_for_state(killed, "pruned").detail == "no use"


def test_a_file_edited_after_queueing_is_named(workspace, tmp_path):
    base, kept, file = (tmp_path / f"{name}.yaml" for name in ("base", "kept", "mine"))
    base.write_text("kind: selftest\ntraining:\n  max_epochs: 1\n")
    for each in (kept, file):
        each.write_text("base: base.yaml\nname: mine\n")
    pause(workspace)
    run = queue_run(workspace, load_experiment(file), files=stamp_files(file))
    untouched = queue_run(workspace, load_experiment(kept), files={str(kept): stamp_files(kept)[str(kept)]})
    base.write_text("kind: selftest\ntraining:\n  max_epochs: 2\n")
    file.unlink()
    go_on(workspace)
    wait_for_state(run, "finished")
    wait_for_state(untouched, "finished")
    assert run.experiment().training.max_epochs == 1
    notes = [line["message"] for line in read_lines(run.events(1)) if line["event"] == "note"]
    copy = f"since this run was queued; it computes with the copy made then ({run.id}/experiment.yaml)"
    assert sorted(notes) == [f"{base} has been edited {copy}", f"{file} has been removed {copy}"]
    assert not [line for line in read_lines(untouched.events(1)) if line["event"] in ("alarm", "note")]


def test_a_copied_run_starts_once_it_was_taken(workspace, tmp_path):
    import shutil

    pause(workspace)
    run = queue_run(workspace, selftest(epochs=1))
    copy = RunDirectory(workspace.runs / "20260101-000000-copy-abcd")
    shutil.copytree(run.path, copy.path)
    reasons = {each.id: each.reason for each in read_queue(workspace).waiting}
    assert reasons[copy.id] == (
        "was queued on another machine or path, whose scheduler starts it; here: lovt queue take " + copy.id
    )
    request_take(workspace, copy)
    with pytest.raises(InputError, match="is at home here already"):
        request_take(workspace, copy)
    go_on(workspace)
    wait_for_state(copy, "finished")
    wait_for_state(run, "finished")


def test_each_host_starts_its_own_runs(workspace, monkeypatch):
    """Two machine ids on one workspace: the other host's run is left alone here, and started there."""
    pause(workspace)
    here = queue_run(workspace, selftest(epochs=1))
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("lovt_core.runs.directory.machine_id", lambda: "another-machine")
        there = create_run(workspace, selftest(epochs=1))
    go_on(workspace)
    wait_for_state(here, "finished")
    wait_until(lambda: not is_locked(workspace.scheduler_lock), "the scheduler to leave")
    assert read_state(there).state == "queued"
    for name in ("directory", "workspace", "machine"):
        monkeypatch.setattr(f"lovt_core.runs.{name}.machine_id", lambda: "another-machine")
    assert machine.machine_id() == "another-machine"
    assert run_scheduler(workspace)
    assert read_state(there).state == "finished"


def test_a_long_queue_file_is_written_anew_with_what_still_waits(workspace):
    run = create_run(workspace, selftest())
    with holding(workspace.queue_lock):
        for number in range(COMPACT_LINES):
            announce(workspace, f"gone-{number}")
        set_paused(workspace, True)
        scheduler = Scheduler(workspace)
        scheduler.read_queue()
        seen = scheduler.queue_seen
        scheduler.compact_queue()
        assert read_lines(workspace.queue) == [{"run": run.id}, {"paused": True}]
        announce(workspace, run.id)
        scheduler.read_queue()
        assert scheduler.queue_seen != seen
        compact(workspace, lambda run_id: True)  # a short one is left as it is
        assert len(read_lines(workspace.queue)) == 3
    assert read_order(workspace).paused
    append_control(run.control, record("cancel", 1))


def test_a_full_disk_does_not_end_the_scheduler(workspace, monkeypatch):
    run = create_run(workspace, selftest())
    scheduler = Scheduler(workspace)
    scheduler.look_around()

    def refuse(*arguments, **options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("lovt_core.runs.control.append_line", refuse)
        full.setattr("sys.stderr.write", refuse)
        scheduler.tick()
    assert read_state(run).state == "queued"
    assert run.id in scheduler.watched
    append_control(run.control, record("cancel", 1))
    time.sleep(0.01)
    scheduler.tick()
    assert scheduler.is_idle()


def test_a_chain_behind_a_stopped_run_keeps_no_scheduler(workspace):
    pause(workspace)
    first = queue_run(workspace, selftest())
    second = queue_run(workspace, selftest(epochs=1), Terms(after=(first.id,)))
    third = queue_run(workspace, selftest(epochs=1), Terms(after=(second.id,)))
    append_control(first.control, record("launch", 1), record("exited", 1, unknown=True))
    first.events(1).write_text('{"t": 1.0, "event": "stopped"}\n')
    pause(workspace, paused=False)
    assert run_scheduler(workspace)  # leaves at once
    reasons = {each.id: each.reason for each in read_queue(workspace).waiting}
    assert reasons[second.id].startswith(f"waits for {first.id}, which is stopped")
    assert reasons[third.id] == f"waits for {second.id} (queued)"
    for run in (third, second):  # a scheduler that still lives cancels whatever waits for a cancelled run
        request_stop(run)
