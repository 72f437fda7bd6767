"""The index outlives what happens to its file, its disk and its readers."""

import multiprocessing
import os
import sqlite3
import threading
import time

import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import RunDirectory, create_run
from lovt_core.runs.events import EventWriter
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.indexing.schema import VERSION
from lovt_core.runs.indexing.verifying import verify
from lovt_core.runs.workspace import Workspace
from tests.core.runs.worker_lines import log, start

FULL_DISK = 16
"""Pages more that the database may have."""


@pytest.fixture
def logged(workspace):
    """A run with a hundred steps and its open event file."""
    run = create_run(workspace, SelftestExperiment(name="kept"))
    writer = start(run)
    for step in range(1, 101):
        log(writer, step, train_loss=float(step))
    yield run, writer
    writer.close()


def steps(index, run):
    return list(index.curve(run.id, "train/loss").steps)


def errors(workspace):
    """What is wrong with index and directories."""
    index = Index(workspace)
    found = [finding for finding in verify(index, False, lambda done, total: None) if finding.severity == "error"]
    index.close()
    return found


def remove(workspace, suffixes=("", "-wal", "-shm")):
    for suffix in suffixes:
        workspace.index.with_name(workspace.index.name + suffix).unlink(missing_ok=True)


@pytest.mark.parametrize("suffixes", [("",), ("", "-wal", "-shm")], ids=["the database", "its log too"])
def test_deleted_while_open(workspace, logged, suffixes):
    run, writer = logged
    first, second = Index(workspace), Index(workspace)
    first.sync()
    second.sync()
    remove(workspace, suffixes)
    log(writer, 101, train_loss=101.0)
    for index in (first, second, first):
        index.sync()
        assert workspace.index.exists()
        assert steps(index, run) == list(range(1, 102))
    first.close()
    second.close()
    assert errors(workspace) == []


@pytest.mark.parametrize("size", [0, 100, 5000, 4_000_000])
def test_overwritten_with_garbage_while_open(workspace, logged, monkeypatch, size):
    monkeypatch.setattr("lovt_core.runs.indexing.schema.BUSY_SECONDS", 0.2)
    run, writer = logged
    first, second = Index(workspace), Index(workspace)
    first.sync()
    second.sync()
    workspace.index.write_bytes(os.urandom(size))
    log(writer, 101, train_loss=101.0)
    for index in (first, second):
        index.sync()
        assert steps(index, run) == list(range(1, 102))
    third = Index(workspace)
    third.sync()
    for index in (third, first, second):
        index.sync()
        assert steps(index, run) == list(range(1, 102))
        index.close()
    assert errors(workspace) == []


def test_a_garbled_cell_is_built_again(workspace, logged):
    run, _ = logged
    index = Index(workspace)
    index.sync()
    with sqlite3.connect(workspace.index) as connection:
        connection.execute("update documents set experiment = '{'")
        connection.execute("update runs set changed = changed + 1")
    connection.close()
    assert [row.id for row in index.runs()] == [run.id]
    assert index.runs()[0].experiment["name"] == "kept"
    index.close()


def test_tables_of_another_version_are_built_again(workspace, logged):
    run, _ = logged
    with sqlite3.connect(workspace.index) as connection:
        connection.execute("create table runs (id text, something text)")
        connection.execute(f"pragma user_version = {VERSION - 1}")
    connection.close()
    index = Index(workspace)
    index.sync()
    assert steps(index, run) == list(range(1, 101))
    index.close()


def test_a_full_disk_serves_what_is_there(workspace, logged):
    run, writer = logged
    index = Index(workspace)
    index.sync()
    pages = index.look(lambda connection: connection.execute("pragma page_count").fetchone()[0])
    index.look(lambda connection: connection.execute(f"pragma max_page_count = {pages + FULL_DISK}"))
    for step in range(101, 5000):
        log(writer, step, train_loss=float(step), train_rate=0.1)
    assert not index.sync()
    assert steps(index, run) == list(range(1, 101))
    assert index.run(run.id).done == 100
    index.look(lambda connection: connection.execute("pragma max_page_count = 1000000"))
    assert index.sync()
    assert steps(index, run) == list(range(1, 5000))
    index.close()
    assert errors(workspace) == []


