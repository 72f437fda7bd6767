"""Where a run may start: GPUs by memory, by who else is there, in the order given; the CPU otherwise."""

from dataclasses import replace

import pytest

from lovt_core.config.settings import Settings
from lovt_core.errors import InputError
from lovt_core.runs.gpus import GB, Gpu, GpuProcess, check_gpus, choose_gpus
from lovt_core.runs.queueing.placement import Host, Place, Waits, choose_place
from lovt_core.runs.queueing.slots import HeldSlot, Holder
from lovt_core.runs.terms import Terms

A = Gpu("GPU-aaaa", 0, "H100", 80 * GB, 79 * GB)
B = Gpu("GPU-bbbb", 1, "H100", 80 * GB, 79 * GB)
SMALL = Gpu("GPU-cccc", 2, "T4", 16 * GB, 16 * GB)


def host(*gpus, held=(), sessions=None, **settings):
    return Host(tuple(gpus), tuple(held), Settings(**settings), (sessions or {}).get, "/w")


def hold(gpu, memory_gb, run="other", pid=0):
    return HeldSlot(gpu if isinstance(gpu, str) else gpu.uuid, 0, Holder(run, "/w", int(memory_gb * GB), pid))


def place(found):
    assert isinstance(found, Place), found
    return found.devices


def reason(found):
    assert isinstance(found, Waits), found
    return found.reason


def test_without_a_gpu_runs_compute_on_the_cpu_one_at_a_time():
    assert place(choose_place("auto", Terms(), host())) == ("cpu",)
    assert place(choose_place("cpu", Terms(), host(A))) == ("cpu",)
    assert place(choose_place("auto", Terms(gpus=0), host(A))) == ("cpu",)
    busy = [hold("cpu", 0, "20260101-000000-a-0000")]
    assert reason(choose_place("cpu", Terms(), host(held=busy))) == "the CPU is taken by 20260101-000000-a-0000"
    assert place(choose_place("cpu", Terms(), host(held=busy, cpu_slots=2))) == ("cpu",)
    theirs = [HeldSlot("cpu", 0, Holder("20260101-000000-a-0000", "/theirs"))]
    there = "the CPU is taken by 20260101-000000-a-0000 of /theirs"
    assert reason(choose_place("cpu", Terms(), host(held=theirs))) == there
    assert "all CPU slots are taken by" in reason(choose_place("cpu", Terms(), host(held=busy * 2, cpu_slots=2)))


def test_a_run_that_needs_a_gpu_never_starts_on_the_cpu():
    assert "there is none" in reason(choose_place("cuda", Terms(), host()))
    assert "there is none" in reason(choose_place("cuda", Terms(allowed_gpus=""), host(A)))


def test_a_run_that_names_a_gpu_gets_that_one_or_waits():
    assert place(choose_place("cuda:1", Terms(), host(A, B))) == ("GPU-bbbb",)
    assert "taken by" in reason(choose_place("cuda:1", Terms(), host(A, B, held=[hold(B, 80)])))
    assert reason(choose_place("cuda:1", Terms(), host(A))) == "needs GPU 1, and may not use it"
    assert reason(choose_place("cuda:1", Terms(allowed_gpus="0"), host(A, B))) == "needs GPU 1, and may not use it"


def test_gpus_are_taken_in_the_order_given_and_only_the_allowed_ones():
    assert place(choose_place("auto", Terms(), host(A, B))) == ("GPU-aaaa",)
    assert place(choose_place("auto", Terms(), host(A, B, gpus=("1", "0")))) == ("GPU-bbbb",)
    assert place(choose_place("auto", Terms(allowed_gpus="GPU-bb"), host(A, B))) == ("GPU-bbbb",)
    assert place(choose_place("auto", Terms(allowed_gpus="1,0"), host(A, B, gpus=("GPU-aaaa",)))) == ("GPU-aaaa",)
    assert place(choose_place("auto", Terms(), host(A, B, held=[hold(A, 80)]))) == ("GPU-bbbb",)


def test_a_whole_gpu_is_not_shared():
    found = choose_place("auto", Terms(), host(A, held=[hold(A, 80, "first")]))
    assert reason(found) == "GPU 0 (H100) is taken by first"
    assert "taken by" in reason(choose_place("auto", Terms(gpu_memory=10), host(A, held=[hold(A, 80)])))
    assert "taken by" in reason(choose_place("auto", Terms(), host(A, held=[hold(A, 10)])))


def test_a_slot_that_says_nothing_holds_the_whole_gpu():
    unknown = HeldSlot(A.uuid, 0, Holder())
    assert "taken by another run" in reason(choose_place("auto", Terms(gpu_memory=1), host(A, held=[unknown])))


