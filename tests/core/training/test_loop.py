"""The loop on the self-test's model: order of values, accumulation, schedules, ends, checkpoints."""

import errno
import json
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.config.training import TrainingConfig
from lovt_core.errors import ConfigError, LovtError, TrainingError
from lovt_core.selftest import selftest
from lovt_core.training.checkpoint import load_checkpoint
from lovt_core.training.loop import train
from lovt_core.training.monitored import VALIDATION_LOSS, Monitored
from lovt_core.values import Alarm, CheckpointSaved, Ended, Metrics, Progress, Value, Workplace

PlaceFactory = Callable[..., Workplace]
ExperimentFactory = Callable[..., SelftestExperiment]


def _losses_by_step(values: Iterable[Value]) -> dict[tuple[int, str], float]:
    """All losses, by (step, name); times are left out."""
    return {
        (value.step, name): number
        for value in values
        if isinstance(value, Metrics)
        for name, number in value.values.items()
        if not name.startswith("time/")
    }


def _saved(values: Iterable[Value]) -> list[CheckpointSaved]:
    return [value for value in values if isinstance(value, CheckpointSaved)]


class _Batches:
    """A linear model on given batches; remembers every learning rate and the batches of each epoch."""

    seed = 0
    monitored = VALIDATION_LOSS

    def __init__(self, num_batches: int, validation: list[float] | None = None) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(4, 1)
        self.batches_per_epoch = num_batches
        self.data = torch.randn(num_batches, 6, 4)
        self.validation = validation

    def training_batches(self, epoch: int, skip: int) -> Iterator[Any]:
        yield from self.data[skip:]

    def validation_batches(self, epoch: int) -> Iterator[Any]:
        yield epoch if self.validation else self.data[0]

    def compute_losses(self, batch: Any) -> dict[str, Tensor]:
        if isinstance(batch, int):
            assert self.validation is not None
            return {"loss": torch.tensor(self.validation[batch])}
        return {"loss": self.model(batch).square().mean(), "size": torch.tensor(float(len(batch)))}

    def compute_validation_scores(self) -> dict[str, float]:
        return {}

    def before_step(self) -> None:
        pass

    def describe(self) -> dict[str, Any]:
        return {"method": "linear"}

    def save_beside(self, folder: Path) -> None:
        (folder / "beside.txt").write_text("beside")


def _config(**training: Any) -> TrainingConfig:
    base = {"accumulate": 1, "max_epochs": 3, "precision": "fp32", "device": "cpu"}
    return TrainingConfig.model_validate(base | training)


@pytest.mark.vectors
def test_accumulation_equals_reference(vectors_folder: Path, make_place: PlaceFactory) -> None:
    cases = json.loads((vectors_folder / "20_lr_schedule.json").read_text()).values()
    (case,) = (case for case in cases if "optimizer_steps_epoch_batch_lr" in case)
    config = _config(
        accumulate=case["accumulate"], max_epochs=case["epochs"], optimiser={"learning_rate": case["base_lr"]}
    )
    values = train(_Batches(case["batches_per_epoch"]), config, make_place())
    steps = [value for value in values if isinstance(value, Metrics) and "train/loss" in value.values]
    expected = case["optimizer_steps_epoch_batch_lr"]
    rates = [step.values["train/learning_rate"] for step in steps]
    assert rates == pytest.approx([rate for _, _, rate in expected], rel=1e-9, abs=1e-15)
    assert [step.epoch for step in steps] == [
        epoch + (batch + 1) / case["batches_per_epoch"] for epoch, batch, _ in expected
    ]


