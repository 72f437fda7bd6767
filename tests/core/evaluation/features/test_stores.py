"""Which features are kept where: memory, files, nowhere, and the same features from each of them."""

import gc
import weakref

import numpy as np
import pytest

from lovt_core.config.evaluation import FeatureCacheConfig
from lovt_core.evaluation.features.stores import GIGABYTE, FeatureStores
from lovt_core.values import Alarm
from tests.core.evaluation.features.inputs import (
    SAMPLES,
    STRIDES,
    TensorImages,
    assert_same,
    finish,
    make_encoder,
    make_precision,
    make_source,
)

EVERY = np.arange(len(SAMPLES))


@pytest.fixture(scope="module")
def encoder():
    return make_encoder()


@pytest.fixture(scope="module")
def computed(encoder):
    return make_source(encoder).open(SAMPLES).take(EVERY)


@pytest.fixture(scope="module")
def num_bytes(computed):
    return sum(maps.nbytes for maps in computed.values())


def make_stores(memory_bytes, folder=None, disk_gb=1.0, precision="fp32"):
    config = FeatureCacheConfig(memory_gb=(memory_bytes + 0.5) / GIGABYTE if memory_bytes else 0, disk_gb=disk_gb)
    return FeatureStores(config, folder, "cpu", make_precision(precision))


def open_source(stores, encoder, data=None, strides=STRIDES, samples=SAMPLES):
    """The source; there must be no alarm."""
    values, source = finish(stores.open(encoder, data or TensorImages(), strides, samples))
    assert not [value for value in values if isinstance(value, Alarm)]
    return source


def test_memory_files_and_neither_give_the_same_features(encoder, computed, num_bytes, tmp_path):
    in_memory = open_source(make_stores(num_bytes), encoder)
    in_files = open_source(make_stores(num_bytes - 1, tmp_path), encoder)
    _, nowhere = finish(make_stores(0).open(encoder, TensorImages(), STRIDES, SAMPLES))
    for source in (in_memory, in_files, nowhere):
        assert_same(source.open(SAMPLES).take(EVERY), computed)
        assert_same(source.open(SAMPLES[::-1]).take(EVERY[::-1].copy()), computed)
    assert len(list(tmp_path.glob("*/stride-8.bin"))) == 1


def test_memory_computes_each_row_once(encoder, num_bytes):
    data = TensorImages()
    source = open_source(make_stores(num_bytes), encoder, data)
    data.read.clear()
    values, _ = finish(source.fill(SAMPLES[:3]))
    assert [(value.done, value.total) for value in values] == [(3, 3)]
    source.open(SAMPLES[1:5])
    source.open(SAMPLES[4::-1])
    assert data.read == list(SAMPLES[:5])


def test_without_room_features_are_computed_whenever_they_are_asked_for(encoder):
    data = TensorImages()
    values, source = finish(make_stores(0).open(encoder, data, STRIDES, SAMPLES))
    [alarm] = values
    assert alarm.message.endswith("computed anew in every epoch (cache.memory_gb, cache.disk_gb)")
    data.read.clear()
    assert finish(source.fill(SAMPLES)) == ([], None)
    for _ in range(2):
        source.open(SAMPLES[:4])
    assert data.read == 2 * list(SAMPLES[:4])


def test_disk_budget_of_zero_writes_nothing(encoder, tmp_path):
    folder = tmp_path / "features"
    values, _ = finish(make_stores(0, folder, disk_gb=0).open(encoder, TensorImages(), STRIDES, SAMPLES))
    assert len(values) == 1
    assert not folder.exists()


def test_later_evaluation_finds_the_files(encoder, computed, tmp_path):
    open_source(make_stores(0, tmp_path), encoder)
    data = TensorImages()
    source = open_source(make_stores(0, tmp_path), make_encoder(), data)
    assert_same(source.open(SAMPLES).take(EVERY), computed)
    assert data.read == [SAMPLES[0]], "one image tells the shapes"


OTHERS = {
    "weights": lambda stores, encoder: open_source(stores, make_encoder(seed=1)),
    "images": lambda stores, encoder: open_source(stores, encoder, TensorImages(seed=1)),
    "normalisation": lambda stores, encoder: open_source(stores, encoder, TensorImages(statistics=(0.5, 0.2))),
    "strides": lambda stores, encoder: open_source(stores, encoder, strides=(8,)),
    "samples": lambda stores, encoder: open_source(stores, encoder, samples=SAMPLES[:-1]),
    "order": lambda stores, encoder: open_source(stores, encoder, samples=SAMPLES[::-1]),
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_features_are_never_taken_from_the_files(encoder, computed, tmp_path, other):
    stores = make_stores(0, tmp_path)
    first = open_source(stores, encoder)
    assert OTHERS[other](stores, encoder) is not first
    assert len(list(tmp_path.glob("*/meta.json"))) == 2
    assert_same(first.open(SAMPLES).take(EVERY), computed)


def test_other_number_format_has_files_of_its_own(encoder, tmp_path):
    for precision in ("fp32", "bf16"):
        open_source(make_stores(0, tmp_path, precision=precision), encoder)
    assert len(list(tmp_path.glob("*/meta.json"))) == 2


def test_least_recently_used_source_makes_room_in_memory(num_bytes):
    encoders = [make_encoder(seed) for seed in range(3)]
    stores = make_stores(2 * num_bytes)
    first, second = (open_source(stores, encoder) for encoder in encoders[:2])
    assert open_source(stores, encoders[0]) is first
    open_source(stores, encoders[2])
    assert open_source(stores, encoders[0]) is first
    assert open_source(stores, encoders[1]) is not second


def test_memory_of_a_source_that_made_room_is_given_back(num_bytes):
    stores = make_stores(num_bytes)
    first = weakref.ref(open_source(stores, make_encoder(0)))
    assert first() is not None
    open_source(stores, make_encoder(1))
    gc.collect()
    assert first() is None


def test_files_are_given_up_with_the_stores(encoder, tmp_path, num_bytes):
    disk_gb = 1.5 * num_bytes / GIGABYTE
    stores = make_stores(0, tmp_path, disk_gb)
    source = open_source(stores, encoder)
    other = make_encoder(seed=1)
    values, refused = finish(make_stores(0, tmp_path, disk_gb).open(other, TensorImages(), STRIDES, SAMPLES))
    assert "beside those in use" in values[0].message
    assert len(refused.open(SAMPLES[:2]).take(EVERY[:2])[8]) == 2
    del stores, source
    open_source(make_stores(0, tmp_path, disk_gb), other)
    assert len(list(tmp_path.glob("*/meta.json"))) == 1


def test_full_disk_costs_the_cache_and_nothing_else(encoder, computed, tmp_path):
    folder = tmp_path / "features"
    folder.write_text("no folder can be made here")
    values, source = finish(make_stores(0, folder).open(encoder, TensorImages(), STRIDES, SAMPLES))
    assert [type(value) for value in values] == [Alarm]
    assert values[0].message.startswith(f"features cannot be kept in {folder}")
    assert_same(source.open(SAMPLES).take(EVERY), computed)


def test_counts_how_many_encoders_fit(encoder, num_bytes):
    data = TensorImages()
    assert make_stores(3 * num_bytes + 1).count_fitting(encoder, data, STRIDES, len(SAMPLES)) == 3
    assert make_stores(0).count_fitting(encoder, data, STRIDES, len(SAMPLES)) == 1
