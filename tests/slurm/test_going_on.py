"""Time limits, preemption, requeues, node failures, chains: the run goes on by itself, with no scheduler alive."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lovt_core.runs.control import read_control
from lovt_core.runs.directory import list_runs
from lovt_core.runs.launchers.slurm import hand_over
from lovt_core.runs.lines import read_lines
from lovt_core.runs.queueing.requests import ensure_scheduler, queue_run, request_resume, request_stop
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import SLURM, Retry, Terms
from tests.core.runs.conftest import selftest, tail, wait_until
from tests.slurm.conftest import (
    ON_SLURM,
    SETTINGS,
    count,
    find_job,
    job_state,
    losses,
    queue,
    slurm,
    wait_for,
    wait_for_steps,
)

pytestmark = pytest.mark.slurm
KILLER = Path(__file__).parents[1] / "core" / "runs" / "queueing" / "killer"
REQUEST = """
import sys
from pathlib import Path
from lovt_core.config.loading import load_stored_experiment
from lovt_core.runs.queueing.requests import queue_run
from lovt_core.runs.terms import Terms
from lovt_core.runs.workspace import Workspace
queue_run(Workspace(Path(sys.argv[1])), load_stored_experiment(Path(sys.argv[2])), Terms(launcher="slurm"))
"""


def last_word(run, attempt=1):
    return read_lines(run.events(attempt))[-1]["event"]


def reasons(run):
    return [each.details.get("reason") for each in read_control(run.control) if each.operation == "queued"]


def find_dependency(job):
    return slurm("squeue", "--noheader", f"--jobs={job}", "--format=%E")


def test_a_time_limit_ends_in_a_checkpoint_from_which_the_successor_goes_on(workspace, undisturbed_losses):
    workspace.settings.write_text("slurm: {gres: , time_minutes: 1, save_seconds: 10}\n")
    run = queue(workspace, 0.8, epochs=10)
    wait_for(run, "finished")
    attempts = read_state(run).attempt
    assert attempts > 1
    for attempt in range(1, attempts):
        assert last_word(run, attempt) == "interrupted"
        assert count(run, "saved", attempt) > 0
        assert job_state(find_job(run, attempt)) in ("FAILED", "COMPLETING")  # not TIMEOUT: it left in time
    assert reasons(run) == [None, *["interrupted"] * (attempts - 1)]
    assert losses(run) == undisturbed_losses(10)
    assert not workspace.scheduler_log.exists()


def test_a_preempted_run_goes_on_when_there_is_room_again(workspace, undisturbed_losses):
    run = queue(workspace, 0.5, epochs=4)
    wait_for_steps(run)
    slurm("sbatch", "--partition=urgent", "--exclusive", "--time=5", "--output=/dev/null", "--wrap=sleep 5")
    assert wait_for(run, "finished").attempt == 2
    assert last_word(run) == "interrupted"
    assert losses(run) == undisturbed_losses(4)


def test_a_requeue_by_an_administrator_runs_no_attempt_twice(workspace, undisturbed_losses):
    run = queue(workspace, 0.5, epochs=4)
    wait_for_steps(run)
    job = find_job(run)
    assert slurm("scontrol", "requeue", job, check=False) == ""  # --no-requeue
    assert job_state(job) == "RUNNING"
    slurm("scontrol", "update", f"JobId={job}", "Requeue=1")
    slurm("scontrol", "requeue", job)
    wait_until(lambda: job_state(job) == "PENDING", "the job to be back in the queue")
    slurm("scontrol", "update", f"JobId={job}", "StartTime=now")  # Slurm lets a requeued job wait two minutes
    assert wait_for(run, "finished").attempt == 2
    wait_until(lambda: job_state(job) == "FAILED", lambda: f"the requeued job to leave: {job_state(job)}")
    assert "Restarts=1" in slurm("scontrol", "show", "job", job)
    assert count(run, "started") == 1
    assert count(run, "started", 2) == 1
    assert losses(run) == undisturbed_losses(4)
    assert f"attempt 1 is not for job {job}" not in tail(run.log)  # it has begun before, which is no mistake


def test_a_failed_node_loses_the_run_which_is_tried_again_if_asked(workspace, undisturbed_losses):
    terms = Terms(launcher=SLURM, retry=Retry(1, ("lost",)))
    run = queue_run(workspace, selftest(0.5, 4), terms)
    wait_for_steps(run)
    worker = psutil.Process(read_lines(run.events(1))[0]["pid"])
    step = worker.parent()
    assert "slurmstepd" in " ".join(step.cmdline())
    step.kill()
    worker.kill()
    assert read_state(run).state == "running"  # Slurm does not know yet
    node = slurm("sinfo", "--noheader", "--format=%n")
    try:
        slurm("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        state = wait_for(run, "lost")
        assert "the node failed (Slurm job" in state.detail
    finally:
        slurm("scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)  # it may have come back by itself
    ensure_scheduler(workspace)  # by any command: the worker could do nothing any more
    assert wait_for(run, "finished").attempt == 2
    assert losses(run) == undisturbed_losses(4)


def test_a_chain_waits_in_slurm_and_follows_interruptions(workspace):
    first = queue(workspace, 0.4, epochs=3)
    second = queue_run(workspace, selftest(epochs=1), Terms(launcher=SLURM, after=(first.id,)))
    job = find_job(second)
    assert find_dependency(job).startswith(f"afterok:{find_job(first)}")
    wait_for_steps(first)
    slurm("scancel", "--signal=USR2", f"{find_job(first)}.0")
    wait_until(lambda: first.events(2).exists(), "the first run to go on")
    assert find_dependency(job).startswith(f"afterok:{find_job(first, 2)}")
    assert read_state(second).state == "launched"
    wait_for(second, "finished")
    assert read_state(first).state == "finished"
    assert read_lines(second.events(1))[0]["t"] >= read_lines(first.events(2))[-1]["t"]
    assert not workspace.scheduler_log.exists()


def test_what_waits_for_a_failed_run_is_cancelled_with_the_reason(workspace):
    first = queue(workspace, fail_at_step=2)
    second = queue_run(workspace, selftest(), Terms(launcher=SLURM, after=(first.id,)))
    third = queue_run(workspace, selftest(), Terms(launcher=SLURM, after=(second.id,)))
    wait_for(third, "cancelled")
    assert read_state(second).detail.startswith(f"waited for {first.id}, which has failed: the loss is nan at step 2")
    assert read_state(third).detail.startswith(f"waited for {second.id}, which has been cancelled")
    wait_until(lambda: job_state(find_job(third)) == "CANCELLED", "the job to be cancelled")
    assert not workspace.scheduler_log.exists()


def test_what_waits_for_a_stopped_run_waits_until_that_is_resumed(workspace):
    first = queue(workspace, 0.4)
    second = queue_run(workspace, selftest(epochs=1), Terms(launcher=SLURM, after=(first.id,)))
    wait_for_steps(first)
    request_stop(first)
    wait_for(first, "stopped")
    wait_until(lambda: "DependencyNeverSatisfied" in read_state(second).detail, lambda: read_state(second).detail)
    request_resume(workspace, first)
    wait_for(second, "finished")
    assert read_state(first).state == "finished"


def test_runs_of_this_machine_and_of_slurm_wait_for_each_other(workspace):
    here = queue_run(workspace, selftest(0.2, epochs=1))
    there = queue_run(workspace, selftest(epochs=1), Terms(launcher=SLURM, after=(here.id,)))
    assert read_state(there).state == "queued"
    back = queue_run(workspace, selftest(epochs=1), Terms(after=(there.id,)))
    wait_for(back, "finished")
    times = [read_lines(run.events(1))[0]["t"] for run in (here, there, back)]
    assert times == sorted(times)
    assert find_job(there)


@pytest.mark.parametrize("step", ["runs/launchers/slurm_sending.py:send", "runs/launchers/slurm.py:submit"])
def test_whoever_hands_in_may_die(workspace, tmp_path, monkeypatch, step):
    """Between sbatch and `launch 1`, and after it: the job's worker knows what to do."""
    from lovt_core.config.loading import dump_experiment

    file = tmp_path / "experiment.yaml"
    file.write_text(dump_experiment(selftest(epochs=1)))
    mark = tmp_path / "killed"
    environment = {**os.environ, "PYTHONPATH": str(KILLER), "LOVT_KILL_AFTER": step, "LOVT_KILL_MARK": str(mark)}
    command = [sys.executable, "-c", REQUEST, str(workspace.path), str(file)]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    (run,) = list_runs(workspace)
    wait_for(run, "finished")
    assert find_job(run)
    assert read_state(run).attempt == 1


