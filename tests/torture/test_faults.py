"""Damage and bad luck: an index that goes away in use, a full disk, a clock that steps back, many writers."""

import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lovt_core.runs.control import append_control, read_control, record
from lovt_core.runs.directory import RunDirectory, create_run, list_runs
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.indexing.verifying import verify
from lovt_core.runs.lines import read_lines
from lovt_core.runs.queueing.requests import ensure_scheduler, label_run, queue_run, request_resume, request_stop
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import find_workspace
from lovt_core.values import Metrics
from tests.core.runs.conftest import selftest, wait_for_state, wait_until
from tests.core.runs.conftest import workspace as workspace  # a fixture

pytestmark = pytest.mark.torture


def errors_of(workspace):
    index = Index(workspace)
    try:
        return [each for each in verify(index, False, lambda done, total: None) if each.severity == "error"]
    finally:
        index.close()


def write_metrics(run, attempt, lines, names=15):
    """An event file of an ended attempt, as a worker would write it."""
    text = "".join(
        json.dumps({"t": 1e9 + step, "event": "metrics", "step": step, "epoch": step / 10,
                    "values": {f"train/metric_{number}": step / (number + 1) for number in range(names)}}) + "\n"
        for step in range(1, lines + 1)
    )  # fmt: skip
    run.events(attempt).write_text('{"t": 1e9, "event": "started"}\n' + text + '{"t": 2e9, "event": "finished"}\n')


def copy_runs(workspace, template, count):
    for number in range(count):
        target = (
            workspace.runs / f"20260101-{number // 3600:02}{number // 60 % 60:02}{number % 60:02}-copy-{number:04x}"
        )
        shutil.copytree(template.path, target)


def test_an_index_that_is_deleted_or_garbled_in_use_is_rebuilt(workspace):
    run = queue_run(workspace, selftest(seconds_per_step=0.1, epochs=8))
    wait_for_state(run, "running")
    index = Index(workspace)
    dice = random.Random(1)
    rebuilt = 0
    while read_state(run).state == "running":
        index.sync()
        assert [row.id for row in index.runs()] == [run.id]
        damage = dice.choice(["delete", "garbage", "empty", "none"])
        if damage == "delete":
            for path in workspace.path.glob("index.db*"):
                path.unlink(missing_ok=True)
        elif damage == "garbage":
            workspace.index.write_bytes(os.urandom(dice.randrange(1, 40_000)))
        elif damage == "empty":
            workspace.index.write_bytes(b"")
        rebuilt += damage != "none"
        time.sleep(0.3)
    index.close()
    wait_for_state(run, "finished")
    assert errors_of(workspace) == []
    assert rebuilt > 5


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB; skips where it cannot be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path):
    """Take what room there is."""
    try:
        with path.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
    except OSError:
        pass


def test_a_full_disk_costs_no_run_its_record(workspace, small_disk):
    """The disk fills up while a run logs, saves and is indexed, and is freed again: the run ends as it should."""
    place = find_workspace(small_disk / "lovt-workspace")
    run = queue_run(place, selftest(seconds_per_step=0.15, epochs=6))
    wait_for_state(run, "running")
    filler = small_disk / "filler"
    for _ in range(3):
        fill(filler)
        index = Index(place)
        index.sync()  # serves what it has
        index.close()
        time.sleep(1.0)
        filler.unlink(missing_ok=True)
        time.sleep(0.5)
    ensure_scheduler(place)
    state = wait_for_state(run, "finished", "failed", "lost")
    if state.state != "finished":
        assert state.cause in ("disk", "exit", "lost", "error"), state
        request_resume(place, run)
        wait_for_state(run, "finished")
    undisturbed = queue_run(workspace, selftest(seconds_per_step=0.0, epochs=6))
    wait_for_state(undisturbed, "finished")
    assert errors_of(place) == []
    values = [read_curve(each, "train/loss") for each in ((place, run), (workspace, undisturbed))]
    assert values[0] == values[1]


def read_curve(of, metric):
    place, run = of
    index = Index(place)
    index.sync()
    curve = index.curve(run.id, metric)
    index.close()
    return list(curve.steps), list(curve.values)


STEPPING_BACK = """
import random, time
_real, _dice, _back = time.time, random.Random(3), [0.0]
def _time():
    if _dice.random() < 0.2:
        _back[0] += _dice.uniform(0, 3600)
    return _real() - _back[0]
time.time = _time
"""


def test_a_clock_that_steps_back_changes_no_state(workspace, tmp_path, monkeypatch):
    """Worker and scheduler live in a time that falls by up to an hour at a time."""
    folder = tmp_path / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(STEPPING_BACK)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    run = queue_run(workspace, selftest(seconds_per_step=0.1, epochs=3))
    wait_for_state(run, "running")
    wait_until(lambda: any(line["event"] == "saved" for line in read_lines(run.events(1))), "a checkpoint")
    request_stop(run)
    wait_for_state(run, "stopped")
    request_resume(workspace, run)
    wait_for_state(run, "finished")
    times = [line["t"] for line in read_lines(run.events(1))]
    assert times != sorted(times)
    monkeypatch.delenv("PYTHONPATH")
    undisturbed = queue_run(workspace, selftest(epochs=3))
    wait_for_state(undisturbed, "finished")
    assert read_curve((workspace, run), "train/loss") == read_curve((workspace, undisturbed), "train/loss")
    assert errors_of(workspace) == []


