"""Learning rates, plateau and early stopping against vectors section 20."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lovt_core.config.training import ScheduleConfig, TrainingConfig
from lovt_core.training.early_stopping import EarlyStopping
from lovt_core.training.loop_state import initial_state
from lovt_core.training.schedule import Horizon, Plateau, compute_learning_rate

KEY_OF_KIND = {
    "swinging cosine": "closed_form",
    "plateau": "factor",
    "early stopping": "wait_count_and_stop_by_epoch",
    "accumulation, test_loop.py": "optimizer_steps_epoch_batch_lr",
    "of the image-only methods, no schedule yet": "warmup_epochs",
}
"""What tells the kinds of cases in the file apart; warm restarts, which no published training uses, have none."""


@pytest.fixture(scope="module")
def cases(vectors_folder: Path) -> dict[str, Any]:
    return json.loads((vectors_folder / "20_lr_schedule.json").read_text())


def _of_kind(cases: dict[str, Any], kind: str) -> dict[str, Any]:
    found = {name: case for name, case in cases.items() if KEY_OF_KIND[kind] in case}
    assert found, f"the file has no case of {kind}"
    return found


@pytest.mark.vectors
def test_every_case_is_accounted_for(cases: dict[str, Any]) -> None:
    unknown = [name for name, case in cases.items() if not any(key in case for key in KEY_OF_KIND.values())]
    assert all(cases[name].keys() == {"base_lr", "lr_used_by_step"} for name in unknown), unknown


@pytest.mark.vectors
def test_swinging_cosine_equals_reference(cases: dict[str, Any]) -> None:
    for name, case in _of_kind(cases, "swinging cosine").items():
        horizon = Horizon(case["steps_per_epoch"], case["steps_per_epoch"] * case["epochs"])
        config = TrainingConfig().schedule
        for key in ("lr_used_by_step", "closed_form"):
            rates = [compute_learning_rate(config, case["base_lr"], step, horizon) for step in range(len(case[key]))]
            assert rates == pytest.approx(case[key], rel=1e-9, abs=1e-15), name


@pytest.mark.vectors
def test_plateau_equals_reference(cases: dict[str, Any]) -> None:
    for name, case in _of_kind(cases, "plateau").items():
        plateau = _build_plateau(case)
        rates = []
        for value in case["metric_by_epoch"]:
            rates.append(plateau.learning_rate)
            plateau = plateau.after(value)
        assert rates == pytest.approx(case["lr_used_by_epoch"][: len(rates)], rel=1e-12), name


def _build_plateau(case: dict[str, Any]) -> Plateau:
    """As a pre-training builds it from its config; a rule that waits for a rise belongs to evaluations."""
    if case["mode"] == "max":
        return Plateau(case["base_lr"], case["factor"], case["patience"], "max")
    schedule = {"name": "plateau", "factor": case["factor"], "patience": case["patience"]}
    settings = {"schedule": schedule, "optimiser": {"learning_rate": case["base_lr"]}}
    return initial_state(TrainingConfig.model_validate(settings)).plateau


@pytest.mark.vectors
def test_early_stopping_equals_reference(cases: dict[str, Any]) -> None:
    for name, case in _of_kind(cases, "early stopping").items():
        rule = EarlyStopping(case["patience"], case["min_delta"], case["mode"])
        seen = []
        for value in case["metric_by_epoch"]:
            rule = rule.after(value)
            seen.append([rule.waited, rule.is_over])
            if rule.is_over:
                break
        assert seen == case["wait_count_and_stop_by_epoch"], name
        assert len(seen) - 1 == case["last_epoch_trained"], name


def test_plateau_and_early_stopping_of_the_paper_are_the_defaults() -> None:
    state = initial_state(TrainingConfig())
    assert state.plateau == Plateau(1e-4, factor=0.5, patience=12, mode="min")
    assert state.early_stopping == EarlyStopping(patience=10, min_delta=1e-5, mode="min")


def test_cosine_rises_through_the_warm_up_and_falls_once() -> None:
    config, horizon = ScheduleConfig(name="cosine", warmup_steps=4), Horizon(5, 20)
    rates = [compute_learning_rate(config, 1.0, step, horizon) for step in range(21)]
    assert rates[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert all(later < earlier for earlier, later in pairwise(rates[4:]))
    assert rates[20] == pytest.approx(0.0, abs=1e-12)


def test_constant_stays_at_the_base_after_the_warm_up() -> None:
    horizon = Horizon(5, 20)
    config = ScheduleConfig(name="constant", warmup_steps=2)
    assert [compute_learning_rate(config, 2.0, step, horizon) for step in range(4)] == [1.0, 2.0, 2.0, 2.0]
    assert compute_learning_rate(ScheduleConfig(name="constant"), 2.0, 0, horizon) == 2.0


def test_values_that_are_not_numbers_are_no_improvement() -> None:
    assert EarlyStopping(1).after(math.nan).is_over
    assert Plateau(1.0, 0.5, 1, best=2.0).after(math.nan).waited == 1