def test_a_job_whose_sender_has_died_is_replaced_by_the_next(workspace, monkeypatch):
    from lovt_core.runs.launchers import slurm as launcher

    workspace.settings.write_text("slurm: {gres: , sbatch: {begin: now+1hour}}\n")

    def die(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(launcher, "describe_launch", die)
        with pytest.raises(KeyboardInterrupt):
            queue(workspace)
    (run,) = list_runs(workspace)
    assert read_state(run).state == "queued"
    left = slurm("squeue", "--me", "--noheader", "--format=%i")
    workspace.settings.write_text(SETTINGS)
    assert hand_over(workspace, run, 1) is None
    assert job_state(left) == "CANCELLED"
    assert find_job(run) != left
    wait_for(run, "finished")


def test_a_run_that_is_paused_goes_on_when_the_queue_does(workspace):
    from lovt_core.runs.locks import holding
    from lovt_core.runs.queue_file import set_paused

    with holding(workspace.queue_lock):
        set_paused(workspace, True)
    run = queue_run(workspace, selftest(epochs=1), ON_SLURM)
    assert read_state(run).state == "queued"
    with holding(workspace.queue_lock):
        set_paused(workspace, False)
    ensure_scheduler(workspace)
    wait_for(run, "finished")
    wait_until(lambda: workspace.scheduler_log.exists(), "the scheduler that has handed it in")
