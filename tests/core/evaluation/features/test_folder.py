"""Budget and locks of the feature cache: who makes room for whom, and what several processes do in one folder."""

import fcntl
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from lovt_core.evaluation.features import folder
from tests.core.evaluation.features.inputs import (
    KEYS,
    NUM_BYTES,
    SAMPLES,
    FileCache,
    TensorImages,
    alarms,
    assert_same,
    finish,
    make_encoder,
    make_source,
)


@pytest.fixture(scope="module")
def encoder():
    return make_encoder()


@pytest.fixture
def cache(tmp_path, encoder):
    return FileCache(tmp_path / "features", encoder)


@pytest.fixture(scope="module")
def computed(encoder):
    """Features of all samples, in the passes in which a store computes them."""
    return make_source(encoder).open(SAMPLES).take(np.arange(len(SAMPLES)))


def test_disk_without_room_is_noticed_before_anything_is_encoded(cache, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=NUM_BYTES - 1))
    data = TensorImages()
    values, store = finish(cache.start(data=data))
    assert store is None
    assert data.read == []
    assert "GB are needed, the disk has less left" in alarms(values)[0]
    assert cache.names() == set()


def test_folder_that_cannot_be_made(cache):
    cache.folder.write_text("a file")
    values, store = finish(cache.start())
    assert store is None
    assert alarms(values) == [
        f"features cannot be kept in {cache.folder} (File exists): they are computed anew in every epoch"
    ]


def test_lock_that_stays_taken(cache, monkeypatch):
    cache.open()
    lock = folder.FileLock(cache.folder / ".lock")
    assert lock.take(fcntl.LOCK_EX)
    monkeypatch.setattr(folder, "WAIT_SECONDS", 0.02)
    values, store = finish(cache.start())
    assert store is None
    assert "its lock was taken for 0 seconds" in alarms(values)[0]


def test_least_recently_used_entries_make_room(cache):
    for key in (0, 1, 2):
        cache.open(key)
    cache.set_last_use(1, 0, 2)
    cache.open(key=1)
    used = sum(file.stat().st_size for file in cache.entry().iterdir())
    cache.open(key=3, budget=2 * used + NUM_BYTES)
    assert cache.names() == cache.names_of(1, 2, 3)


def test_entry_in_use_is_kept(cache, computed):
    _, store = cache.open()
    budget = int(1.5 * NUM_BYTES)
    values, second = cache.open(key=1, budget=budget)
    assert second is None
    assert alarms(values) == [
        f"{NUM_BYTES / 1e9:.3g} GB of features do not fit into the disk budget of {budget / 1e9:.3g} GB "
        f"(cache.disk_gb) beside those in use in {cache.folder}: they are computed anew in every epoch"
    ]
    assert_same(store.take(np.arange(40)), computed)
    assert cache.names() == cache.names_of(0)
    del store
    assert cache.open(key=1, budget=budget)[1] is not None
    assert cache.names() == cache.names_of(1)


def test_nothing_is_removed_where_it_would_not_be_enough(cache):
    _, store = cache.open(key=0)
    cache.open(key=1)
    assert cache.open(key=2, budget=NUM_BYTES)[1] is None
    assert cache.names() == cache.names_of(0, 1)
    assert store is not None


@pytest.mark.parametrize("budget", [0, 1000])
def test_more_than_the_whole_budget_is_not_tried(cache, budget):
    cache.open(key=1)
    data = TensorImages()
    values, store = finish(cache.start(budget=budget, data=data))
    assert store is None
    assert data.read == []
    assert alarms(values) == [
        f"{NUM_BYTES / 1e9:.3g} GB of features do not fit into the disk budget of {budget / 1e9:.3g} GB "
        "(cache.disk_gb): they are computed anew in every epoch"
    ]
    assert cache.names() == cache.names_of(1)


def test_two_at_once_on_the_same_features(cache, computed):
    building = cache.start()
    next(building)
    values, second = cache.open()
    assert second is None
    assert alarms(values) == [
        f"another evaluation is just encoding the same features into {cache.folder}: "
        "they are computed anew in every epoch"
    ]
    _, store = finish(building)
    _, third = cache.open()
    for opened in (store, third):
        assert_same(opened.take(np.arange(40)), computed)


def test_what_is_being_built_counts_and_is_left_alone(cache):
    building = cache.start()
    next(building)
    assert cache.open(key=1, budget=int(1.5 * NUM_BYTES))[1] is None
    assert cache.open(key=2)[1] is not None
    assert finish(building)[1] is not None
    assert cache.names() == cache.names_of(0, 2)


KILLED = """
import os, signal, sys
from pathlib import Path
from lovt_core.evaluation.features.folder import FeatureFolder
begun = FeatureFolder(Path(sys.argv[1]), 10**9).claim(sys.argv[2], 5)
(begun.temporary / "stride-8.bin").write_bytes(b"half")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_leftovers_of_a_killed_process_are_removed(cache):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(cache.folder), KEYS[0][:32]], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert cache.names() == {f".{KEYS[0][:32]}.5.tmp", f"{KEYS[0][:32]}.lock"}
    removed = cache.folder / f".{KEYS[2][:32]}.0.tmp"
    removed.mkdir()
    mine = cache.folder / ".notes.tmp"
    mine.write_text("not of the cache")
    cache.open(key=1)
    assert cache.names() == cache.names_of(1) | {".notes.tmp"}
