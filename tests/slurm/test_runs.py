"""Runs on a real Slurm: submitted, stopped, killed, cancelled by others, refused; nobody here starts a scheduler."""

import json
import os

import pytest

from lovt_core.errors import InputError
from lovt_core.runs.control import read_control
from lovt_core.runs.launchers.slurm_jobs import JOBS
from lovt_core.runs.lines import read_lines
from lovt_core.runs.queueing.requests import queue_run, request_kill, request_resume, request_stop
from lovt_core.runs.state import read_state
from tests.core.runs.conftest import is_process, selftest, wait_until
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
LATER = "slurm: {gres: , time_minutes: 30, save_seconds: 60, sbatch: {begin: now+1hour}}\n"
"""Jobs that Slurm keeps waiting."""


def test_a_run_is_submitted_and_finishes(workspace, undisturbed_losses):
    run = queue(workspace)
    state = wait_for(run, "launched", "running", "finished")
    assert state.state != "launched" or state.detail.startswith(("waits in Slurm: job ", "in Slurm: job "))
    job = find_job(run)
    wait_for(run, "finished")
    assert losses(run) == undisturbed_losses(2)
    assert read_lines(run.events(1))[0]["slot"] == f"Slurm job {job}"
    wait_until(lambda: job_state(job) == "COMPLETED", "the job to be over")
    assert "Requeue=0" in slurm("scontrol", "show", "job", job)
    assert not workspace.scheduler_log.exists()
    assert [each.name for each in (run.path / "slurm").glob("*.pkl")] == [f"{job}_submitted.pkl"]


def test_a_running_run_stops_resumes_and_has_the_curve_of_an_undisturbed_one(workspace, undisturbed_losses):
    run = queue(workspace, 0.3)
    wait_for_steps(run)
    assert read_state(run).state == "running"
    request_stop(run)
    wait_for(run, "stopped")
    assert count(run, "saved") > 0
    assert len(losses(run)) < 16
    request_resume(workspace, run)
    assert wait_for(run, "finished").attempt == 2
    assert find_job(run, 2) != find_job(run, 1)
    assert losses(run) == undisturbed_losses(2)


def test_a_pending_run_is_taken_back(workspace):
    workspace.settings.write_text(LATER)
    run = queue(workspace)
    job = find_job(run)
    wait_until(lambda: "BeginTime" in read_state(run).detail, lambda: read_state(run).detail)
    state = read_state(run)
    assert (state.state, state.detail) == ("launched", f"waits in Slurm: job {job}, PENDING (BeginTime)")
    request_stop(run)
    assert read_state(run).state == "cancelled"
    wait_until(lambda: job_state(job) == "CANCELLED", "the job to be cancelled")
    request_resume_of_cancelled(workspace, run)
    assert read_state(run).attempt == 2
    request_stop(run)
    assert read_state(run).state == "stopped"
    wait_until(lambda: job_state(find_job(run, 2)) == "CANCELLED", "the second job to be cancelled")


def request_resume_of_cancelled(workspace, run):
    from lovt_core.runs.queueing.requests import request_retry

    request_retry(workspace, run)


def test_a_killed_run_dies_at_once(workspace):
    run = queue(workspace, 0.3, epochs=50)
    wait_for_steps(run)
    worker = read_lines(run.events(1))[0]["pid"]
    request_kill(run)
    wait_until(lambda: not is_process(worker), "the worker to be dead", 10)
    state = wait_for(run, "stopped")
    assert read_lines(run.events(1))[-1]["event"] != "stopped"  # no time to say anything
    assert state.attempt == 1
    wait_until(lambda: job_state(find_job(run)) in ("FAILED", "CANCELLED"), "the job to be over")


def test_what_others_cancel_has_saved_and_stays_stopped(workspace):
    run = queue(workspace, 0.3, epochs=50)
    wait_for_steps(run)
    job = find_job(run)
    slurm("scancel", job)
    state = wait_for(run, "stopped")
    assert state.detail == f"job {job} was cancelled in Slurm"
    assert count(run, "saved") > 0
    wait_until(lambda: job_state(job) == "CANCELLED", "the job to be over")
    assert read_state(run).attempt == 1