def test_the_incomplete_last_group_is_divided_by_the_full_number(make_place: PlaceFactory) -> None:
    """Three batches, two to a step, plain gradient descent in the head: the second step uses loss / 2 alone."""
    trainable = _Batches(3)
    config = _config(accumulate=2, max_steps=2, max_epochs=1, schedule={"name": "constant"})
    values = list(train(trainable, config, make_place()))
    norms = [value.values["train/gradient_norm"] for value in values if "train/loss" in getattr(value, "values", {})]

    replay = _Batches(3)
    optimiser = torch.optim.AdamW(replay.model.parameters(), lr=1e-4, weight_decay=1e-6)
    expected = []
    for group in ((0, 1), (2,)):
        for index in group:
            (replay.model(replay.data[index]).square().mean() / 2).backward()
        gradients = [parameter.grad.flatten() for parameter in replay.model.parameters() if parameter.grad is not None]
        expected.append(float(torch.cat(gradients).norm()))
        optimiser.step()
        optimiser.zero_grad()
    assert norms == pytest.approx(expected, rel=1e-5)
    for got, reference in zip(trainable.model.parameters(), replay.model.parameters(), strict=True):
        assert torch.allclose(got, reference, rtol=1e-6, atol=0)


def test_values_come_in_order_with_steps_counted_from_one(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    values = list(selftest(build_experiment(), make_place()))
    kinds = [type(value).__name__ for value in values]
    assert kinds == ["Metrics", "Metrics", "Metrics", "CheckpointSaved"] * 3
    steps = [value for value in values if isinstance(value, Metrics) and "train/loss" in value.values]
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6]
    assert [step.epoch for step in steps] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert {step.total_steps for step in steps} == {6}
    assert steps[0].values.keys() == {
        "train/loss",
        "train/learning_rate",
        "train/gradient_norm",
        "time/step_seconds",
        "time/other_share",
        "time/data_share",
        "time/samples_per_second",
    }


def test_epoch_means_are_means_over_batches(make_place: PlaceFactory, build_experiment: ExperimentFactory) -> None:
    losses = _losses_by_step(selftest(build_experiment(selftest={"samples": 24}), make_place()))
    # 3 batches: two in the first step, one in the second
    assert losses[2, "train/epoch_loss"] == pytest.approx((2 * losses[1, "train/loss"] + losses[2, "train/loss"]) / 3)


def test_only_last_and_best_are_kept_and_states_go_at_the_end(make_place: PlaceFactory, tmp_path: Path) -> None:
    validation = [3.0, 1.0, 2.0, 2.5]
    names: list[list[str]] = []
    values = []
    for value in train(_Batches(2, validation), _config(max_epochs=4), make_place()):
        values.append(value)
        if isinstance(value, Metrics):
            names.append(sorted(path.name for path in (tmp_path / "checkpoints").glob("*")))
    assert [(item.name, item.is_best) for item in _saved(values)] == [
        ("2-a1", True),
        ("4-a1", True),
        ("6-a1", False),
        ("8-a1", False),
    ]
    assert names[-1] == ["4-a1", "4-a1.state", "6-a1", "6-a1.state"]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["4-a1", "8-a1"]
    assert (tmp_path / "checkpoints" / "4-a1" / "beside.txt").read_text() == "beside"


class _Scored(_Batches):
    """Judged by a score of the whole validation of which more is better; the loss says the opposite."""

    monitored = Monitored("score", "max")

    def compute_validation_scores(self) -> dict[str, float]:
        assert self.validation is not None
        self.epochs = getattr(self, "epochs", -1) + 1
        return {"score": self.validation[self.epochs]}


def test_of_a_score_the_largest_is_best_and_early_stopping_and_plateau_go_by_it(make_place: PlaceFactory) -> None:
    config = _config(max_epochs=6, early_stopping={"patience": 2}, schedule={"name": "plateau", "patience": 1})
    values = list(train(_Scored(2, [0.5, 0.7, 0.6, 0.7, 0.9, 1.0]), config, make_place()))
    assert [item.is_best for item in _saved(values)] == [True, True, False, False]
    scores = [value.values["val/score"] for value in values if "val/score" in getattr(value, "values", {})]
    assert scores == [0.5, 0.7, 0.6, 0.7]


