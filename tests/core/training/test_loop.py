"""The loop on the self-test's model: order of values, accumulation, schedules, checkpoints."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lovt_core.selftest import selftest
from lovt_core.training.loop import train
from lovt_core.training.monitored import Monitored
from lovt_core.values import CheckpointSaved, Metrics
from tests.core.training.looped import (
    ExperimentFactory,
    LinearBatches,
    PlaceFactory,
    find_saved,
    losses_by_step,
    make_config,
)


@pytest.mark.vectors
def test_accumulation_equals_reference(vectors_folder: Path, make_place: PlaceFactory) -> None:
    cases = json.loads((vectors_folder / "20_lr_schedule.json").read_text()).values()
    (case,) = (case for case in cases if "optimizer_steps_epoch_batch_lr" in case)
    config = make_config(
        accumulate=case["accumulate"], max_epochs=case["epochs"], optimiser={"learning_rate": case["base_lr"]}
    )
    values = train(LinearBatches(case["batches_per_epoch"]), config, make_place())
    steps = [value for value in values if isinstance(value, Metrics) and "train/loss" in value.values]
    expected = case["optimizer_steps_epoch_batch_lr"]
    rates = [step.values["train/learning_rate"] for step in steps]
    assert rates == pytest.approx([rate for _, _, rate in expected], rel=1e-9, abs=1e-15)
    assert [step.epoch for step in steps] == [
        epoch + (batch + 1) / case["batches_per_epoch"] for epoch, batch, _ in expected
    ]


def test_the_incomplete_last_group_is_divided_by_the_full_number(make_place: PlaceFactory) -> None:
    """Three batches, two to a step, plain gradient descent in the head: the second step uses loss / 2 alone."""
    trainable = LinearBatches(3)
    config = make_config(accumulate=2, max_steps=2, max_epochs=1, schedule={"name": "constant"})
    values = list(train(trainable, config, make_place()))
    norms = [value.values["train/gradient_norm"] for value in values if "train/loss" in getattr(value, "values", {})]

    replay = LinearBatches(3)
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
    losses = losses_by_step(selftest(build_experiment(selftest={"samples": 24}), make_place()))
    # 3 batches: two in the first step, one in the second
    assert losses[2, "train/epoch_loss"] == pytest.approx((2 * losses[1, "train/loss"] + losses[2, "train/loss"]) / 3)


def test_only_last_and_best_are_kept_and_states_go_at_the_end(make_place: PlaceFactory, tmp_path: Path) -> None:
    validation = [3.0, 1.0, 2.0, 2.5]
    names: list[list[str]] = []
    values = []
    for value in train(LinearBatches(2, validation), make_config(max_epochs=4), make_place()):
        values.append(value)
        if isinstance(value, Metrics):
            names.append(sorted(path.name for path in (tmp_path / "checkpoints").glob("*")))
    assert [(item.name, item.is_best) for item in find_saved(values)] == [
        ("2-a1", True),
        ("4-a1", True),
        ("6-a1", False),
        ("8-a1", False),
    ]
    assert names[-1] == ["4-a1", "4-a1.state", "6-a1", "6-a1.state"]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["4-a1", "8-a1"]
    assert (tmp_path / "checkpoints" / "4-a1" / "beside.txt").read_text() == "beside"


class _Scored(LinearBatches):
    """Judged by a score of the whole validation of which more is better; the loss says the opposite."""

    monitored = Monitored("score", "max")

    def compute_validation_scores(self) -> dict[str, float]:
        assert self.validation is not None
        self.epochs = getattr(self, "epochs", -1) + 1
        return {"score": self.validation[self.epochs]}


def test_of_a_score_the_largest_is_best_and_early_stopping_and_plateau_go_by_it(make_place: PlaceFactory) -> None:
    config = make_config(max_epochs=6, early_stopping={"patience": 2}, schedule={"name": "plateau", "patience": 1})
    values = list(train(_Scored(2, [0.5, 0.7, 0.6, 0.7, 0.9, 1.0]), config, make_place()))
    assert [item.is_best for item in find_saved(values)] == [True, True, False, False]
    scores = [value.values["val/score"] for value in values if "val/score" in getattr(value, "values", {})]
    assert scores == [0.5, 0.7, 0.6, 0.7]


def test_a_score_goes_on_being_judged_as_a_score_after_a_resume(make_place: PlaceFactory) -> None:
    stops = iter([None, None, None, None, "stopped"])
    first = list(train(_Scored(2, [0.5, 0.7]), make_config(), make_place(stop=lambda: next(stops, "stopped"))))
    last = find_saved(first)[-1].name
    rest = _Scored(2, [0.6, 0.6, 0.6])
    values = list(train(rest, make_config(), make_place(attempt=2, last=last)))
    assert next(item.is_best for item in find_saved(first))
    assert not any(item.is_best for item in find_saved(values)[1:])


def test_where_the_last_weights_are_used_each_validated_checkpoint_is_best(make_place: PlaceFactory) -> None:
    trainable = LinearBatches(2, [1.0, 3.0, 2.0])
    trainable.monitored = Monitored(uses_last=True)
    assert [item.is_best for item in find_saved(train(trainable, make_config(), make_place()))] == [True, True, True]


def test_before_each_step_the_gradients_are_there_and_the_parameters_are_old(make_place: PlaceFactory) -> None:
    seen: list[tuple[bool, Tensor]] = []

    class _Watched(LinearBatches):
        def before_step(self) -> None:
            seen.append((self.model.weight.grad is not None, self.model.weight.detach().clone()))

    trainable = _Watched(3)
    start = trainable.model.weight.detach().clone()
    list(train(trainable, make_config(accumulate=2, max_epochs=1), make_place()))
    assert len(seen) == 2
    assert all(there for there, _ in seen)
    assert torch.equal(seen[0][1], start)
    assert not torch.equal(seen[1][1], start)


def test_state_is_kept_on_request(make_place: PlaceFactory, tmp_path: Path) -> None:
    find_saved(train(LinearBatches(2), make_config(max_epochs=1, keep_state=True), make_place()))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["2-a1", "2-a1.state"]


def test_superseded_folders_stay_until_the_new_one_was_announced(make_place: PlaceFactory, tmp_path: Path) -> None:
    for value in train(LinearBatches(2), make_config(), make_place()):
        if isinstance(value, CheckpointSaved) and value.step == 4:
            assert (tmp_path / "checkpoints" / "2-a1").is_dir()
            return
    raise AssertionError("no checkpoint after step 4")


def test_early_stopping_ends_the_training(make_place: PlaceFactory) -> None:
    validation = [1.0, 0.5, 0.5, 0.5, 0.1]
    config = make_config(max_epochs=5, early_stopping={"patience": 2})
    values = list(train(LinearBatches(1, validation), config, make_place()))
    assert [value.values["val/loss"] for value in values if "val/loss" in getattr(value, "values", {})] == [
        1.0,
        0.5,
        0.5,
        0.5,
    ]


def test_plateau_halves_the_rate_after_patience_and_one_epochs(make_place: PlaceFactory) -> None:
    config = make_config(
        max_epochs=5,
        schedule={"name": "plateau", "patience": 1},
        optimiser={"learning_rate": 0.25},
        early_stopping=None,
    )
    values = train(LinearBatches(1, [1.0] * 5), config, make_place())
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
    assert find_saved(values)[-1].name == "3-a1"


def test_validation_may_be_rarer_but_the_last_epoch_has_one(
    make_place: PlaceFactory, build_experiment: ExperimentFactory
) -> None:
    values = selftest(build_experiment(max_epochs=5, validate_every_epochs=2), make_place())
    assert [value.step for value in values if "val/loss" in getattr(value, "values", {})] == [4, 8, 10]


def test_checkpoints_by_steps(make_place: PlaceFactory, build_experiment: ExperimentFactory) -> None:
    values = selftest(build_experiment(max_epochs=1, accumulate=1, checkpoint_every_steps=1), make_place())
    assert [item.name for item in find_saved(values)] == ["1-a1", "2-a1", "3-a1", "4-a1"]


def test_checkpoints_by_minutes(make_place: PlaceFactory, build_experiment: ExperimentFactory) -> None:
    values = selftest(build_experiment(max_epochs=1, accumulate=1, checkpoint_every_minutes=1e-9), make_place())
    assert [item.name for item in find_saved(values)] == ["1-a1", "2-a1", "3-a1", "4-a1"]