def test_runs_share_a_gpu_by_declared_memory():
    used = replace(A, free=50 * GB, processes=(GpuProcess(7, 30 * GB),))
    ours = [hold(A, 30, pid=7)]
    sessions = {7: 7}
    found = choose_place("auto", Terms(gpu_memory=40), host(used, held=ours, sessions=sessions))
    assert (found.devices, found.memory) == (("GPU-aaaa",), 40 * GB)
    assert "taken" in reason(choose_place("auto", Terms(gpu_memory=60), host(used, held=ours, sessions=sessions)))


def test_declared_memory_stays_reserved_while_its_run_has_not_taken_it():
    """The run has declared 30 GB and uses 1 so far: 29 of the free 79 are its own."""
    young = replace(A, free=79 * GB, processes=(GpuProcess(7, 1 * GB),))
    at_work = host(young, held=[hold(A, 30, pid=7)], sessions={7: 7})
    assert place(choose_place("auto", Terms(gpu_memory=50), at_work)) == ("GPU-aaaa",)
    crowded = replace(young, free=40 * GB, processes=(GpuProcess(7, 1 * GB), GpuProcess(9, 39 * GB)))
    found = choose_place("auto", Terms(gpu_memory=20), replace(at_work, gpus=(crowded,)))
    assert reason(found) == "GPU 0 (H100) has 11.0 GB free, 20.0 are needed"


def test_without_a_list_of_processes_used_memory_counts_as_that_of_our_runs():
    """As in a container: 28 of the declared 30 GB are in use, and 50 of the rest are free."""
    used = replace(A, free=52 * GB)
    assert place(choose_place("auto", Terms(gpu_memory=50), host(used, held=[hold(A, 30, pid=7)]))) == ("GPU-aaaa",)
    assert "GB free" in reason(choose_place("auto", Terms(), host(replace(A, free=40 * GB))))


def test_programs_of_others_keep_whole_runs_away_and_shared_ones_where_there_is_room():
    other = replace(A, free=70 * GB, processes=(GpuProcess(4_000_000_000, 9 * GB),))
    assert "is used by another program: process 4000000000 (9.0 GB)" in reason(
        choose_place("auto", Terms(), host(other))
    )
    assert place(choose_place("auto", Terms(gpu_memory=60), host(other))) == ("GPU-aaaa",)
    assert "70.0 GB free" in reason(choose_place("auto", Terms(gpu_memory=75), host(other)))
    assert "GB free" in reason(choose_place("auto", Terms(), host(other, share_with_others=True)))
    quiet = replace(other, free=75 * GB)
    assert place(choose_place("auto", Terms(), host(quiet, share_with_others=True))) == ("GPU-aaaa",)


def test_a_helper_of_our_own_worker_is_no_stranger():
    helped = replace(A, free=60 * GB, processes=(GpuProcess(8, 19 * GB),))
    at_work = host(helped, held=[hold(A, 40, pid=7)], sessions={8: 7}, runs_per_gpu=2)
    assert place(choose_place("auto", Terms(), at_work)) == ("GPU-aaaa",)


def test_several_gpus_are_whole_ones_and_all_at_once():
    assert place(choose_place("auto", Terms(gpus=2), host(A, B))) == ("GPU-aaaa", "GPU-bbbb")
    assert choose_place("auto", Terms(gpus=2), host(A, B)).visible == "GPU-aaaa,GPU-bbbb"
    assert "taken" in reason(choose_place("auto", Terms(gpus=2), host(A, B, held=[hold(B, 10)])))
    assert reason(choose_place("auto", Terms(gpus=3), host(A, B))) == "needs 3 GPUs, and may use 2"


def test_a_run_that_fits_no_gpu_says_so():
    assert "has only 16 GB, 20 are needed" in reason(choose_place("auto", Terms(gpu_memory=20), host(SMALL)))
    assert place(choose_place("auto", Terms(gpu_memory=20), host(SMALL, A))) == ("GPU-aaaa",)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, [A, B]),
        (["1"], [B]),
        (["GPU-a", "0"], [A]),
        (["7", "0"], []),
        (["GPU-"], []),
        ([], []),
        (["0", "x"], [A]),
    ],
)
def test_choosing_as_cuda_does(wanted, expected):
    assert list(choose_gpus((A, B), wanted)) == expected


def test_settings_with_a_gpu_that_is_not_there():
    with pytest.raises(InputError, match=r"there is no GPU '5' on this machine; there are: 0 \(GPU-aaaa\)"):
        check_gpus((A,), ("0", "5"))