def test_a_score_goes_on_being_judged_as_a_score_after_a_resume(make_place: PlaceFactory) -> None:
    stops = iter([None, None, None, None, "stopped"])
    first = list(train(_Scored(2, [0.5, 0.7]), _config(), make_place(stop=lambda: next(stops, "stopped"))))
    last = _saved(first)[-1].name
    rest = _Scored(2, [0.6, 0.6, 0.6])
    values = list(train(rest, _config(), make_place(attempt=2, last=last)))
    assert next(item.is_best for item in _saved(first))
    assert not any(item.is_best for item in _saved(values)[1:])


def test_where_the_last_weights_are_used_each_validated_checkpoint_is_best(make_place: PlaceFactory) -> None:
    trainable = _Batches(2, [1.0, 3.0, 2.0])
    trainable.monitored = Monitored(uses_last=True)
    assert [item.is_best for item in _saved(train(trainable, _config(), make_place()))] == [True, True, True]


def test_before_each_step_the_gradients_are_there_and_the_parameters_are_old(make_place: PlaceFactory) -> None:
    seen: list[tuple[bool, Tensor]] = []

    class _Watched(_Batches):
        def before_step(self) -> None:
            seen.append((self.model.weight.grad is not None, self.model.weight.detach().clone()))

    trainable = _Watched(3)
    start = trainable.model.weight.detach().clone()
    list(train(trainable, _config(accumulate=2, max_epochs=1), make_place()))
    assert len(seen) == 2
    assert all(there for there, _ in seen)
    assert torch.equal(seen[0][1], start)
    assert not torch.equal(seen[1][1], start)


def test_state_is_kept_on_request(make_place: PlaceFactory, tmp_path: Path) -> None:
    _saved(train(_Batches(2), _config(max_epochs=1, keep_state=True), make_place()))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["2-a1", "2-a1.state"]


def test_superseded_folders_stay_until_the_new_one_was_announced(make_place: PlaceFactory, tmp_path: Path) -> None:
    for value in train(_Batches(2), _config(), make_place()):
        if isinstance(value, CheckpointSaved) and value.step == 4:
            assert (tmp_path / "checkpoints" / "2-a1").is_dir()
            return
    raise AssertionError("no checkpoint after step 4")


def test_early_stopping_ends_the_training(make_place: PlaceFactory) -> None:
    validation = [1.0, 0.5, 0.5, 0.5, 0.1]
    config = _config(max_epochs=5, early_stopping={"patience": 2})
    values = list(train(_Batches(1, validation), config, make_place()))
    assert [value.values["val/loss"] for value in values if "val/loss" in getattr(value, "values", {})] == [
        1.0,
        0.5,
        0.5,
        0.5,
    ]


def test_plateau_halves_the_rate_after_patience_and_one_epochs(make_place: PlaceFactory) -> None:
    config = _config(
        max_epochs=5,
        schedule={"name": "plateau", "patience": 1},
        optimiser={"learning_rate": 0.25},
        early_stopping=None,
    )
    values = train(_Batches(1, [1.0] * 5), config, make_place())
    rates = [value.values["train/learning_rate"] for value in values if "train/loss" in getattr(value, "values", {})]
    assert rates == [0.25, 0.25, 0.25, 0.125, 0.125]


