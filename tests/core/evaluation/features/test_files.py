"""Features in files: the same to the bit, found again where they are whole, and never worse than no cache at all."""

import errno
import json
import os
import resource
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from lovt_core.errors import InputError
from lovt_core.evaluation.features.entry import EntryWriter, check_entry, map_features, to_features
from lovt_core.evaluation.features.files import FeatureFiles
from lovt_core.values import Progress
from tests.core.evaluation.features.inputs import (
    KEYS,
    NUM_BYTES,
    SAMPLES,
    STRIDES,
    FileCache,
    TensorImages,
    alarms,
    assert_same,
    finish,
    make_encoder,
    make_source,
)

ROWS = np.asarray([39, 0, 17, 17, 5])


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


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_features_from_files_equal_computed_ones_to_the_bit(cache, encoder, precision):
    source = make_source(encoder, precision=precision)
    wanted = source.open(SAMPLES).take(ROWS)
    values, store = finish(FeatureFiles(cache.folder, 10**9).open(KEYS[0], source, SAMPLES, 1))
    assert values == [Progress(done, 40, "image", f"encoding into {cache.folder}") for done in (20, 40)]
    assert_same(store.take(ROWS), wanted)
    assert store.find_missing([3, 1]) == []
    source.keep_in(store)
    chosen = [SAMPLES[row] for row in ROWS]
    assert_same(source.open(chosen).take(np.arange(len(ROWS))), wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_bit_pattern_survives(tmp_path, dtype):
    bits = torch.arange(-(2**15), 2**15, dtype=torch.int16)
    maps = bits.view(dtype).view(2, -1, 4, 8)
    with EntryWriter(tmp_path) as writer:
        writer.add({4: maps})
        writer.add({4: maps.flip(0)})
        written = writer.finish(KEYS[0])
    _, meta = finish(check_entry(tmp_path, KEYS[0], 4))
    assert meta == written
    mapped = map_features(tmp_path / "stride-4.bin", meta.files[0], 4)
    got = to_features(mapped[np.asarray([1, 2, 3])], meta.files[0], "cpu")
    assert got.dtype == dtype
    assert torch.equal(got.contiguous().view(torch.int16), maps[[1, 1, 0]].contiguous().view(torch.int16))
    with pytest.raises(ValueError, match="read-only"):
        mapped[0] = 0


def test_entry_is_laid_out_as_documented(cache, computed):
    cache.open()
    raw = np.fromfile(cache.entry() / "stride-16.bin", dtype="<f4").reshape(40, 4, 4, -1)
    assert np.array_equal(raw, computed[16].permute(0, 2, 3, 1).numpy())
    meta = json.loads((cache.entry() / "meta.json").read_text())
    assert (meta["format"], meta["key"], meta["num_rows"]) == (1, KEYS[0], 40)
    assert [file["stride"] for file in meta["files"]] == list(STRIDES)
    assert cache.names() == cache.names_of(0)


def test_whole_entry_is_used_again_without_encoding(cache, computed):
    cache.open()
    data = TensorImages()
    values, store = cache.open(data=data)
    assert data.read == []
    assert alarms(values) == []
    assert_same(store.take(np.arange(40)), computed)


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_meta(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_shape(path):
    files = json.loads(path.read_text())["files"]
    files[0]["shape"][0] += 1
    change_meta(path, files=files)


DAMAGES = {
    "bit": (lambda entry: flip_a_bit(entry / "stride-8.bin"), "stride-8.bin is damaged: its checksum differs"),
    "cut": (lambda entry: os.truncate(entry / "stride-16.bin", 99), "stride-16.bin is missing or has another size"),
    "gone": (lambda entry: (entry / "stride-8.bin").unlink(), "stride-8.bin is missing or has another size"),
    "meta cut": (lambda entry: os.truncate(entry / "meta.json", 20), "meta.json is damaged: "),
    "meta empty": (lambda entry: os.truncate(entry / "meta.json", 0), "meta.json is damaged: "),
    "shape": (lambda entry: change_shape(entry / "meta.json"), "stride-8.bin is missing or has another size"),
    "meta gone": (lambda entry: (entry / "meta.json").unlink(), "meta.json is missing"),
    "meta binary": (lambda entry: (entry / "meta.json").write_bytes(b"\xff\x00"), "meta.json is damaged: "),
    "rows": (lambda entry: change_meta(entry / "meta.json", num_rows=41), "meta.json is of another format or of other"),
    "key": (lambda entry: change_meta(entry / "meta.json", key=KEYS[1]), "meta.json is of another format or of other"),
    "format": (lambda entry: change_meta(entry / "meta.json", format=2), "meta.json is of another format or of other"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entry_is_built_again(cache, computed, damage):
    cache.open()
    spoil, words = DAMAGES[damage]
    spoil(cache.entry())
    values, store = cache.open()
    [message] = alarms(values)
    assert words in message
    assert message.endswith("these features are computed again")
    assert_same(store.take(np.arange(40)), computed)
    assert alarms(cache.open()[0]) == []


def test_damaged_entry_that_others_use_is_left_to_them(cache):
    _, store = cache.open()
    flip_a_bit(cache.entry() / "stride-8.bin")
    values, second = cache.open()
    assert second is None
    assert [message.partition(" ")[0] for message in alarms(values)] == [f"{cache.entry()}/stride-8.bin", "another"]
    assert cache.names() == cache.names_of(0)
    del store
    assert cache.open()[1] is not None


def test_other_weights_have_an_entry_of_their_own(cache, computed):
    cache.open()
    other = make_source(make_encoder(seed=1))
    _, store = finish(FeatureFiles(cache.folder, 10**9).open(KEYS[1], other, SAMPLES, NUM_BYTES))
    assert not torch.equal(store.take(np.arange(40))[16], computed[16])
    assert_same(cache.open()[1].take(np.arange(40)), computed)
    assert cache.names() == cache.names_of(0, 1)


@contextmanager
def file_size_limit(num_bytes):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_refused_write_leaves_nothing_and_costs_only_the_cache(cache, encoder, computed):
    cache.open(key=1)
    before = cache.names()
    with file_size_limit(NUM_BYTES // 4):
        values, store = finish(cache.start())
    assert store is None
    assert isinstance(values[0], Progress), "it failed in the midst of writing"
    assert alarms(values) == [
        f"features cannot be kept in {cache.folder} (File too large): they are computed anew in every epoch"
    ]
    assert cache.names() == before
    assert_same(make_source(encoder).open(SAMPLES).take(np.arange(40)), computed)
    assert cache.open()[1] is not None, "it works again when there is room"


@pytest.mark.parametrize("failing", ["fsync", "rename"])
def test_disk_that_fills_up_at_the_last_moment(cache, monkeypatch, failing):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    cache.open(key=1)
    before = cache.names()
    target = (os, "fsync") if failing == "fsync" else (type(cache.folder), "rename")
    with monkeypatch.context() as patch:
        patch.setattr(*target, refuse)
        values, store = finish(cache.start())
    assert store is None
    assert alarms(values) == [
        f"features cannot be kept in {cache.folder} (No space left on device): they are computed anew in every epoch"
    ]
    assert cache.names() == before


def test_features_that_are_not_finite_leave_nothing(cache):
    broken = make_encoder()
    with torch.no_grad():
        next(broken.parameters()).fill_(float("nan"))
    with pytest.raises(InputError, match="not finite"):
        finish(FeatureFiles(cache.folder, 10**9).open(KEYS[0], make_source(broken), SAMPLES, NUM_BYTES))
    assert cache.names() == set()


def test_stopped_in_the_midst_leaves_nothing(cache):
    building = cache.start()
    assert next(building).done == 20
    building.close()
    assert cache.names() == set()
    cache.open()
    checking = cache.start()
    next(checking)
    checking.close()
    assert cache.open(key=1, budget=NUM_BYTES)[1] is not None, "the entry that was being checked is free"


def test_files_in_an_entry_are_never_written_through_the_store(cache):
    _, store = cache.open()
    taken = store.take(ROWS)
    taken[16].zero_()
    assert bool(store.take(ROWS)[16].any())
    with pytest.raises(TypeError, match="never change"):
        store.put([0], taken)
