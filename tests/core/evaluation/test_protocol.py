"""Protocols, seeds and intervals."""

import math
from dataclasses import replace

import pytest

from lovt_core.config.evaluation import EvaluationSettings
from lovt_core.evaluation.protocol import build_protocol
from lovt_core.evaluation.replicates import compute_interval, compute_seeds, find_duplicates
from lovt_core.tasks import TASKS, find_task

TASK = find_task("covid-linear")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_defaults_are_the_full_protocol_without_marks(task):
    protocol = build_protocol(task, EvaluationSettings())
    assert (protocol.name, protocol.marks) == ("full", ())
    spelled_out = EvaluationSettings(max_epochs=task.max_epochs, learning_rates=task.learning_rates)
    assert build_protocol(task, spelled_out) == protocol


@pytest.mark.parametrize(
    ("setting", "name", "mark"),
    [
        ({"image_size": 96}, "adapted", "96 px"),
        ({"stride": 16}, "adapted", "stride 16"),
        ({"normalisation": "image"}, "adapted", "normalised per image"),
        ({"replicates": 10}, "adapted", "10 replicates"),
        ({"replicates": 3}, "quick", "3 replicates"),
        ({"max_epochs": 5}, "quick", "5 epochs"),
        ({"max_epochs": 200}, "adapted", "200 epochs"),
        ({"learning_rates": (0.5, 1e-2, 3e-3, 1e-3)}, "adapted", "learning rates 0.5, 0.01, 0.003, 0.001"),
        ({"learning_rates": (1e-2,)}, "quick", "learning rates 0.01"),
        ({"batch_size": 4}, "adapted", "batch 4"),
    ],
)
def test_every_other_setting_is_another_protocol_and_is_named(setting, name, mark):
    protocol = build_protocol(TASK, EvaluationSettings(**setting))
    assert protocol.marks == (mark,)
    assert protocol.name == name
    assert protocol.fingerprint != build_protocol(TASK, EvaluationSettings()).fingerprint


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_quick_protocol_is_marked_and_is_less(task):
    protocol = build_protocol(task, EvaluationSettings(protocol="quick"))
    assert protocol.name == "quick"
    assert (protocol.num_replicates, protocol.task.max_epochs) == (1, 5)
    assert protocol.task.learning_rates == task.learning_rates[:1]
    assert {"5 epochs", "1 replicate"} <= set(protocol.marks)
    longer = build_protocol(task, EvaluationSettings(protocol="quick", max_epochs=7, replicates=2))
    assert (longer.task.max_epochs, longer.num_replicates, longer.name) == (7, 2, "quick")


def test_settings_that_a_task_does_not_read_leave_its_protocol_alone():
    unet = find_task("covid-unet-frozen")
    assert build_protocol(unet, EvaluationSettings(stride=16, warmup_steps=3)) == replace(
        build_protocol(unet, EvaluationSettings()), stride=16
    )
    assert build_protocol(unet, EvaluationSettings(stride=16)).marks == ()
    same = (build_protocol(unet, EvaluationSettings(stride=stride)).fingerprint for stride in (16, 32))
    assert len(set(same)) == 1
    tuned = build_protocol(find_task("covid-unet-finetuned"), EvaluationSettings(warmup_steps=3))
    assert tuned.marks == ("warm-up 3 steps",)


def test_seeds_are_distinct_reproducible_and_do_not_depend_on_their_number():
    seeds = compute_seeds(12345, 500)
    assert len(set(seeds)) == 500
    assert seeds[:6] == compute_seeds(12345, 6)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert not set(seeds) & set(compute_seeds(12346, 500))


def test_interval_is_students():
    mean, half_width = compute_interval([0.6, 0.62, 0.61, 0.65, 0.57])
    deviation = math.sqrt(sum((value - 0.61) ** 2 for value in (0.6, 0.62, 0.61, 0.65, 0.57)) / 4)
    assert mean == pytest.approx(0.61)
    assert half_width == pytest.approx(2.7764451 * deviation / math.sqrt(5))
    assert compute_interval([0.5]) == (0.5, None)
    assert compute_interval([0.5, 0.5]) == (0.5, 0.0)


def test_duplicates_are_equal_to_the_bit():
    assert find_duplicates([0.1, 0.2, 0.1, 0.3, 0.2]) == ((0, 2), (1, 4))
    assert find_duplicates([0.1, 0.1 + 1e-18, 0.1 + 1e-16]) == ((0, 1),)
    assert find_duplicates([0.1, 0.2]) == ()