def test_max_steps_ends_inside_an_epoch_with_a_validation(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    values = list(selftest(build_experiment(max_steps=3), make_place()))
    metrics = [value for value in values if isinstance(value, Metrics)]
    assert [value.step for value in metrics if "val/loss" in value.values] == [2, 3]
    assert metrics[-1].epoch == 1.5
    assert {value.total_steps for value in metrics} == {3}
    assert _saved(values)[-1].name == "3-a1"


def test_validation_may_be_rarer_but_the_last_epoch_has_one(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    values = selftest(build_experiment(max_epochs=5, validate_every_epochs=2), make_place())
    assert [value.step for value in values if "val/loss" in getattr(value, "values", {})] == [4, 8, 10]


def test_checkpoints_by_steps(make_place: PlaceFactory, build_experiment: ExperimentFactory) -> None:
    values = selftest(build_experiment(max_epochs=1, accumulate=1, checkpoint_every_steps=1), make_place())
    assert [item.name for item in _saved(values)] == ["1-a1", "2-a1", "3-a1", "4-a1"]


def test_checkpoints_by_minutes(make_place: PlaceFactory, build_experiment: ExperimentFactory) -> None:
    values = selftest(build_experiment(max_epochs=1, accumulate=1, checkpoint_every_minutes=1e-9), make_place())
    assert [item.name for item in _saved(values)] == ["1-a1", "2-a1", "3-a1", "4-a1"]


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
    unbroken = _losses_by_step(selftest(experiment, make_place(attempt=9)))
    asked = iter([None, None, "stopped", "stopped"])
    first = list(selftest(experiment, make_place(stop=lambda: next(asked))))
    assert isinstance(first[-1], Ended)
    assert not any("val/loss" in getattr(value, "values", {}) for value in first)
    second = list(selftest(experiment, make_place(attempt=2, last="2-a1")))
    assert _losses_by_step(first) | _losses_by_step(second) == unbroken


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
    assert list(selftest(short, make_place(attempt=2, last=_saved(first)[-1].name)))[1:] == []
    values = list(selftest(long, make_place(attempt=3, last=_saved(first)[-1].name)))
    assert [value.step for value in values if "train/loss" in getattr(value, "values", {})] == [5, 6, 7, 8]


def test_a_damaged_last_is_announced_and_the_older_one_used(make_place: PlaceFactory, tmp_path: Path) -> None:
    validation = [1.0, 2.0, 3.0]
    stops = iter([None] * 3 + ["stopped"])
    first = list(train(_Batches(2, validation), _config(), make_place(stop=lambda: next(stops, "stopped"))))
    assert [item.name for item in _saved(first)] == ["2-a1", "3-a1"]
    (tmp_path / "checkpoints" / "3-a1" / "model.safetensors").write_bytes(b"broken")
    values = list(train(_Batches(2, validation), _config(), make_place(attempt=2, last="3-a1")))
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
    trainable = _Batches(1)
    trainable.model.weight.register_hook(lambda gradient: gradient * math.inf)
    before = trainable.model.weight.detach().clone()
    with pytest.raises(TrainingError, match="the gradient is not finite at step 1; the largest gradient is inf, of w"):
        list(train(trainable, _config(), make_place()))
    assert torch.equal(trainable.model.weight, before)


def test_a_validation_that_is_not_a_number_is_an_alarm(make_place: PlaceFactory) -> None:
    values = list(train(_Batches(1, [1.0, math.nan, 2.0]), _config(), make_place()))
    assert [value.message for value in values if isinstance(value, Alarm)] == [
        "val/loss is nan after step 2; it counts as no improvement"
    ]
    assert [item.is_best for item in _saved(values)] == [True, False, False]


def test_gradients_are_clipped(make_place: PlaceFactory) -> None:
    trainable = _Batches(1)
    config = _config(
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
    tensors = load_checkpoint(tmp_path / "checkpoints" / _saved(values)[-1].name).load_model()
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    exact = _losses_by_step(selftest(build_experiment(), make_place(attempt=2)))
    rounded = _losses_by_step(values)
    assert rounded[1, "train/loss"] != exact[1, "train/loss"]
    assert rounded[1, "train/loss"] == pytest.approx(exact[1, "train/loss"], rel=0.05)


def test_the_validation_sees_the_model_in_evaluation_mode_and_training_goes_back(make_place: PlaceFactory) -> None:
    trainable = _Batches(1)
    modes: list[tuple[bool, bool]] = []
    compute: Callable[[Any], dict[str, Tensor]] = trainable.compute_losses

    def watch(batch: Any) -> dict[str, Tensor]:
        modes.append((trainable.model.training, torch.is_grad_enabled()))
        return compute(batch)

    trainable.compute_losses = watch  # type: ignore[method-assign]
    list(train(trainable, _config(max_epochs=2), make_place()))
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
    losses = _losses_by_step(selftest(experiment, make_place()))
    validation = [loss for (_, name), loss in losses.items() if name == "val/loss"]
    assert validation[-1] < 0.2 * validation[0]
    assert all(math.isfinite(loss) for loss in validation)
    assert len(list(pairwise(validation))) == 39
