"""Slurm as second launcher, without one: its programs are scripts here (tests/slurm has a real one)."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lovt_core.config.settings import SlurmConfig, load_settings
from lovt_core.errors import ConfigError, InputError, LovtError
from lovt_core.runs.asked import Requests
from lovt_core.runs.control import append_control, read_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.launchers import slurm, slurm_attempt, slurm_jobs
from lovt_core.runs.launchers.slurm_attempt import MAX_FRUITLESS, UNFINISHED, claim, find_own_job, go_on
from lovt_core.runs.launchers.slurm_chains import withdraw
from lovt_core.runs.launchers.slurm_endings import describe_end, explain_end
from lovt_core.runs.launchers.slurm_jobs import Answer, Job, JobEnd, JobList, JobView, view
from lovt_core.runs.launchers.slurm_sending import ask_gpus, job_environment, options_for
from lovt_core.runs.lines import append_line, read_lines
from lovt_core.runs.locks import is_locked, take_lock
from lovt_core.runs.queueing.requests import queue_run, request_resume, request_take
from lovt_core.runs.state import Evidence, compute_state, read_state
from lovt_core.runs.terms import SLURM, Terms
from tests.core.runs.conftest import selftest

ON_SLURM = Terms(launcher=SLURM)


def handed_in(workspace, job="12"):
    """A run that Slurm has."""
    run = create_run(workspace, selftest(epochs=1), ON_SLURM)
    append_control(run.control, slurm.describe_launch(1, job, slurm.name_job(run.id, 1)))
    return run


def has_begun(run, attempt=1, *events):
    """Event file of an attempt."""
    lines = [{"t": 1.0, "event": each} for each in ("started", *events)]
    append_line(run.events(attempt), *lines)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Slurm's programs as scripts that print; `programs(squeue="...")` writes them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(slurm_jobs, "REFUSAL_SECONDS", 0.0)

    def write(**answers):
        for name, text in answers.items():
            script = folder / name
            script.write_text(f"#!/bin/sh\n{text}\n")
            script.chmod(0o755)
        slurm_jobs.JOBS.forget()

    return write


def test_what_squeue_says_is_the_state(workspace, programs):
    run = handed_in(workspace)
    name = slurm.name_job(run.id, 1)
    programs(squeue=f"echo '12|PENDING|||Resources|{name}'; echo '13|RUNNING|node1||None|a|b'")
    state = read_state(run)
    assert (state.state, state.detail) == ("launched", "waits in Slurm: job 12, PENDING (Resources)")
    assert state.lock_held
    programs(squeue=f"echo '12|RUNNING|node7||None|{name}'")
    assert read_state(run).detail == "in Slurm: job 12, RUNNING on node7"
    has_begun(run)
    assert read_state(run).state == "running"
    programs(squeue=f"echo '12|NODE_FAIL|node7||None|{name}'")
    state = read_state(run)
    assert (state.state, state.detail) == ("lost", "the node failed (Slurm job 12, NODE_FAIL)")
    assert state.told_by_slurm
    assert not state.lock_held


def test_a_slurm_that_cannot_be_asked_ends_nothing(workspace, programs, monkeypatch):
    run = handed_in(workspace)
    has_begun(run)
    programs(squeue="echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    state = read_state(run)
    assert (state.state, state.lock_held) == ("running", True)
    assert state.detail == "job 12: Unable to contact slurm controller"
    slurm_jobs.JOBS.forget()
    monkeypatch.setenv("PATH", "/nowhere")
    assert read_state(run).detail == "job 12: there is no squeue on this machine, Slurm cannot be asked here"


def test_a_job_of_the_same_number_and_another_name_is_not_ours(workspace, programs):
    run = handed_in(workspace)
    programs(squeue="echo '12|RUNNING|node1||None|20260101-000000-other-abcd.a1'")
    slurm_jobs.JOBS.read()
    assert "has just been handed to Slurm" in read_state(run).detail
    slurm_jobs.JOBS.forget()
    state = read_state(run)  # asked after it was seen first: now it must be listed
    assert (state.state, state.cause) == ("failed", "lost")
    assert state.detail == "the worker died without a last word, exit status unknown (Slurm job 12, gone)"


def test_runs_of_this_machine_ask_nobody(workspace, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("squeue was asked")

    monkeypatch.setattr(slurm_jobs, "ask_squeue", refuse)
    run = create_run(workspace, selftest())
    append_control(run.control, record("launch", 1, launcher="local"))
    assert read_state(run).state == "launched"
    finished = handed_in(workspace)
    has_begun(finished, 1, "finished")
    assert read_state(finished).state == "finished"
    living = handed_in(workspace)
    lock = take_lock(living.worker_lock)
    assert read_state(living).state == "launched"
    os.close(lock)
    append_control(run.control, record("stop", 1))
    append_control(living.control, record("cancel", 1))


def test_one_answer_serves_for_a_while(monkeypatch):
    asked = []
    monkeypatch.setattr(slurm_jobs, "ask_squeue", lambda: asked.append(1) or Answer(time.monotonic(), time.time()))
    jobs = JobList()
    for _ in range(20):
        jobs.read()
    assert len(asked) == 1
    jobs.read(max_age=0)
    assert len(asked) == 2


def test_a_job_not_listed_has_ended_unless_it_may_be_younger_than_the_answer(monkeypatch):
    monkeypatch.setattr(slurm_jobs, "ask_squeue", lambda: Answer(time.monotonic(), 10_000.0))
    jobs = JobList()
    jobs.read()
    assert jobs.look_up("12", "run.a1", 9_999.0).phase == "unknown"
    assert jobs.look_up("11", "run.a1", 9_000.0).phase == "ended"
    jobs.forget()
    assert jobs.look_up("12", "run.a1", 9_999.0).phase == "ended"


@pytest.mark.parametrize(
    ("state", "exit_code", "cause", "sentence"),
    [
        ("FAILED", "137:0", "killed", "the worker was killed by signal SIGKILL (Slurm job 12, FAILED)"),
        ("FAILED", "0:11", "killed", "the worker was killed by signal SIGSEGV (Slurm job 12, FAILED)"),
        ("FAILED", "3:0", "exit", "the worker exited with code 3 without a last word (Slurm job 12, FAILED)"),
        ("COMPLETED", "0:0", "exit", "the worker exited with code 0 without a last word (Slurm job 12, COMPLETED)"),
        ("FAILED", "", "exit", "the worker ended without a last word (Slurm job 12, FAILED)"),
        ("OUT_OF_MEMORY", "0:125", "oom-killer", "the memory that Slurm had granted was full"),
        ("TIMEOUT", "0:15", "killed", "the time limit was reached before the worker had saved"),
        ("PREEMPTED", "0:15", "killed", "the job was preempted before the worker had saved"),
        ("", "", "lost", "the worker died without a last word, exit status unknown (Slurm job 12, gone)"),
    ],
)
def test_how_a_job_has_ended(state, exit_code, cause, sentence):
    how = explain_end(describe_end("12", JobEnd(state, exit_code)))
    assert how.cause == cause
    assert how.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("facts", "cancelled"),
    [
        ("JobState=COMPLETING Reason=None Requeue=0 ExitCode=0:15 PreemptTime=None", True),
        ("JobState=CANCELLED Reason=None Requeue=0 ExitCode=0:15 PreemptTime=None", True),
        ("JobState=COMPLETING Reason=TimeLimit Requeue=0 ExitCode=0:15 PreemptTime=None", False),
        ("JobState=RUNNING Reason=None Requeue=0 ExitCode=0:0 PreemptTime=2026-11-26T04:35:22", False),
        ("JobState=COMPLETING Reason=None Requeue=1 ExitCode=0:15 PreemptTime=None", False),
        ("JobState=COMPLETING Reason=None Requeue=0 ExitCode=0:15 PreemptTime=2026-11-26T04:35:22", False),
    ],
)
def test_who_has_sent_a_sigterm(programs, facts, cancelled):
    """As Slurm 22.05 has said in those cases."""
    programs(scontrol=f"echo 'JobId=12 JobName=run.a1 {facts}'")
    said = slurm_attempt.OwnJob("12", "run.a1").find_reason()
    assert said == ("job 12 was cancelled in Slurm" if cancelled else "")


def test_a_time_limit_is_no_wish_to_stop(workspace):
    run = handed_in(workspace)
    requests = Requests(run, 1, lambda: "job 12 was cancelled in Slurm")
    assert requests.asked() is None
    requests.on_terminate(signal.SIGUSR2, None)
    assert (requests.asked(), requests.explain()) == ("interrupted", {})
    requests = Requests(run, 1, lambda: "job 12 was cancelled in Slurm")
    requests.on_terminate(signal.SIGTERM, None)
    assert (requests.asked(), requests.explain()) == ("stopped", {"error": "job 12 was cancelled in Slurm"})


def test_accounts_are_asked_where_the_controller_has_forgotten(programs):
    programs(
        scontrol="echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1",
        sacct="echo 'CANCELLED by 0|0:0|other.a1'; echo 'NODE_FAIL|0:0|run.a1'",
    )
    assert slurm_jobs.ask_job("12", "run.a1") == JobEnd("NODE_FAIL", "0:0")
    programs(sacct="echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert slurm_jobs.ask_job("12", "run.a1") == JobEnd()
    programs(scontrol="echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(LovtError, match="Unable to contact"):
        slurm_jobs.ask_job("12", "run.a1")


def test_recorded_ends_are_states_of_their_own():
    control = (record("queued", 1), record("launch", 1, launcher=SLURM, job="12", name="run.a1"))
    cancelled = (*control, record("exited", 1, job="12", slurm="CANCELLED"))
    assert compute_state(Evidence(cancelled, False, True, None)).state == "stopped"
    lost = (*control, record("exited", 1, job="12", slurm="NODE_FAIL", exit="0:0"))
    assert compute_state(Evidence(lost, False, True, None)).cause == "lost"
    ended = JobView("ended", "12", "CANCELLED")
    assert compute_state(Evidence(control, False, False, None, ended)).state == "cancelled"
    assert compute_state(Evidence((*control, record("stop", 1)), False, True, None, ended)).state == "stopped"
    waiting = view(Job("12", "PENDING", "", "", "Priority", "run.a1"))
    assert compute_state(Evidence((*control, record("stop", 1)), False, True, None, waiting)).stop_asked


def test_a_job_claims_its_own_attempt_once(workspace, monkeypatch):
    run = handed_in(workspace)
    with pytest.raises(InputError, match="is to be started by Slurm"):
        find_own_job(run, 1)
    monkeypatch.setenv("SLURM_JOB_ID", "13")
    other = find_own_job(run, 1)
    with pytest.raises(InputError, match="attempt 1 is not for job 13"):
        claim(run, 1, other)
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    lock = claim(run, 1, find_own_job(run, 1))
    assert is_locked(run.worker_lock)
    os.close(lock)
    append_control(run.control, record("cancel", 1))
    lock = claim(run, 1, find_own_job(run, 1))
    os.close(lock)
    with pytest.raises(InputError, match="attempt 2 is not for job 12"):
        claim(run, 2, find_own_job(run, 2))


def test_a_job_of_an_array_is_known_by_its_task(workspace, monkeypatch):
    run = handed_in(workspace, "12_3")
    for name, value in {"ARRAY_JOB_ID": "12", "ARRAY_TASK_ID": "3", "JOB_ID": "15", "JOB_NAME": "all.a1"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    job = find_own_job(run, 1)
    assert (job.id, job.name) == ("12_3", "all.a1")
    os.close(claim(run, 1, job))


def test_a_job_whose_sender_has_died_writes_its_launch_itself(workspace, monkeypatch):
    run = create_run(workspace, selftest(), ON_SLURM)
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    os.close(claim(run, 1, find_own_job(run, 1)))
    launch = read_control(run.control)[-1]
    assert launch.details["job"] == "12"
    with pytest.raises(InputError, match="is not for job 13"):
        claim(run, 1, slurm_attempt.OwnJob("13", "name"))


def test_a_requeued_job_executes_no_attempt_twice(workspace, monkeypatch):
    """Its worker was killed without a last word: the next attempt goes on, in a job of its own."""
    sent = []
    monkeypatch.setattr(slurm_attempt, "hand_over", lambda workspace, run, attempt: sent.append(attempt))
    monkeypatch.setattr(slurm_attempt, "tend_chains", lambda workspace: [])
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    run = handed_in(workspace)
    has_begun(run, 1, "metrics")
    job = find_own_job(run, 1)
    assert claim(run, 1, job) is None
    assert not is_locked(run.worker_lock)
    assert [each.operation for each in read_control(run.control)] == ["queued", "launch", "exited", "queued"]
    assert go_on(run, 1) == UNFINISHED
    assert sent == [2]
    assert claim(run, 1, job) is None  # and once more
    assert [each.attempt for each in read_control(run.control)] == [1, 1, 1, 2]
    append_control(run.control, record("cancel", 2))


def test_a_finished_attempt_needs_nothing_more(workspace, monkeypatch):
    monkeypatch.setattr(slurm_attempt, "tend_chains", lambda workspace: [])
    run = handed_in(workspace)
    has_begun(run, 1, "finished")
    assert go_on(run, 1) == 0
    assert read_state(run).attempt == 1


def test_interruptions_before_anything_was_done_end_some_time(workspace, monkeypatch):
    sent = []
    monkeypatch.setattr(slurm_attempt, "hand_over", lambda workspace, run, attempt: sent.append(attempt))
    monkeypatch.setattr(slurm_attempt, "tend_chains", lambda workspace: [])
    run = handed_in(workspace)
    for attempt in range(1, MAX_FRUITLESS + 1):
        has_begun(run, attempt, "interrupted")
        assert go_on(run, attempt) == UNFINISHED
        if attempt < MAX_FRUITLESS:
            append_control(run.control, slurm.describe_launch(attempt + 1, "13", "name"))
    assert sent == list(range(2, MAX_FRUITLESS + 1))
    state = read_state(run)
    assert (state.state, state.attempt) == ("stopped", MAX_FRUITLESS + 1)
    assert "slurm.time_minutes is too short" in state.detail


def test_a_successor_that_cannot_be_handed_in_stays_queued(workspace, monkeypatch):
    def refuse(*arguments):
        raise LovtError("Unable to contact slurm controller")

    monkeypatch.setattr(slurm_attempt, "hand_over", refuse)
    monkeypatch.setattr(slurm_attempt, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(slurm_attempt, "tend_chains", refuse)
    run = handed_in(workspace)
    has_begun(run, 1, "metrics", "interrupted")
    assert go_on(run, 1) == UNFINISHED
    assert (read_state(run).state, read_state(run).attempt) == ("queued", 2)
    append_control(run.control, record("cancel", 2))


def test_what_was_taken_back_does_not_start_whatever_slurm_does(workspace, programs, monkeypatch):
    programs(scontrol="exit 1", scancel="exit 1", squeue="exit 1")
    run = handed_in(workspace)
    assert withdraw(run, 1, "user")
    assert read_state(run).state == "cancelled"
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    command = [sys.executable, "-m", "lovt_core.worker", str(run.path), "--attempt", "1", "--slurm"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "is cancelled at attempt 1: attempt 1 is not to be run" in answer.stderr
    assert not run.events(1).exists()
    assert not withdraw(run, 1, "user")


def test_taking_back_a_later_attempt_stops_the_run(workspace, programs):
    programs(scontrol="exit 1", squeue="exit 1")
    run = handed_in(workspace)
    has_begun(run, 1, "stopped")
    append_control(run.control, record("queued", 2), slurm.describe_launch(2, "13", "name"))
    assert withdraw(run, 2, "waited for another")
    assert (read_state(run).state, read_state(run).detail) == ("stopped", "waited for another")


def test_without_slurm_or_submitit_nothing_is_created(workspace, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no sbatch on this machine: use a login node"):
        queue_run(workspace, selftest(), ON_SLURM)
    monkeypatch.setattr(slurm.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"not installed: pip install 'lovt-tui\[slurm\]'"):
        queue_run(workspace, selftest(), ON_SLURM)
    assert not list(workspace.runs.iterdir())


def test_the_settings_say_where_runs_go(workspace, monkeypatch):
    workspace.settings.write_text("launcher: slurm\n")
    handed = []
    monkeypatch.setattr("lovt_core.runs.queueing.requests.check_slurm", lambda: None)
    monkeypatch.setattr(
        "lovt_core.runs.queueing.requests.hand_over", lambda *arguments, **options: handed.append(arguments)
    )
    run = queue_run(workspace, selftest(), Terms(allowed_gpus="0"))
    queued = read_control(run.control)[0].details
    assert (queued["launcher"], "allowed_gpus" in queued) == (SLURM, False)
    assert len(handed) == 1
    append_control(run.control, record("cancel", 1))


def test_what_a_job_asks_for(workspace):
    workspace.settings.write_text(
        "slurm: {partition: long, mem_gb: 1.5, save_seconds: 120, sbatch: {mail-type: END, exclusive: false}, "
        "setup: [module load cuda]}\n"
    )
    run = create_run(workspace, selftest(), ON_SLURM)
    options = options_for(workspace, run, ["7", "8_1"])
    assert options["partition"] == "long"
    assert options["mem"] == "1536M"
    assert options["dependency"] == "afterok:7:8_1"
    assert options["setup"] == ["module load cuda"]
    assert "gres" not in options  # device: cpu
    assert options["additional_parameters"] == {
        "mail-type": "END",
        "no-requeue": True,
        "kill-on-invalid-dep": "no",
        "chdir": "/",
        "export": "ALL",
        "signal": "USR2@120",
    }


def test_gpus():
    config = SlurmConfig(gres="gpu:a100")
    assert ask_gpus("auto", Terms(), config) == "gpu:a100:1"
    assert ask_gpus("cuda", Terms(gpus=2), config) == "gpu:a100:2"
    assert ask_gpus("auto", Terms(gpus=0), config) is None
    assert ask_gpus("cpu", Terms(), config) is None
    assert ask_gpus("auto", Terms(), SlurmConfig(gres=None)) is None


def test_a_successor_inherits_nothing_of_its_predecessors_job(workspace, monkeypatch):
    run = create_run(workspace, selftest(), ON_SLURM)
    for name in ("SLURM_JOB_ID", "SBATCH_REQUEUE", "SUBMITIT_EXECUTOR", "CUDA_VISIBLE_DEVICES", "SLURM_CONF"):
        monkeypatch.setenv(name, "x")
    before = dict(os.environ)
    with job_environment(run):
        inside = dict(os.environ)
    assert dict(os.environ) == before
    assert not {"SLURM_JOB_ID", "SBATCH_REQUEUE", "SUBMITIT_EXECUTOR", "CUDA_VISIBLE_DEVICES"} & inside.keys()
    assert inside["SLURM_CONF"] == "x"
    assert inside["PATH"] == before["PATH"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('slurm: {partition: "a\\n#SBATCH --uid=0"}', "slurm.partition: must be one line of printable characters"),
        ("slurm: {parttion: a}", "slurm.parttion: unknown key; known ones: partition, account"),
        ("slurm: {sbatch: {requeue: true}}", "slurm.sbatch.requeue: 'requeue' is what the program itself sets"),
        ("slurm: {sbatch: {'x; rm': 1}}", "'x; rm' is no long option of sbatch"),
        ("slurm: {sbatch: {mail-type: [a]}}", "slurm.sbatch.mail-type: must be text, a whole number, true or false"),
        ("slurm: {time_minutes: 1}", "slurm: save_seconds: must be less than the time limit of 60 seconds"),
        ("launcher: pbs", "launcher: unknown value 'pbs': one of local, slurm"),
    ],
)
def test_wrong_settings_are_refused_by_line(tmp_path, text, problem):
    path = tmp_path / "settings.yaml"
    path.write_text(f"{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert f"{path}:1: {problem}" in str(caught.value) or problem in str(caught.value)


def test_reading_states_loads_no_submitit():
    code = "import sys; from lovt_core.runs.queueing import requests, scheduler; sys.exit('submitit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_job_names_lead_back_to_attempts():
    assert slurm.read_job_name(slurm.name_job("20261126-000000-a.b-1a2b", 12)) == ("20261126-000000-a.b-1a2b", 12)
    assert slurm.read_job_name("something.else") is None


def test_a_last_word_outlives_all_that_slurm_says(workspace, programs):
    """A worker that says its last word while squeue answers: its files are read again, and count."""
    run = handed_in(workspace)
    name = slurm.name_job(run.id, 1)
    events = run.events(1)
    line = '{"t":1.0,"event":"finished"}'
    programs(squeue=f"echo '{line}' >> '{events}'; echo '12|COMPLETED|||None|{name}'")
    assert read_state(run).state == "finished"
    assert len(read_lines(events)) == 1


def test_a_copy_taken_to_a_machine_without_slurm_is_lost_and_can_be_resumed(workspace, monkeypatch, tmp_path):
    run = handed_in(workspace)
    has_begun(run, 1, "metrics")
    append_control(run.control, record("take", 1, machine="elsewhere", path="/elsewhere"))
    append_control(run.control, slurm.describe_launch(1, "12", "name"))
    monkeypatch.setenv("PATH", str(tmp_path))
    slurm_jobs.JOBS.forget()
    assert read_state(run).state == "running"  # nobody can say
    monkeypatch.setattr("lovt_core.runs.queueing.requests.ensure_scheduler", lambda workspace: None)
    request_take(workspace, run)
    assert (read_state(run).state, read_state(run).lock_held) == ("lost", False)
    request_resume(workspace, run, Terms(launcher="local"))
    assert read_state(run).attempt == 2
    append_control(run.control, record("cancel", 2))


def test_a_task_of_an_array_that_has_gone_before_it_began_was_cancelled(workspace, programs):
    """Slurm 22.05 forgets those at once; one that had begun stays known for minutes."""
    programs(squeue="true")
    run = handed_in(workspace, "12_3")
    state = read_state(run)
    assert (state.state, state.detail) == ("cancelled", "the job was cancelled in Slurm (Slurm job 12_3, CANCELLED)")
    has_begun(run)
    assert read_state(run).state == "lost"
