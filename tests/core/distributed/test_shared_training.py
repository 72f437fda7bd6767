"""Trainings that two processes share: what they compute, resuming on more or fewer, stopping, and every way to die."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import takewhile

import psutil
import pytest
import torch

from lovt_core.distributed.shared_training import RankError, count_processes, train_on_several
from lovt_core.errors import ConfigError
from lovt_core.pretrain import pretrain
from lovt_core.runs.causes import find_cause
from lovt_core.training.checkpoint import load_checkpoint
from lovt_core.values import CheckpointSaved, Ended, Metrics
from tests.core.distributed.places import build_selftest, make_place
from tests.core.evaluation.factories import make_place as make_workplace
from tests.core.methods.image_methods import make_experiment

SECONDS = 60.0


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def make_simclr(epochs=2):
    """Five batches an epoch, two to a step: the third step has one, which leaves the second process without any."""
    training = {"batch_size": 10, "accumulate": 2, "max_epochs": epochs, "checkpoint_every_steps": 1}
    return make_experiment("simclr", data={"name": "covid-chestxray", "normalisation": "image"}, training=training)


def losses_of(values):
    """(step, name) -> value, of everything that is not a time."""
    return {
        (value.step, name): number
        for value in values
        if isinstance(value, Metrics)
        for name, number in value.values.items()
        if not name.startswith("time/")
    }


def read_model(values, place):
    saved = [value.name for value in values if isinstance(value, CheckpointSaved)]
    return load_checkpoint(place.checkpoints / saved[-1]).load_model()


def go_on(values, place):
    """The next attempt at the place where `values` ended."""
    saved = [value for value in values if isinstance(value, CheckpointSaved)]
    best = [value.name for value in saved if value.is_best]
    return replace(place, attempt=2, last_checkpoint=saved[-1].name, best_checkpoint=best[-1] if best else None)


@pytest.fixture(scope="module")
def unbroken(synthetic, tmp_path_factory):
    """All values of the training in one process, and its last model."""
    place = make_workplace(synthetic / "prepared", tmp_path_factory.mktemp("unbroken"))
    values = list(pretrain(make_simclr(), place))
    return values, read_model(values, place)


def check_same(found, expected):
    """Step losses and gradients agree; the loss of validations less so, for running statistics have other batches."""
    for key, number in expected.items():
        is_validation = key[1].startswith("val/")
        if is_validation and key[1] != "val/loss":
            continue
        assert found[key] == pytest.approx(number, rel=0.2 if is_validation else 2e-3, abs=1e-6), key


def check_same_model(found, expected):
    for name, tensor in expected.items():
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            assert torch.allclose(found[name], tensor, rtol=1e-3, atol=2e-4), name


def test_two_processes_go_on_where_one_has_stopped(unbroken, synthetic, tmp_path):
    place = make_workplace(synthetic / "prepared", tmp_path)
    training = pretrain(make_simclr(), place)
    first = list(takewhile(lambda value: getattr(value, "step", 0) < 3, training))
    training.close()
    second = list(train_on_several(make_simclr(), go_on(first, place), 2))
    assert [value.step for value in second if isinstance(value, Metrics)] == [3, 3, 4, 5, 6, 6]
    check_same(losses_of(first) | losses_of(second), losses_of(unbroken[0]))
    check_same_model(read_model(second, place), unbroken[1])


def test_one_process_goes_on_where_two_were_stopped(unbroken, synthetic, tmp_path):
    first = []
    place = make_workplace(
        synthetic / "prepared", tmp_path, stop_requested=lambda: "stopped" if first and first[-1].step == 4 else None
    )
    for value in train_on_several(make_simclr(), place, 2):
        first += [value] if isinstance(value, Metrics | CheckpointSaved) else []
    assert value == Ended("stopped")
    assert isinstance(first[-1], CheckpointSaved)
    again = replace(go_on(first, place), stop_requested=lambda: None)
    second = list(pretrain(make_simclr(), again))
    assert [value.step for value in second if isinstance(value, Metrics)] == [5, 6, 6]
    check_same(losses_of(first) | losses_of(second), losses_of(unbroken[0]))
    check_same_model(read_model(second, place), unbroken[1])


def test_the_message_is_that_of_the_process_that_failed(tmp_path, capfd):
    with pytest.raises(RankError, match="the loss is nan at step 3") as raised:
        list(train_on_several(build_selftest(fail_at_step=3), make_place(tmp_path), 2))
    assert (raised.value.exit_code, find_cause(raised.value)) == (1, "diverged")
    assert "TrainingError" in raised.value.__notes__[0]
    log = capfd.readouterr()
    assert "[process 0]" in log.out + log.err
    assert "[process 1]" in log.out + log.err


def test_a_killed_process_ends_the_others(tmp_path):
    values = train_on_several(build_selftest(seconds_per_step=0.2, epochs=1000), make_place(tmp_path), 2)
    next(value for value in values if isinstance(value, Metrics))
    ranks = find_ranks(psutil.Process())
    os.kill(ranks[1].pid, signal.SIGKILL)
    with pytest.raises(RankError, match="process 1 of the training was killed by signal SIGKILL") as raised:
        list(values)
    assert find_cause(raised.value) == "killed"
    wait_until_gone(ranks.values())


def test_what_slurm_tells_all_processes_leaves_the_end_to_the_worker(tmp_path):
    asked = []
    place = make_place(tmp_path, stop_requested=lambda: "interrupted" if asked else None)
    values = train_on_several(build_selftest(seconds_per_step=0.2, epochs=1000), place, 2)
    next(value for value in values if isinstance(value, Metrics))
    for process in find_processes(psutil.Process()):
        process.send_signal(signal.SIGTERM)
    next(value for value in values if isinstance(value, Metrics))
    asked.append(True)
    *_, saved, last = values
    assert isinstance(saved, CheckpointSaved)
    assert last == Ended("interrupted")


def test_nobody_is_left_behind_by_a_worker_that_is_killed(tmp_path):
    command = [sys.executable, "-m", "tests.core.distributed.watched", str(tmp_path)]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while "Metrics" not in worker.stdout.readline():
        assert worker.poll() is None
    processes = psutil.Process(worker.pid).children(recursive=True)
    assert len(processes) == 3  # torchrun and two processes
    worker.kill()
    worker.wait()
    wait_until_gone(processes)
    worker.stdout.close()


def test_they_are_heard_on_this_machine_alone_and_a_closed_generator_ends_them(tmp_path):
    values = train_on_several(build_selftest(seconds_per_step=0.2, epochs=1000), make_place(tmp_path), 2)
    next(values)
    processes = find_processes(psutil.Process())
    listening = [line.laddr.ip for each in processes for line in each.net_connections() if line.status == "LISTEN"]
    values.close()
    wait_until_gone(processes)
    assert set(listening) == {"127.0.0.1"}


def test_a_share_that_does_not_come_out_even_starts_nothing(tmp_path):
    with pytest.raises(ConfigError, match=r"training\.accumulate is 2, which 3 processes"):
        next(train_on_several(build_selftest(), make_place(tmp_path), 3))


@pytest.mark.parametrize(("device", "visible", "count"), [("cpu", "a,b", 2), ("cuda:0", "a,b,c", 3), ("cuda:0", "", 1)])
def test_there_is_a_process_for_each_gpu(tmp_path, monkeypatch, device, visible, count):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert count_processes(build_selftest(), make_place(tmp_path, device=device)) == count


def find_ranks(worker):
    """Rank -> its process."""
    ranks = [each for each in find_processes(worker) if "lovt_core.distributed.rank" in read_command(each)]
    return {int(each.environ()["RANK"]): each for each in ranks}


def find_processes(worker):
    """Torchrun and what it has started; other tests may have left children of their own."""
    return [each for each in worker.children(recursive=True) if "lovt_core.distributed" in read_command(each)]


def read_command(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has ended
        return ""


def wait_until_gone(processes):
    deadline = time.monotonic() + SECONDS
    while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes):
        assert time.monotonic() < deadline, "they are still there"
        time.sleep(0.05)