def write_events(path, count):
    run = RunDirectory(Path(path))
    writer = EventWriter(run.events(1))
    for step in range(1, count + 1):
        writer.write(*encode_value(Metrics(step, step / 10, {"train/loss": 1 / step, "train/rate": float("nan")})))
    writer.write_last_word("finished")
    writer.close()


def read_index(path, seconds):
    place = find_workspace(Path(path))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        index = Index(place)
        index.sync()
        for row in index.runs():
            curve = index.curve(row.id, "train/loss")
            assert list(curve.steps) == list(range(1, len(curve.steps) + 1))
        index.close()


def test_eight_writers_and_three_readers_at_once(workspace):
    runs = [create_run(workspace, selftest()) for _ in range(8)]
    for run in runs:
        append_control(run.control, record("launch", 1))
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_events, args=(str(run.path), 4000)) for run in runs]
    readers = [context.Process(target=read_index, args=(str(workspace.path), 12)) for _ in range(3)]
    for process in (*readers, *writers):
        process.start()
    labelled = 0
    while any(process.is_alive() for process in writers):
        label_run(random.choice(runs), "note", f"note {labelled}")
        labelled += 1
    for process in (*writers, *readers):
        process.join()
    assert [process.exitcode for process in (*writers, *readers)] == [0] * 11
    assert errors_of(workspace) == []
    assert all(list(read_curve((workspace, run), "train/loss")[0]) == list(range(1, 4001)) for run in runs)
    notes = sum(item.operation == "note" for run in runs for item in read_control(run.control))
    assert notes == labelled


def test_ten_thousand_runs_and_ten_million_points(workspace):
    """667 runs of 1,000 lines with 15 metrics, and 9,333 without any."""
    template = create_run(workspace, selftest())
    append_control(template.control, record("cancel", 1))
    copy_runs(workspace, template, 9_999)
    runs = [run for run in list_runs(workspace) if run.id != template.id]
    for run in runs[:667]:
        append_control(run.control, record("launch", 1))
        write_metrics(run, 1, 1_000)
    began = time.monotonic()
    index = Index(workspace)
    index.sync()
    took = time.monotonic() - began
    assert len(index.runs()) == 10_000
    for run in random.Random(0).sample(runs[:667], 20):
        curve = index.curve(run.id, "train/metric_3")
        assert (len(curve.steps), curve.values[-1]) == (1_000, 250.0)
    index.close()
    again = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-c", "from lovt_tui.cli.main import main; main()", "runs", "-w", str(workspace.path)],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip
    sys.stdout.write(
        f"\n10,005,000 points and 10,000 runs taken in in {took:.1f} s; `lovt runs` {time.monotonic() - again:.2f} s\n"
    )
    assert "50 of 10000" in told.stdout.replace(",", "")


def test_a_torn_last_line_is_no_line(workspace):
    run = create_run(workspace, selftest())
    append_control(run.control, record("launch", 1))
    write_metrics(run, 1, 5)
    whole = run.events(1).read_bytes()
    torn = whole + b'{"t": 1, "event": "metr'
    run.events(1).write_bytes(torn)
    with run.control.open("ab") as file:
        file.write(b'{"t": 5, "op": "not')
    label_run(run, "note", "after the torn line")
    assert [item.operation for item in read_control(run.control)] == ["queued", "launch", "note"]
    index = Index(workspace)
    index.sync()
    assert list(index.curve(run.id, "train/metric_0").steps) == [1, 2, 3, 4, 5]
    index.close()


def test_a_read_only_workspace_is_read(workspace, tmp_path, monkeypatch):
    """Mounted read-only, as another group's results may be."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = create_run(workspace, selftest())
    append_control(run.control, record("launch", 1))
    write_metrics(run, 1, 5)
    mount = tmp_path / "read only ü"
    mount.mkdir()
    bound = subprocess.run(["mount", "--bind", "-o", "ro", workspace.path, mount], capture_output=True, check=False)
    if bound.returncode or os.access(mount, os.W_OK):
        subprocess.run(["umount", mount], capture_output=True, check=False)
        pytest.skip("cannot mount read-only")
    try:
        for arguments in (("runs", "--json"), ("show", "last"), ("queue",), ("logs", "last")):
            told = subprocess.run(
                [sys.executable, "-c", "from lovt_tui.cli.main import main; main()", *arguments, "-w", str(mount)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert told.returncode == 0, told.stderr
    finally:
        subprocess.run(["umount", mount], check=True)
