"""Runs go to the trash whole, come back as they were, and go for good only when asked."""

import os
import time

import pytest

from lovt_core.errors import InputError, RecordError
from lovt_core.runs.directory import RunDirectory, find_run, list_runs
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.locks import take_lock
from lovt_core.runs.queueing.requests import request_resume
from lovt_core.runs.space.trash import empty_trash, find_trashed, list_trash, restore_run, trash_runs
from tests.core.runs.made_runs import evaluation, files_of, make_run, pretraining


def trash_files(workspace):
    folder = workspace.path / "trash"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def empty(workspace, trashed=None):
    deleted = []
    empty_trash(workspace, list_trash(workspace) if trashed is None else trashed, lambda each: deleted.append(each.id))
    return deleted


@pytest.mark.parametrize("state", ["finished", "failed", "stopped", "interrupted", "cancelled", "lost"])
def test_there_and_back(workspace, state):
    run = make_run(workspace, state, [("10-a1", True)])
    before = files_of(run.path)
    assert trash_runs(workspace, [run, run]) == ()
    assert list_runs(workspace) == []
    with pytest.raises(InputError, match=f"no run '{run.id}'"):
        find_run(workspace, run.id)
    (trashed,) = list_trash(workspace)
    assert (trashed.id, trashed.name) == (run.id, "selftest")
    assert time.time() - trashed.time < 60
    assert files_of(trashed.path) == before

    assert restore_run(workspace, find_trashed(workspace, run.id[:20])) == run
    assert files_of(run.path) == before
    assert list_trash(workspace) == ()
    assert trash_files(workspace) == []
    assert find_run(workspace, "last") == run


def test_the_index_forgets_a_removed_run_and_learns_of_a_restored_one(workspace):
    run = make_run(workspace)
    index = Index(workspace)
    try:
        index.sync()
        trash_runs(workspace, [run])
        index.sync()
        assert [row.id for row in index.runs()] == []
        restore_run(workspace, find_trashed(workspace, "last"))
        index.sync()
        assert [row.id for row in index.runs()] == [run.id]
    finally:
        index.close()


def test_active_runs_stay(workspace):
    done, queued = make_run(workspace), make_run(workspace, "queued")
    with pytest.raises(InputError, match=f"run {queued.id} is queued: stop it first: lovt stop {queued.id}"):
        trash_runs(workspace, [done, queued])
    assert done.path.is_dir()  # nothing moves where one cannot

    running = make_run(workspace, "lost")
    lock = take_lock(running.worker_lock)
    with pytest.raises(InputError, match="is running: stop it first"):
        trash_runs(workspace, [running])
    os.close(lock)
    lock = take_lock(done.worker_lock)
    with pytest.raises(InputError, match=f"the last worker of run {done.id} is still ending"):
        trash_runs(workspace, [done])
    os.close(lock)
    trash_runs(workspace, [done, running])
    assert {trashed.id for trashed in list_trash(workspace)} == {done.id, running.id}


def test_runs_that_others_need_stay_unless_forced(workspace):
    trained = make_run(workspace, "finished", [("10-a1", True)], pretraining())
    reader = make_run(workspace, "queued", experiment=evaluation(trained.id))
    named = make_run(workspace, "queued", experiment=evaluation("small"))
    waiting = make_run(workspace, "queued", after=(trained.id,))
    with pytest.raises(InputError) as caught:
        trash_runs(workspace, [trained])
    message = str(caught.value)
    assert f"{reader.id} (queued) evaluates its checkpoint" in message
    assert f"{named.id} (queued) evaluates its checkpoint" in message
    assert f"{waiting.id} (queued) waits for it" in message
    assert message.endswith("lovt rm --force removes it all the same")
    warnings = trash_runs(workspace, [trained], force=True)
    assert len(warnings) == 3
    assert f"run {trained.id}: {waiting.id} (queued) waits for it" in warnings


def test_a_running_evaluation_needs_its_encoder_an_ended_one_does_not(workspace):
    trained = make_run(workspace, "finished", [("10-a1", True)], pretraining())
    make_run(workspace, "failed", experiment=evaluation(trained.id))
    running = make_run(workspace, "lost", experiment=evaluation(trained.id))
    lock = take_lock(running.worker_lock)
    with pytest.raises(InputError, match=r"\(running\) evaluates its checkpoint"):
        trash_runs(workspace, [trained])
    os.close(lock)
    assert trash_runs(workspace, [trained]) == ()