def test_where_no_file_can_be_made_it_is_in_memory(workspace, logged, monkeypatch, tmp_path):
    run, writer = logged
    monkeypatch.setattr(Workspace, "index", property(lambda self: tmp_path / "nowhere" / "index.db"))
    index = Index(workspace)
    index.sync()
    log(writer, 101, train_loss=101.0)
    assert index.sync()
    assert steps(index, run) == list(range(1, 102))
    assert not (tmp_path / "nowhere").exists()
    index.close()


def test_a_read_only_workspace_has_its_index_in_the_cache(workspace, logged, monkeypatch, tmp_path):
    run, _ = logged
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    before = sorted(path for path in workspace.path.rglob("*"))
    index = Index(workspace)
    index.sync()
    assert steps(index, run) == list(range(1, 101))
    assert index.run("kept").state == "lost"
    index.close()
    assert sorted(path for path in workspace.path.rglob("*")) == before
    assert list((tmp_path / "cache").rglob("index.db"))


def test_a_busy_index_is_served_as_it_is(workspace, logged, monkeypatch):
    run, writer = logged
    monkeypatch.setattr("lovt_core.runs.indexing.schema.BUSY_SECONDS", 0.1)
    index = Index(workspace)
    index.sync()
    other = sqlite3.connect(workspace.index, isolation_level=None)
    other.execute("begin immediate")
    log(writer, 101, train_loss=101.0)
    assert not index.sync()
    assert steps(index, run) == list(range(1, 101))
    other.execute("rollback")
    other.close()
    assert index.sync()
    assert steps(index, run) == list(range(1, 102))
    index.close()


def write_run(path, count):
    """A worker: lines of three metrics, as fast as it can."""
    writer = EventWriter(RunDirectory(path).events(1))
    writer.write("started", {"host": "here", "slot": "CPU"})
    for step in range(1, count + 1):
        log(writer, step, train_loss=float(step), train_rate=1.0 / step, val_loss=float(-step))
        if step % 50 == 0:
            writer.write("alarm", {"message": str(step)})
    writer.write_last_word("finished")
    writer.close()


def read_index(path, end):
    """A reader: syncs until it is told to end."""
    index = Index(Workspace(path))
    while not end.is_set():
        index.sync()
        assert all(row.done <= 400 for row in index.runs())
    index.close()


def test_eight_writers_and_three_readers_at_once(workspace):
    runs = [create_run(workspace, SelftestExperiment(name=f"w{number}")) for number in range(8)]
    for run in runs:
        append_control(run.control, record("launch", 1))
    context = multiprocessing.get_context("spawn")
    end = context.Event()
    readers = [context.Process(target=read_index, args=(workspace.path, end)) for _ in range(3)]
    writers = [context.Process(target=write_run, args=(run.path, 400)) for run in runs]
    for process in (*readers, *writers):
        process.start()
    for process in writers:
        process.join()
    end.set()
    for process in readers:
        process.join()
    assert [process.exitcode for process in (*readers, *writers)] == [0] * 11
    assert errors(workspace) == []
    index = Index(workspace)
    assert {row.name: (row.state, row.done) for row in index.runs()} == {f"w{n}": ("finished", 400) for n in range(8)}
    assert all(steps(index, run) == list(range(1, 401)) for run in runs)
    index.close()


def test_thrown_away_again_and_again_under_its_readers(workspace, logged):
    run, writer = logged
    failures, end = [], threading.Event()

    def read():
        index = Index(workspace)
        try:
            while not end.is_set():
                index.sync()
                index.runs()
        except Exception as error:
            failures.append(error)
        finally:
            index.close()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    rebuilder = Index(workspace)
    for step in range(101, 121):
        log(writer, step, train_loss=float(step))
        rebuilder.rebuild()
        rebuilder.sync()
        time.sleep(0.01)
    end.set()
    for reader in readers:
        reader.join()
    rebuilder.close()
    assert failures == []
    assert errors(workspace) == []
    index = Index(workspace)
    assert steps(index, run) == list(range(1, 121))
    index.close()
