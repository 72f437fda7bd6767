"""Launching, the queue, labels, waiting, the doctor, with a paused queue in which nothing starts."""

import json
import os
from pathlib import Path

import pytest

from lovt_core.runs.control import append_control, read_control, read_labels, record
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.gpus import GB, Gpu
from lovt_core.runs.locks import is_locked
from lovt_core.runs.queueing.slots import CPU, take_slot
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import read_terms
from lovt_core.runs.workspace import Workspace
from tests.core.runs.conftest import wait_until

EXPERIMENT = """
kind: selftest
name: small
seed: 7
training: {batch_size: 8, accumulate: 1, max_epochs: 1, precision: fp32, device: cpu}
"""
TWO_GPUS = (Gpu("GPU-aaaa", 0, "T4", 16 * GB, 16 * GB), Gpu("GPU-bbbb", 1, "T4", 16 * GB, 16 * GB))


@pytest.fixture
def place(lovt, tmp_path):
    """A workspace whose queue is paused, and an experiment file; the scheduler has left at the end."""
    (tmp_path / "small.yaml").write_text(EXPERIMENT)
    workspace = Workspace(tmp_path / "lovt-workspace")
    (workspace.path / "runs").mkdir(parents=True)
    assert lovt("queue", "pause").out == "the queue is paused; runs at work go on\n"
    yield workspace
    wait_until(lambda: not is_locked(workspace.scheduler_lock), "the scheduler to leave")


def terms_of(workspace, run_id):
    return read_terms(read_control(workspace.runs.joinpath(run_id, "control.jsonl")))


def test_launch_repeats_with_seeds_one_apart_in_one_group(lovt, place):
    answer = lovt("launch", "small.yaml", "--repeat", "3", "--tag", "tau", "--priority", "2", "--retry", "1")
    assert answer.code == 0, answer.err
    ids = answer.out.split()
    runs = [RunDirectory(place.runs / run_id) for run_id in ids]
    assert [run.experiment().seed for run in runs] == [7, 8, 9]
    assert len({terms_of(place, run_id).group for run_id in ids}) == 1
    assert {read_labels(read_control(run.control)).tags for run in runs} == {("tau",)}
    assert {terms_of(place, run_id).retry.times for run_id in ids} == {1}
    listing = json.loads(lovt("queue", "--json").out)
    assert listing["paused"]
    assert [(each["id"], each["priority"]) for each in listing["waiting"]] == [(run_id, 2) for run_id in ids]


def test_a_chain_runs_one_behind_the_other(lovt, place):
    ids = lovt("launch", "small.yaml", "small.yaml", "--chain", "--repeat", "2").out.split()
    assert len(ids) == 4
    assert [terms_of(place, run_id).after for run_id in ids] == [(), (ids[0],), (), (ids[2],)]
    after = lovt("launch", "small.yaml", "--after", ids[3]).out.strip()
    assert terms_of(place, after).after == (ids[3],)


def test_a_dry_run_queues_nothing(lovt, place):
    answer = lovt("launch", "small.yaml", "small.yaml", "--chain", "--dry-run")
    assert answer.out == "would be queued: (small) seed 7\nwould be queued: (small) seed 7  behind (small)\n"
    assert list_runs(place) == []
    (plan,) = json.loads(lovt("launch", "small.yaml", "--dry-run", "--json").out)
    assert (plan["name"], plan["seed"], plan["state"]) == ("small", 7, "would be queued")


