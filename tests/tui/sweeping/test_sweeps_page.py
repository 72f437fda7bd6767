"""Reading sweeps for the screen: only what is new, damaged ones beside the others."""

import os
import time
from dataclasses import replace

import pytest

from lovt_core.runs.lines import append_line
from lovt_core.runs.locks import take_lock
from lovt_core.runs.workspace import Workspace
from lovt_tui.pages.sweeps import SweepsReader
from lovt_tui.pages.wishes import SweepsWish
from lovt_tui.sweeping.following import TrialFollower
from lovt_tui.sweeping.listing import describe_state, heading_lines
from tests.core.sweeps.factories import make_config, make_sweep
from tests.tui.factories import NOW
from tests.tui.sweeping.sweep_factories import trial_line, write_sweep, write_trials


def read(folder, name=None):
    return SweepsReader(Workspace(folder)).read(SweepsWish(name))


def text_of(lines):
    return "\n".join("".join(cell.text for cell in line) for line in lines)


def test_no_sweeps(tmp_path):
    page = read(tmp_path)
    assert page.sweeps == ()
    assert page.study is None


def test_a_sweep_in_the_list_and_in_full(tmp_path):
    config, trials = make_sweep(50)
    write_sweep(tmp_path, config, trials)
    page = read(tmp_path, "tiny")
    (summary,) = page.sweeps
    assert summary.state == "finished"
    assert dict(summary.counts) == {"finished": 39, "running": 1, "pruned": 5, "failed": 5}
    assert summary.num_ended == 49
    assert [trial.number for trial in summary.best] == [4]
    assert summary.created == NOW - 7200
    assert page.study is not None
    assert page.study.trials == trials
    assert page.study.best == {4}
    assert page.study.parameters[-3:] == ("weights.global", "weights.image", "weights.report")


def test_the_same_page_while_nothing_changes_and_only_new_lines_are_read(tmp_path):
    config, trials = make_sweep(30)
    folder = write_sweep(tmp_path, config, trials[:20], "resume")
    reader = SweepsReader(Workspace(tmp_path))
    first = reader.read(SweepsWish("tiny"))
    assert reader.read(SweepsWish("tiny")) is first
    write_trials(folder, trials[20:])
    second = reader.read(SweepsWish("tiny"))
    assert second is not first
    assert second.study.trials == trials
    assert second.study.trials[3] is first.study.trials[3]
    append_line(folder.control, {"t": NOW, "op": "extend", "trials": 99})
    assert reader.read(SweepsWish("tiny")).sweeps[0].wanted == 99


def test_a_trial_grows_line_by_line_and_may_change_after_its_end(tmp_path):
    _, trials = make_sweep(3)
    path = tmp_path / "trials.jsonl"
    follower = TrialFollower(path)
    assert follower.read() == ()
    append_line(path, trial_line(replace(trials[0], state="running", values=(), ended=None, intermediate={})))
    assert follower.read()[0].state == "running"
    append_line(path, {"trial": 0, "step": 1, "value": 3.5})
    assert follower.read()[0].intermediate == {1: 3.5}
    append_line(path, {"trial": 0, "state": "finished", "values": [0.5], "ended": NOW})
    ended = follower.read()[0]
    assert (ended.state, ended.values, ended.intermediate) == ("finished", (0.5,), {1: 3.5})
    append_line(path, {"trial": 0, "cause": "told twice"})
    again = follower.read()[0]
    assert (again.values, again.cause) == ((0.5,), "told twice")
    path.unlink()
    assert follower.read() == ()


def test_a_torn_last_line_waits_for_its_end(tmp_path):
    path = tmp_path / "trials.jsonl"
    follower = TrialFollower(path)
    path.write_text('{"trial":0,"state":"run')
    assert follower.read() == ()
    with path.open("a") as file:
        file.write('ning","params":{},"started":1}\n')
    assert follower.read()[0].number == 0


@pytest.mark.parametrize(
    "line",
    [
        {"trial": 1, "state": "odd"},
        {"trial": 1, "params": [1]},
        {"trial": 1, "runs": [{"id": 3, "role": "training", "repeat": 0}]},
        {"trial": 1, "runs": "x"},
        {"trial": 1, "step": 1},
        {"trial": 1, "step": "x", "value": 1},
        {"trial": 1, "values": ["x"]},
        {"trial": 1, "state": "finished", "values": [1.0, 2.0]},
        {"trial": 1, "started": None},
    ],
)
def test_trials_that_make_no_sense_are_left_out_and_counted(tmp_path, line):
    config, trials = make_sweep(3)
    folder = write_sweep(tmp_path, config, trials)
    append_line(folder.trials_file, line)
    page = read(tmp_path, "tiny")
    assert [trial.number for trial in page.study.trials] == [0, 2]
    assert "1 trial of no sense left out" in page.sweeps[0].reason


