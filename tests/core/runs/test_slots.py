"""Slots of a host: GPUs, shared or not, and the CPU."""

from types import SimpleNamespace

import pynvml
import pytest

from lovt_core.errors import InputError
from lovt_core.runs.slots import CPU, any_slot_free, list_slots, runs_per_gpu, take_free_slot

UUIDS = ("GPU-aaaa", "GPU-bbbb")


@pytest.fixture
def free(monkeypatch, tmp_path):
    """Two GPUs whose share of free memory the test decides."""
    shares = dict.fromkeys(UUIDS, 1.0)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: len(UUIDS))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: UUIDS[index])
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUUID", lambda handle: handle)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda handle: "a GPU")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetMemoryInfo", lambda uuid: SimpleNamespace(free=100 * shares[uuid], total=100)
    )
    list_slots.cache_clear()
    yield shares
    list_slots.cache_clear()


def take_all():
    taken = []
    while (slot := take_free_slot("auto")) is not None:
        taken.append(slot)
    names = [(each.slot.name, each.slot.share) for each in taken]
    for each in taken:
        each.release()
    return names


def test_each_gpu_takes_one_run(free):
    assert take_all() == [("GPU-aaaa", 0), ("GPU-bbbb", 0)]
    assert list_slots()[1].environment() == {"CUDA_VISIBLE_DEVICES": "GPU-bbbb"}


def test_gpus_are_shared_where_it_is_asked_for_and_memory_allows(free, monkeypatch):
    monkeypatch.setenv("LOVT_RUNS_PER_GPU", "3")
    free["GPU-bbbb"] = 0.4
    assert take_all() == [("GPU-aaaa", 0), ("GPU-bbbb", 0), ("GPU-aaaa", 1), ("GPU-aaaa", 2)]
    held = [take_free_slot("auto") for _ in range(4)]
    assert not any_slot_free("auto")
    free["GPU-bbbb"] = 0.5
    assert any_slot_free("auto")
    for each in held:
        each.release()


@pytest.mark.parametrize("text", ["0", "two", "-1", ""])
def test_a_wrong_number_is_said(monkeypatch, text):
    monkeypatch.setenv("LOVT_RUNS_PER_GPU", text)
    with pytest.raises(InputError, match="LOVT_RUNS_PER_GPU"):
        runs_per_gpu()


def test_runs_on_the_cpu_are_not_shared(free, monkeypatch):
    monkeypatch.setenv("LOVT_RUNS_PER_GPU", "2")
    taken = take_free_slot("cpu")
    assert taken.slot == CPU
    assert take_free_slot("cpu") is None
    taken.release()