def test_an_evaluation_in_a_chain_evaluates_what_was_trained(lovt, place):
    answer = lovt("launch", "small.yaml", "evaluation/quick.yaml", "--chain")
    assert answer.code == 2
    assert "is to evaluate small, which is no pre-training: change the order" in answer.err
    assert list_runs(place) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--after", "nothing"), "no run 'nothing'"),
        (("--retry-on", "cuda"), "--retry-on goes with --retry"),
        (("--retry", "1", "--retry-on", "cuda,weather"), "no cause is 'weather': one of gpu-memory, cuda"),
        (("--gpus", "3"), "--gpus 3: this machine has 2"),
        (("--gpus", "2"), "training.accumulate is 1, which 2 processes (one for each GPU) cannot share equally"),
        (("--gpu-memory", "40"), "--gpu-memory 40: the largest GPU of this machine has 16 GB"),
        (("--set", "training.max_epoch=3"), "training.max_epoch: unknown key"),
    ],
)
def test_launches_that_cannot_be(lovt, place, monkeypatch, arguments, message):
    monkeypatch.setattr("lovt_core.runs.gpus.read_gpus", lambda: TWO_GPUS)
    answer = lovt("launch", "small.yaml", *arguments)
    assert (answer.code, list_runs(place)) == (2, [])
    assert message in answer.err


def test_gpu_memory_where_there_is_no_gpu(lovt, place, monkeypatch):
    monkeypatch.setattr("lovt_core.runs.gpus.read_gpus", tuple)
    answer = lovt("launch", "small.yaml", "--gpu-memory", "10")
    assert (answer.code, list_runs(place)) == (2, [])
    assert "--gpu-memory 10: this machine has no GPU: leave it out" in answer.err


def test_a_training_is_shared_among_gpus(lovt, place, monkeypatch):
    monkeypatch.setattr("lovt_core.runs.gpus.read_gpus", lambda: TWO_GPUS)
    accumulating = ("--set", "training.accumulate=4")
    ids = [
        lovt("launch", "small.yaml", "--gpus", "2", *accumulating).out.strip(),
        lovt("pretrain", "small.yaml", "--gpus", "2", "--detach", *accumulating).out.strip(),
    ]
    assert [terms_of(place, run_id).gpus for run_id in ids] == [2, 2]
    assert "cannot share equally" in lovt("pretrain", "small.yaml", "--gpus", "2", "--detach").err
    answer = lovt("launch", "evaluation/quick.yaml", "--gpus", "2")
    assert (answer.code, answer.err.count("which computes on one GPU")) == (2, 1)
    lovt("stop", ids[0])
    assert "what can: 1, 2, 4" in lovt("resume", ids[0], "--gpus", "3", "--detach").err


def test_nothing_waits_for_what_has_failed(lovt, place):
    run_id = lovt("launch", "small.yaml").out.strip()
    lovt("stop", run_id)
    answer = lovt("launch", "small.yaml", "--after", run_id)
    assert f"run {run_id} is cancelled and will not finish: lovt retry {run_id}" in answer.err


def test_moving_in_the_queue(lovt, place):
    first, second, third = lovt("launch", "small.yaml", "--repeat", "3").out.split()

    def order():
        return [each["id"] for each in json.loads(lovt("queue", "--json").out)["waiting"]]

    lovt("queue", "move", third, "--first")
    assert order() == [third, first, second]
    lovt("queue", "move", third, "--before", second)
    assert order() == [first, third, second]
    lovt("queue", "move", first, "--last")
    assert order() == [third, second, first]
    lovt("queue", "move", first, "--priority", "1")
    assert order() == [first, third, second]
    assert "say where to" in lovt("queue", "move", first).err
    lovt("stop", third)
    assert f"run {third} is cancelled: only queued runs can be moved" in lovt("queue", "move", third, "--first").err


def test_clearing_the_queue_asks(lovt, place, monkeypatch):
    ids = lovt("launch", "small.yaml", "--repeat", "2").out.split()
    monkeypatch.setattr("typer.confirm", lambda text: text != "Cancel 2 queued runs?")
    assert lovt("queue", "clear").code == 1
    assert lovt("queue", "clear", "--yes").out.split() == ids
    assert {read_state(RunDirectory(place.runs / run_id)).state for run_id in ids} == {"cancelled"}
    assert lovt("queue", "clear").out == "nothing waits\n"
    retried = lovt("retry", *ids)
    assert retried.out.splitlines()[0] == f"{ids[0]} was cancelled and is queued as attempt 2"