def test_a_request_that_waited_for_the_lock_makes_no_directory_anew(workspace):
    run = make_run(workspace, "stopped")
    trash_runs(workspace, [run])
    with pytest.raises((InputError, RecordError)):
        request_resume(workspace, run)
    assert not run.path.exists()


def test_an_id_lies_in_the_trash_once(workspace):
    run = make_run(workspace)
    before = files_of(run.path)
    trash_runs(workspace, [run])
    make_run(workspace).path.rename(run.path)
    with pytest.raises(InputError, match=f"there is a run {run.id} already"):
        restore_run(workspace, find_trashed(workspace, run.id))
    with pytest.raises(InputError, match=f"the trash holds a run {run.id} already"):
        trash_runs(workspace, [run])
    assert files_of(list_trash(workspace)[0].path) == before


def test_finding_in_the_trash(workspace):
    runs = [make_run(workspace) for _ in range(3)]
    trash_runs(workspace, runs)
    for run, seconds in zip(runs, (30.0, 10.0, 20.0), strict=True):
        (workspace.path / "trash" / f"{run.id}.json").write_text(f'{{"removed": {seconds}}}')
    assert [trashed.time for trashed in list_trash(workspace)] == [30.0, 20.0, 10.0]
    assert find_trashed(workspace, "last").id == runs[0].id
    assert find_trashed(workspace, "selftest").id == runs[0].id
    assert find_trashed(workspace, runs[1].id[-4:]).id == runs[1].id
    with pytest.raises(InputError, match="'2' fits 3 runs: "):
        find_trashed(workspace, "2")
    with pytest.raises(InputError, match="no run 'nothing' in the trash of"):
        find_trashed(workspace, "nothing")


def test_a_note_that_is_not_there_or_damaged_is_done_without(workspace):
    for content in (None, "{", "[]", '{"removed": "x"}'):
        run = make_run(workspace)
        trash_runs(workspace, [run])
        note = workspace.path / "trash" / f"{run.id}.json"
        note.unlink() if content is None else note.write_text(content)
        assert time.time() - find_trashed(workspace, run.id).time < 60
        restore_run(workspace, find_trashed(workspace, run.id))


def test_emptying_deletes_what_was_named_and_what_a_kill_left(workspace):
    old, new = make_run(workspace), make_run(workspace)
    trash_runs(workspace, [old, new])
    folder = workspace.path / "trash"
    (folder / f".{old.id}.1-ab.tmp").mkdir()
    (folder / "20260101-000000-gone-1234.json").write_text("{}")
    assert empty(workspace, [find_trashed(workspace, old.id)]) == [old.id]
    assert trash_files(workspace) == [new.id, f"{new.id}.json"]
    assert empty(workspace) == [new.id]
    assert trash_files(workspace) == []
    assert empty(workspace) == []


def test_links_are_never_followed(workspace, tmp_path):
    treasure = tmp_path / "elsewhere"
    treasure.mkdir()
    (treasure / "kept").touch()
    run = make_run(workspace)
    (run.path / "artifacts").symlink_to(treasure)
    linked = RunDirectory(workspace.runs / f"{run.id[:-4]}ffff")
    make_run(workspace).path.rename(tmp_path / "moved")
    linked.path.symlink_to(tmp_path / "moved")
    trash_runs(workspace, [run, linked])
    assert sorted(empty(workspace)) == sorted([run.id, linked.id])
    assert (treasure / "kept").exists()
    assert (tmp_path / "moved" / "experiment.yaml").exists()


def test_a_trash_that_leads_elsewhere_is_refused(workspace, tmp_path):
    (tmp_path / "other").mkdir()
    (workspace.path / "trash").symlink_to(tmp_path / "other")
    run = make_run(workspace)
    with pytest.raises(RecordError, match="trash is a link"):
        trash_runs(workspace, [run])
    assert run.path.is_dir()


def test_a_disk_that_refuses_is_told(workspace, monkeypatch):
    run = make_run(workspace)
    monkeypatch.setattr("pathlib.Path.rename", lambda *_: (_ for _ in ()).throw(OSError(18, "Invalid cross-device")))
    with pytest.raises(RecordError, match=r"cannot move .*: Invalid cross-device"):
        trash_runs(workspace, [run])
    monkeypatch.undo()
    assert files_of(run.path)
