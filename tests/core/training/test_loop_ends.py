"""How the loop ends, goes on, and what it refuses: stops, resumes, numbers that are none, full disks."""

import errno
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lovt_core.errors import ConfigError, LovtError, TrainingError
from lovt_core.selftest import selftest
from lovt_core.training.checkpoint import load_checkpoint
from lovt_core.training.loop import train
from lovt_core.values import Alarm, CheckpointSaved, Ended, Progress
from tests.core.training.looped import (
    ExperimentFactory,
    LinearBatches,
    PlaceFactory,
    find_saved,
    losses_by_step,
    make_config,
)


@pytest.mark.parametrize("reason", ["stopped", "interrupted"])
def test_a_stop_request_saves_and_ends(
    make_place: PlaceFactory, build_experiment: ExperimentFactory, reason: Any
) -> None:
    asked = iter([None, None, None, reason])
    values = list(selftest(build_experiment(accumulate=1), make_place(stop=lambda: next(asked))))
    assert values[-2:] == [CheckpointSaved("4-a1", 4, is_last=True, is_best=False), Ended(reason)]


def test_a_stop_request_during_validation_is_heard_and_validation_repeated(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    experiment = build_experiment(max_epochs=2)
    unbroken = losses_by_step(selftest(experiment, make_place(attempt=9)))
    asked = iter([None, None, "stopped", "stopped"])
    first = list(selftest(experiment, make_place(stop=lambda: next(asked))))
    assert isinstance(first[-1], Ended)
    assert not any("val/loss" in getattr(value, "values", {}) for value in first)
    second = list(selftest(experiment, make_place(attempt=2, last="2-a1")))
    assert losses_by_step(first) | losses_by_step(second) == unbroken


def test_a_resumed_training_says_where_it_goes_on(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    stops = iter([None, "stopped"])
    list(selftest(build_experiment(accumulate=1), make_place(stop=lambda: next(stops))))
    first = next(iter(selftest(build_experiment(accumulate=1), make_place(attempt=2, last="2-a1"))))
    assert first == Progress(2, 12, "step", "resumed from 2-a1")


def test_a_finished_training_with_state_can_be_extended(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    short = build_experiment(max_epochs=2, keep_state=True)
    long = build_experiment(max_epochs=4, schedule={"name": "constant"})
    first = list(selftest(short, make_place()))
    assert list(selftest(short, make_place(attempt=2, last=find_saved(first)[-1].name)))[1:] == []
    values = list(selftest(long, make_place(attempt=3, last=find_saved(first)[-1].name)))
    assert [value.step for value in values if "train/loss" in getattr(value, "values", {})] == [5, 6, 7, 8]


def test_a_damaged_last_is_announced_and_the_older_one_used(make_place: PlaceFactory, tmp_path: Path) -> None:
    validation = [1.0, 2.0, 3.0]
    stops = iter([None] * 3 + ["stopped"])
    first = list(train(LinearBatches(2, validation), make_config(), make_place(stop=lambda: next(stops, "stopped"))))
    assert [item.name for item in find_saved(first)] == ["2-a1", "3-a1"]
    (tmp_path / "checkpoints" / "3-a1" / "model.safetensors").write_bytes(b"broken")
    values = list(train(LinearBatches(2, validation), make_config(), make_place(attempt=2, last="3-a1")))
    assert isinstance(values[0], Alarm)
    assert "3-a1" in values[0].message
    assert values[1] == CheckpointSaved("2-a1", 2, is_last=True, is_best=True)
    assert values[2] == Progress(2, 6, "step", "resumed from 2-a1")


def test_a_loss_that_is_not_a_number_names_step_and_parameter(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    with pytest.raises(TrainingError, match=r"the loss is nan at step 4; the largest gradient is nan, of 1\.") as error:
        list(selftest(build_experiment(selftest={"fail_at_step": 4}), make_place()))
    assert "2 of 2 parameters" in str(error.value)


def test_an_infinite_gradient_ends_the_training_before_the_weights_are_spoiled(make_place: PlaceFactory) -> None:
    trainable = LinearBatches(1)
    trainable.model.weight.register_hook(lambda gradient: gradient * math.inf)
    before = trainable.model.weight.detach().clone()
    with pytest.raises(TrainingError, match="the gradient is not finite at step 1; the largest gradient is inf, of w"):
        list(train(trainable, make_config(), make_place()))
    assert torch.equal(trainable.model.weight, before)


def test_a_validation_that_is_not_a_number_is_an_alarm(make_place: PlaceFactory) -> None:
    values = list(train(LinearBatches(1, [1.0, math.nan, 2.0]), make_config(), make_place()))
    assert [value.message for value in values if isinstance(value, Alarm)] == [
        "val/loss is nan after step 2; it counts as no improvement"
    ]
    assert [item.is_best for item in find_saved(values)] == [True, False, False]


def test_gradients_are_clipped(make_place: PlaceFactory) -> None:
    trainable = LinearBatches(1)
    config = make_config(
        max_epochs=1, optimiser={"name": "adam", "gradient_clip": 1e-12, "learning_rate": 1.0, "weight_decay": 0}
    )
    before = trainable.model.weight.detach().clone()
    list(train(trainable, config, make_place()))
    # Adam divides by the gradient's size plus 1e-8: a gradient clipped to 1e-12 moves the weights by 1e-4 at most
    assert float((trainable.model.weight.detach() - before).abs().max()) < 1e-3


def test_fp16_on_the_cpu_is_refused(make_place: PlaceFactory, build_experiment: ExperimentFactory) -> None:
    with pytest.raises(ConfigError, match="'fp16' needs a GPU"):
        list(selftest(build_experiment(precision="fp16"), make_place()))


def test_bf16_trains_and_keeps_the_weights_in_fp32(
    make_place: PlaceFactory, build_experiment: ExperimentFactory, tmp_path: Path
) -> None:
    values = list(selftest(build_experiment(precision="bf16"), make_place()))
    tensors = load_checkpoint(tmp_path / "checkpoints" / find_saved(values)[-1].name).load_model()
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    exact = losses_by_step(selftest(build_experiment(), make_place(attempt=2)))
    rounded = losses_by_step(values)
    assert rounded[1, "train/loss"] != exact[1, "train/loss"]
    assert rounded[1, "train/loss"] == pytest.approx(exact[1, "train/loss"], rel=0.05)


def test_the_validation_sees_the_model_in_evaluation_mode_and_training_goes_back(make_place: PlaceFactory) -> None:
    trainable = LinearBatches(1)
    modes: list[tuple[bool, bool]] = []
    compute: Callable[[Any], dict[str, Tensor]] = trainable.compute_losses

    def watch(batch: Any) -> dict[str, Tensor]:
        modes.append((trainable.model.training, torch.is_grad_enabled()))
        return compute(batch)

    trainable.compute_losses = watch  # type: ignore[method-assign]
    list(train(trainable, make_config(max_epochs=2), make_place()))
    assert modes == [(True, True), (False, False)] * 2


def test_a_full_disk_ends_the_training_and_spares_the_earlier_checkpoint(
    make_place: PlaceFactory, build_experiment: ExperimentFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.rename
    refused = []

    def rename(path: Path, target: Path) -> Path:
        if target.name == "4-a1":
            refused.append(target)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    seen = []
    with pytest.raises(LovtError, match=r"4-a1: No space left on device"):
        seen.extend(selftest(build_experiment(), make_place()))
    monkeypatch.undo()
    assert refused
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["2-a1", "2-a1.state"]
    resumed = list(selftest(build_experiment(), make_place(attempt=2, last="2-a1")))
    assert resumed[0] == Progress(2, 6, "step", "resumed from 2-a1")


def test_other_share_counts_what_is_outside_model_and_optimiser(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    slow_model = [
        value.values
        for value in selftest(build_experiment(selftest={"seconds_per_step": 0.05}), make_place())
        if "train/loss" in getattr(value, "values", {})
    ]
    assert all(step["time/step_seconds"] >= 0.05 for step in slow_model)
    assert all(step["time/other_share"] < 0.5 for step in slow_model)


def test_losses_fall(make_place: PlaceFactory, build_experiment: ExperimentFactory) -> None:
    experiment = build_experiment(
        max_epochs=40, optimiser={"learning_rate": 0.05}, schedule={"name": "constant"}, early_stopping=None
    )
    losses = losses_by_step(selftest(experiment, make_place()))
    validation = [loss for (_, name), loss in losses.items() if name == "val/loss"]
    assert validation[-1] < 0.2 * validation[0]
    assert all(math.isfinite(loss) for loss in validation)
    assert len(list(pairwise(validation))) == 39
