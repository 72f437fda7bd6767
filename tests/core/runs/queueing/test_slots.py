"""Slots: taken by a lock, described by their holder."""

import pytest

from lovt_core.runs.queueing.slots import CPU, Holder, list_held, note_memory, placing, take_slot


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_a_slot_is_held_as_long_as_its_descriptor(tmp_path):
    first = take_slot("GPU-aaaa", "GPU 0")
    second = take_slot("GPU-aaaa", "GPU 0")
    assert (first.share, second.share) == (0, 1)
    first.write(Holder("one", "/w", 5, 42))
    held = {slot.share: slot.holder for slot in list_held(("GPU-aaaa", "GPU-bbbb"))}
    assert held == {0: Holder("one", "/w", 5, 42), 1: Holder()}
    first.release()
    assert [slot.share for slot in list_held(("GPU-aaaa",))] == [1]
    again = take_slot("GPU-aaaa", "GPU 0")
    assert again.share == 0
    for slot in (second, again):
        slot.release()
    assert list_held(("GPU-aaaa",)) == ()


def test_what_a_run_turned_out_to_need_replaces_what_it_declared():
    slot = take_slot(CPU, "CPU")
    slot.write(Holder("one", "/a workspace with ünicode", 80_000_000_000, 42))
    note_memory(slot.descriptor, 7)
    assert list_held((CPU,))[0].holder == Holder("one", "/a workspace with ünicode", 7, 42)
    slot.release()


def test_a_garbled_note_does_not_free_the_slot(tmp_path):
    slot = take_slot(CPU, "CPU")
    (path,) = tmp_path.rglob("cpu-0.lock")
    for garbage in (b"\xff\xfe", b"[]", b'{"run": 1, "what": 2}', b""):
        path.write_bytes(garbage)
        (held,) = list_held((CPU,))
        assert held.holder == Holder()
    slot.release()


def test_only_so_many_shares():
    taken = [take_slot("GPU-aaaa", "", shares=2) for _ in range(3)]
    assert taken[2] is None
    for slot in taken[:2]:
        slot.release()


def test_one_chooses_at_a_time():
    with placing():
        pass
    with placing():  # free again
        pass
