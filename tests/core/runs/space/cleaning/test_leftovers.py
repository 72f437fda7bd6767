"""Temporary names that nobody has touched for a day go."""

import os

from lovt_core.runs.locks import take_lock
from tests.core.runs.made_runs import make_run
from tests.core.runs.space.cleaning.looking import NEW, age, find, prepare, remove


def places(workspace):
    run = make_run(workspace)
    run.checkpoints.mkdir()
    dataset = prepare(workspace.prepared_root, versions=(NEW,))
    return (workspace.path, workspace.runs, run.path, run.checkpoints, dataset)


def test_old_ones_go_young_ones_stay(workspace):
    for number, place in enumerate(places(workspace)):
        for name, days in ((f".old{number}.1-ab.tmp", 2.0), (f".young{number}.1-ab.tmp", 0.5)):
            (place / name).mkdir()
            (place / name / "part").write_bytes(bytes(10))
            age(place / name, days)
        (place / f".old{number}.json.1-ab.tmp").write_text("x")
        age(place / f".old{number}.json.1-ab.tmp")
    found = find(workspace, "leftovers").garbage
    assert len(found) == 10
    assert all(item.path.name.startswith(".old") for item in found)
    removed, failures = remove(workspace, "leftovers")
    assert (len(removed), failures) == (10, ())
    assert (workspace.runs / ".young1.1-ab.tmp").exists()


def test_one_file_written_lately_keeps_all(workspace):
    folder = workspace.runs / ".big.1-ab.tmp"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "new").touch()
    age(folder)
    os.utime(folder / "deep" / "new")
    assert find(workspace, "leftovers").garbage == ()


def test_runs_at_work_and_links_are_left_alone(workspace, tmp_path):
    run = make_run(workspace, "lost")
    (run.path / ".x.1-ab.tmp").mkdir()
    age(run.path / ".x.1-ab.tmp")
    lock = take_lock(run.worker_lock)
    assert find(workspace, "leftovers").garbage == ()
    os.close(lock)
    assert [item.path.name for item in find(workspace, "leftovers").garbage] == [".x.1-ab.tmp"]
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".y.1-ab.tmp").mkdir(parents=True)
    age(elsewhere / ".y.1-ab.tmp")
    (run.path / "artifacts").symlink_to(elsewhere)
    (run.path / ".z.1-ab.tmp").symlink_to(elsewhere)
    remove(workspace, "leftovers")
    assert (elsewhere / ".y.1-ab.tmp").is_dir()