def test_a_damaged_sweep_is_named_with_its_reason_beside_the_others(tmp_path):
    config, trials = make_sweep(5)
    write_sweep(tmp_path, config, trials)
    for name, text in (("odd", "kind: sweep\nname: odd\n"), ("binary", "\x00\x01"), ("empty", "")):
        (tmp_path / "sweeps" / name).mkdir()
        (tmp_path / "sweeps" / name / "sweep.yaml").write_text(text)
    (tmp_path / "sweeps" / "bare").mkdir()
    (tmp_path / "sweeps" / ".tiny.x.tmp").mkdir()
    (tmp_path / "sweeps" / "names.lock").touch()
    reader = SweepsReader(Workspace(tmp_path))
    page = reader.read(SweepsWish("odd"))
    assert {each.name: each.state for each in page.sweeps} == {
        "tiny": "finished", "odd": "damaged", "binary": "damaged", "empty": "damaged", "bare": "damaged"
    }  # fmt: skip
    assert page.study is None
    assert all("sweep.yaml" in each.reason for each in page.sweeps if each.state == "damaged")
    assert reader.read(SweepsWish("odd")) is page


def test_a_wrong_extension_is_damage(tmp_path):
    config, trials = make_sweep(5)
    folder = write_sweep(tmp_path, config, trials)
    append_line(folder.control, {"t": NOW, "op": "extend", "trials": "many"})
    (summary,) = read(tmp_path).sweeps
    assert summary.state == "damaged"
    assert "control.jsonl" in summary.reason


def test_a_lost_origin_is_said(tmp_path):
    config, trials = make_sweep(5)
    folder = write_sweep(tmp_path, config, trials)
    (folder.path / "origin.json").unlink()
    (summary,) = read(tmp_path).sweeps
    assert summary.state == "finished"
    assert "origin.json cannot be read" in summary.reason
    assert summary.created == trials[0].started


def test_states(tmp_path):
    config, trials = make_sweep(5)
    folder = write_sweep(tmp_path, config, trials, "resume")
    reader = SweepsReader(Workspace(tmp_path))

    def state():
        return reader.read(SweepsWish()).sweeps[0].state

    assert state() == "interrupted"
    lock = take_lock(folder.lock)
    assert state() == "running"
    os.close(lock)
    append_line(folder.control, {"t": NOW, "op": "pause"})
    assert state() == "paused"
    append_line(folder.control, {"t": NOW, "op": "resume"})
    assert state() == "starting"
    os.utime(folder.control, (time.time() - 60, time.time() - 60))
    assert state() == "interrupted"
    append_line(folder.control, {"t": NOW, "op": "stop", "reason": "the disk is full"})
    assert describe_state(reader.read(SweepsWish()).sweeps[0]) == ("the disk is full", "warning")


def test_sweeps_at_work_stand_first_then_the_newest(tmp_path):
    for name, request, age in (("old", "finished", 9), ("new", "finished", 1), ("paused", "pause", 5)):
        config = make_config(name=name)
        write_sweep(tmp_path, config, (), request, NOW - age)
    assert [each.name for each in read(tmp_path).sweeps] == ["paused", "new", "old"]


def test_a_folder_that_goes_away(tmp_path):
    config, trials = make_sweep(5)
    folder = write_sweep(tmp_path, config, trials)
    reader = SweepsReader(Workspace(tmp_path))
    assert reader.read(SweepsWish("tiny")).study is not None
    for path in folder.path.iterdir():
        path.unlink()
    folder.path.rmdir()
    gone = reader.read(SweepsWish("tiny"))
    assert (gone.sweeps, gone.study) == ((), None)


def test_an_unreadable_folder_is_a_problem_of_the_page(tmp_path):
    (tmp_path / "sweeps").write_text("a file")
    page = read(tmp_path)
    assert page.problem == f"cannot read {tmp_path / 'sweeps'}: Not a directory"


def test_heading(tmp_path):
    config, trials = make_sweep(30)
    write_sweep(tmp_path, config.model_copy(update={"hours": 8.0, "jobs": 2}), trials, "pause")
    page = read(tmp_path, "tiny")
    first, second, third = text_of(heading_lines(page.sweeps[0], page.study, NOW)).splitlines()
    assert first == "◐ paused  tiny  29 of 50 trials  23 finished, 3 pruned, 3 failed, 1 at work"
    assert second == "◆ best: trial 4, val/loss 0.0000   lower is better"
    assert third.startswith("tpe sampler · median pruner · 2 at once · no trial begins after 8 h")
