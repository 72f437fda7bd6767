"""Cached features go, unless an evaluation has them open: under the locks of the real cache."""

import fcntl
import os

import pytest

from lovt_core.errors import RecordError
from lovt_core.evaluation.features.folder import Begun, FeatureFolder, Found
from lovt_core.runs.space.cleaning.features import find_feature_garbage, remove_features
from lovt_core.runs.space.sizes import Scale
from tests.core.runs.space.cleaning.looking import find, remove


def make_entry(workspace, digit):
    folder = FeatureFolder(workspace.path / "features", 10**9)
    begun = folder.claim(digit * 32, 100)
    assert isinstance(begun, Begun)
    (begun.temporary / "stride-32.bin").write_bytes(bytes(100))
    (begun.temporary / "meta.json").write_text("{}")
    return folder, folder.publish(begun)


def test_entries_in_use_stay(workspace):
    _, used = make_entry(workspace, "a")
    _, unused = make_entry(workspace, "b")
    unused.lock.release()
    (item,) = find_feature_garbage(workspace, Scale())
    assert (item.path, item.num_bytes) == (unused.path, 102)
    with pytest.raises(RecordError, match="is in use by an evaluation now"):
        remove_features(used.path)
    assert remove(workspace, "features") == (["b" * 32], ())
    names = sorted(path.name for path in (workspace.path / "features").iterdir())
    assert names == [".lock", "a" * 32, f"{'a' * 32}.lock"]


def test_an_entry_being_built_stays_and_a_removed_one_is_built_again(workspace):
    folder, kept = make_entry(workspace, "a")
    building = folder.claim("c" * 32, 50)
    assert find(workspace, "features").garbage == ()
    kept.lock.release()
    assert remove(workspace, "features") == (["a" * 32], ())
    assert building.temporary.is_dir()
    again = folder.claim("a" * 32, 100)
    assert isinstance(again, Begun)
    assert isinstance(folder.publish(again), Found)
    building.lock.release()


def test_it_waits_for_whoever_begins_with_an_make_entry(workspace, monkeypatch):
    _, entry = make_entry(workspace, "a")
    entry.lock.release()
    monkeypatch.setattr("lovt_core.runs.space.cleaning.features.WAIT_SECONDS", 0.05)
    descriptor = os.open(workspace.path / "features" / ".lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(RecordError, match="has been locked by another process"):
        list(find_feature_garbage(workspace, Scale()))
    with pytest.raises(RecordError):
        remove_features(entry.path)
    os.close(descriptor)
    remove_features(entry.path)
    remove_features(entry.path)  # gone already: no error
    assert not entry.path.exists()


def test_a_removal_that_was_killed_is_finished_by_the_next(workspace, monkeypatch):
    _, entry = make_entry(workspace, "a")
    entry.lock.release()
    (workspace.path / "features" / f".{'a' * 32}.0.tmp").mkdir()
    remove_features(entry.path)
    assert sorted(path.name for path in (workspace.path / "features").iterdir()) == [".lock"]


def test_no_cache_at_all(workspace, tmp_path):
    assert find(workspace, "features").garbage == ()
    (workspace.path / "features").symlink_to(tmp_path)
    assert find(workspace, "features").garbage == ()
