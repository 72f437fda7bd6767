"""Time and memory of a run, by past runs like it."""

from dataclasses import replace

import pytest

from lovt_core.config.loading import find_experiment_file, find_sweep_file, load_experiment
from lovt_core.config.sweep_file import load_sweep
from lovt_tui.forms.drafts import Draft
from lovt_tui.forms.edits import apply_overrides
from lovt_tui.forms.estimate import estimate
from lovt_tui.forms.judging import describe_estimate
from lovt_tui.forms.starts import read_start
from lovt_tui.forms.views import build_view
from tests.tui.factories import NOW, make_row

HERE = "machine-1"


@pytest.fixture
def asked():
    """A pre-training."""
    return load_experiment(find_experiment_file("pretraining/covid-chestxray.yaml"))


def past(asked, **values):
    """A finished run of it: 100 steps in 200 seconds."""
    facts = {
        "experiment": asked.model_dump(mode="json", by_alias=True), "kind": asked.kind, "done": 100,
        "total": 100, "started": NOW - 300, "ended": NOW - 100, "origin": {"machine": HERE},
    }  # fmt: skip
    return make_row("past", **{**facts, **values})


def test_a_run_like_it_tells_speed_time_and_memory(asked):
    row = past(asked, latest={"system/gpu_memory_gb": 11.25, "system/memory_gb": 3.5})
    found = estimate(asked, [row], HERE)
    assert found.num_runs == 1
    assert found.samples_per_second == pytest.approx(asked.training.batch_size / 2)
    assert found.seconds == pytest.approx(200)
    assert (found.gpu_gb, found.memory_gb) == (11.25, 3.5)


def test_longer_ones_take_longer(asked):
    longer = asked.model_copy(update={"training": asked.training.model_copy(update={"max_epochs": 80})})
    assert estimate(longer, [past(asked)], HERE).seconds == pytest.approx(400)
    short = asked.model_copy(update={"training": asked.training.model_copy(update={"max_steps": 10})})
    assert estimate(short, [past(asked)], HERE).seconds == pytest.approx(20)


def test_other_data_tells_the_speed_only(asked):
    other = asked.model_copy(update={"data": asked.data.model_copy(update={"name": "openi"})})
    found = estimate(other, [past(asked)], HERE)
    assert found.samples_per_second == pytest.approx(8)
    assert found.seconds is None


def test_runs_that_tell_nothing(asked):
    batch = asked.model_copy(update={"training": asked.training.model_copy(update={"batch_size": 8})})
    assert estimate(asked, [], HERE) is None
    assert estimate(batch, [past(asked)], HERE) is None
    assert estimate(asked, [past(asked, origin={"machine": "elsewhere"})], HERE) is None
    assert estimate(asked, [past(asked, done=1)], HERE) is None
    assert estimate(asked, [past(asked, experiment=odd) for odd in ({}, {"method": 3})], HERE) is None


def test_a_resumed_run_tells_by_its_steps(asked):
    row = past(asked, attempt=2, latest={"time/step_seconds": 0.5})
    assert estimate(asked, [row], HERE).seconds == pytest.approx(50)
    assert estimate(asked, [replace(row, latest={})], HERE) is None


def test_the_middle_of_several_counts(asked):
    rows = [past(asked), past(asked, started=NOW - 1100), past(asked, started=NOW - 400)]
    found = estimate(asked, rows, HERE)
    assert (found.num_runs, found.seconds) == (3, pytest.approx(300))


def test_evaluations_of_the_same_tasks():
    asked = load_experiment(find_experiment_file("evaluation/quick.yaml"))
    row = past(asked)
    assert estimate(asked, [row], HERE).seconds == pytest.approx(200)
    fewer = asked.model_copy(update={"tasks": ("covid-*",)})
    assert estimate(fewer, [row], HERE) is None
    assert estimate(asked, [replace(row, state="failed")], HERE) is None


def test_a_sweep_takes_its_trials():
    sweep = load_sweep(find_sweep_file("tiny"))
    found = estimate(sweep, [past(sweep.base)], HERE)
    assert found.seconds == pytest.approx(200 * 7)  # 14 trials, two at a time
    hours = replace(sweep, config=sweep.config.model_copy(update={"hours": 0.1}))
    assert estimate(hours, [past(sweep.base)], HERE).seconds == pytest.approx(360 + 200)


def test_the_words(asked):
    view = build_view(apply_overrides(Draft(read_start("pretraining/covid-chestxray.yaml")), "seed=1"))
    found = estimate(asked, [past(asked, latest={"system/gpu_memory_gb": 11.25})], HERE)
    assert describe_estimate(found, view) == "about 8 samples/s · at most 3m20s · 11.2 GB of the GPU (by 1 past run)"
    assert describe_estimate(None, view) == "no past run to estimate from"