def test_labels(lovt, place):
    run_id = lovt("launch", "small.yaml").out.strip()
    assert lovt("tag", run_id, "baseline", "tau").out == "baseline tau\n"
    assert lovt("tag", run_id, "--remove", "tau").out == "baseline\n"
    assert lovt("tag", run_id).out == "baseline\n"
    assert lovt("note", run_id, "rate too high; $(rm -rf /)").out == "rate too high; $(rm -rf /)\n"
    assert lovt("note", run_id).out == "rate too high; $(rm -rf /)\n"
    assert lovt("note", run_id, "\x1b[2Jcleared").out == "\\x1b[2Jcleared\n"
    assert lovt("rename", run_id, "tau-03").out == "tau-03\n"
    assert lovt("tag", "tau-03").out == "baseline\n"
    assert "tag: 'Öl' is not a name" in lovt("tag", run_id, "Öl").err
    assert lovt("rename", run_id, "../x").code == 2
    assert "would be taken for an id" in lovt("rename", run_id, "last").err
    shown = {line.split()[0]: line.split()[1:] for line in lovt("show", run_id).out.splitlines()}
    assert shown["tags"] == ["baseline"]
    assert "note" in shown
    assert "the note has 10001 characters" in lovt("note", run_id, "x" * 10_001).err