def test_what_others_cancel_while_it_waits_is_cancelled(workspace):
    from lovt_core.runs.queueing.requests import ensure_scheduler

    workspace.settings.write_text(LATER)
    run = queue(workspace)
    job = find_job(run)
    slurm("scancel", job)
    state = wait_for(run, "cancelled")
    assert (state.detail, state.told_by_slurm) == (
        f"the job was cancelled in Slurm (Slurm job {job}, CANCELLED)",
        True,
    )
    ensure_scheduler(workspace)
    wait_until(lambda: not read_state(run).told_by_slurm, "the end to be written down")
    assert read_state(run).state == "cancelled"
    assert [each.operation for each in read_control(run.control)] == ["queued", "launch", "cancel"]


def test_a_worker_that_dies_without_a_word_is_told_by_slurm_and_written_down(workspace):
    from lovt_core.runs.queueing.requests import ensure_scheduler

    run = queue(workspace, 0.3, epochs=50)
    wait_for_steps(run)
    os.kill(read_lines(run.events(1))[0]["pid"], 9)
    job = find_job(run)
    state = wait_for(run, "failed")
    assert (state.cause, state.detail) == ("exit", f"the worker ended without a last word (Slurm job {job}, FAILED)")
    ensure_scheduler(workspace)
    wait_until(lambda: not read_state(run).told_by_slurm, "the end to be written down")
    state = read_state(run)
    assert (state.state, state.cause) == ("failed", "killed")
    assert state.detail == f"the worker was killed by signal SIGKILL (Slurm job {job}, FAILED)"
    request_resume(workspace, run)
    wait_for_steps(run, attempt=2)


def test_what_slurm_refuses_is_cancelled_with_its_words(workspace):
    workspace.settings.write_text("slurm: {gres: , partition: nowhere}\n")
    with pytest.raises(InputError, match="nvalid partition"):
        queue(workspace)
    (run,) = workspace.runs.iterdir()
    from lovt_core.runs.directory import RunDirectory

    state = read_state(RunDirectory(run))
    assert state.state == "cancelled"
    assert "nvalid partition" in state.detail
    workspace.settings.write_text(SETTINGS)
    request_resume_of_cancelled(workspace, RunDirectory(run))
    wait_for(RunDirectory(run), "finished")


def test_settings_reach_sbatch_and_nothing_reaches_a_shell(workspace):
    mark = workspace.path / "mark"
    workspace.settings.write_text(
        json.dumps(
            {
                "launcher": "slurm",
                "slurm": {
                    "gres": None,
                    "partition": "main",
                    "cpus_per_task": 2,
                    "mem_gb": 0.5,
                    "time_minutes": 7,
                    "sbatch": {"comment": f"$(touch '{mark}') `touch '{mark}'`", "nice": 3, "exclusive": True},
                    "setup": ["export LOVT_TEST_SETUP=done"],
                },
            }
        )
    )
    run = queue_run(workspace, selftest(epochs=1))  # the workspace says where
    facts = slurm("scontrol", "--oneliner", "show", "job", find_job(run))
    assert "TimeLimit=00:07:00" in facts
    assert "CPUs/Task=2" in facts
    assert "Nice=3" in facts
    wait_for(run, "finished")
    assert not mark.exists()
    script = next((run.path / "slurm").glob("*.sh")).read_text()
    assert "export LOVT_TEST_SETUP=done" in script


def test_a_snapshot_runs_the_code_of_its_time(workspace):
    run = queue_run(workspace, selftest(0.1, epochs=1), ON_SLURM, snapshot=True)
    version = run.code / "lovt_core" / "__init__.py"
    version.write_text(version.read_text() + '\n__version__ = "0.0.0-snapshot"\n')
    wait_for(run, "finished")
    assert read_lines(run.events(1))[0]["version"] == "0.0.0-snapshot"


def test_states_of_many_runs_cost_one_call(workspace, monkeypatch):
    workspace.settings.write_text(LATER)
    runs = [queue(workspace) for _ in range(3)]
    from lovt_core.runs.launchers import slurm_jobs

    calls = []
    ask = slurm_jobs.run_slurm
    monkeypatch.setattr(slurm_jobs, "run_slurm", lambda *command, **options: calls.append(command) or ask(*command))
    JOBS.forget()
    assert {read_state(run).state for run in runs for _ in range(5)} == {"launched"}
    assert [command[0] for command in calls] == ["squeue"]
    for run in runs:
        request_stop(run)