def test_waiting(lovt, place):
    finished, stopped = lovt("launch", "small.yaml", "--repeat", "2").out.split()
    assert lovt("wait", finished, "--timeout", "0").code == 124
    run = RunDirectory(place.runs / finished)
    append_control(run.control, record("launch", 1))
    run.events(1).write_text('{"t": 1.0, "event": "finished"}\n')
    assert lovt("wait", finished).out == f"{finished} finished\n"
    lovt("stop", stopped)
    answer = lovt("wait", finished, stopped, "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["ended"][stopped]["state"] == "cancelled"


def test_logs(lovt, place):
    run_id = lovt("launch", "small.yaml").out.strip()
    assert lovt("logs", run_id).out == ""
    RunDirectory(place.runs / run_id).log.write_text("one\ntwo\nthree\n")
    assert lovt("logs", run_id, "-n", "2").out == "two\nthree\n"
    assert lovt("logs", run_id, "-n", "0").out == ""
    lovt("stop", run_id)
    assert lovt("logs", run_id, "-f").out == "one\ntwo\nthree\n"


def test_killing_what_does_not_run(lovt, place):
    run_id = lovt("launch", "small.yaml").out.strip()
    answer = lovt("kill", run_id)
    assert (answer.code, answer.err) == (2, f"error: run {run_id} is queued: only running runs can be killed\n")


def test_every_waiting_run_says_why(lovt, place, tmp_path):
    first = lovt("launch", "small.yaml").out.strip()
    second = lovt("launch", "small.yaml", "--after", first).out.strip()
    slot = take_slot(CPU, "CPU")
    wait_until(lambda: not is_locked(place.scheduler_lock), "the scheduler of the paused queue to leave")
    assert lovt("queue", "resume").out == "the queue goes on\n"
    wait_until(lambda: "the CPU is taken by another run" in lovt("queue").out, "the reason")
    reasons = {each["id"]: each["reason"] for each in json.loads(lovt("queue", "--json").out)["waiting"]}
    assert reasons[second] == f"waits for {first} (queued)"
    lovt("queue", "clear", "--yes")
    slot.release()


def test_autostart_prints_a_unit_and_a_crontab_line(lovt, place, monkeypatch):
    monkeypatch.setenv("LOVT_WEIGHTS", '/we"ights 100%')
    printed = lovt("queue", "autostart", "--print").out
    assert f'-m" "lovt_core.runs.queueing.scheduler" "{place.path}"' in printed
    assert 'Environment="LOVT_WEIGHTS=/we\\"ights 100%%"' in printed
    line = next(line for line in printed.splitlines() if line.startswith("@reboot "))
    assert "'LOVT_WEIGHTS=/we\"ights 100\\%'" in line
    assert not Path(printed.splitlines()[0].removeprefix("# ")).exists()


def test_autostart_with_systemd(lovt, place, monkeypatch, tmp_path):
    told = tmp_path / "told"
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    (programs / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    out = lovt("queue", "autostart").out
    (unit,) = (tmp_path / "config" / "systemd" / "user").iterdir()
    assert f"{unit} is enabled" in out
    assert "loginctl enable-linger" in out
    assert f"--user enable {unit.name}" in told.read_text()
    assert lovt("queue", "autostart", "--remove").out == f"{unit} is removed\n"
    assert not unit.exists()


def test_the_doctor_knows_whether_slurm_can_be_used(lovt, place, monkeypatch):
    from lovt_tui.examination import _slurm

    monkeypatch.setenv("PATH", "")
    assert list(_slurm(place)) == []
    place.settings.write_text("launcher: slurm\n")
    (finding,) = _slurm(place)
    assert finding.verdict == "bad"
    assert "sbatch" in finding.text or "submitit" in finding.text


def test_the_doctor_tells_what_is_bad_and_what_to_do(lovt, place):
    place.settings.write_text("notify: [/no/such/program]\n")
    answer = lovt("doctor", "--json")
    findings = {each["area"]: each for each in json.loads(answer.out)}
    assert answer.code == 1
    assert findings["settings"]["verdict"] == "bad"
    assert findings["settings"]["remedy"] == "install it, or take the key out"
    assert {findings[area]["verdict"] for area in ("workspace", "locks", "torch")} == {"ok"}
    assert "paused" in findings["queue"]["text"]
    place.settings.write_text("cpu_slots: none\n")
    assert "cpu_slots" in next(line for line in lovt("doctor").out.splitlines() if line.startswith("BAD"))


def test_wrong_settings_are_said_before_a_run_is_queued(lovt, place):
    place.settings.write_text("gpus: 0\n")
    answer = lovt("launch", "small.yaml")
    assert answer.code == 2
    assert "settings.yaml:1: gpus: must be a list" in answer.err


def test_a_name_is_the_one_that_people_gave_last(lovt, place):
    old, new = lovt("launch", "small.yaml", "--repeat", "2").out.split()
    lovt("rename", new, "baseline")
    assert json.loads(lovt("note", "small", "x", "--json").out)["id"] == old
    assert json.loads(lovt("note", "baseline", "x", "--json").out)["id"] == new


def test_the_newest_run_is_the_one_created_last_whatever_its_clock_says(lovt, place, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    lovt("launch", "small.yaml")
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    newest = lovt("launch", "small.yaml").out.strip()
    monkeypatch.undo()
    time.tzset()
    assert json.loads(lovt("note", "last", "--json", "-w", str(place.path)).out)["id"] == newest


def test_a_disk_fuller_than_the_settings_allow_takes_no_run(lovt, place):
    place.settings.write_text("keep_free_gb: 1000000\n")
    answer = lovt("launch", "small.yaml", "--dry-run")
    assert answer.code == 2
    assert "less than the 1.00 PB to be kept free" in answer.err
    place.settings.unlink()


def test_tags_of_a_launch_are_checked(lovt, place):
    assert "--tag: 'a b' is not a name" in lovt("launch", "small.yaml", "--tag", "a b").err
    assert list_runs(place) == []


def test_what_cannot_be_watched_is_refused(lovt, place):
    assert "--watch draws in a terminal" in lovt("runs", "--watch").err
    lovt("launch", "small.yaml")
    assert lovt("runs", "--columns", "run,best.val/loss").code == 0


def test_files_are_private(lovt, place):
    lovt("runs")
    assert place.index.stat().st_mode & 0o077 == 0
