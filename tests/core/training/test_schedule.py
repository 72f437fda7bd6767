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

SCHEDULE_OF_CASE = {
    "cosine_annealing_per_epoch_3x10": "cosine-swinging",
    "cosine_annealing_per_epoch_other": "cosine-swinging",
    "plateau_min_downstream": "plateau",
    "plateau_max_classification": "plateau",
    "plateau_min_convirt": "plateau",
    "early_stopping_max_patience10": "early stopping",
    "early_stopping_max_patience20": "early stopping",
    "early_stopping_min_patience10": "early stopping",
    "lightning_accumulation": "accumulation, test_loop.py",
    "for_contrast_warm_restarts_3x10_NOT_used": "no published training uses it",
    "byol_simclr_warmup1": "belongs to the image-only methods, no schedule yet",
    "pixelpro_warmup0": "belongs to the image-only methods, no schedule yet",
}


@pytest.fixture(scope="module")
def cases(vectors_folder: Path) -> dict[str, Any]:
    return json.loads((vectors_folder / "20_lr_schedule.json").read_text())


def _names(prefix: str) -> list[str]:
    return [name for name, schedule in SCHEDULE_OF_CASE.items() if schedule == prefix]


@pytest.mark.vectors
def test_every_case_is_accounted_for(cases: dict[str, Any]) -> None:
    assert set(cases) == set(SCHEDULE_OF_CASE)


@pytest.mark.vectors
@pytest.mark.parametrize("name", _names("cosine-swinging"))
def test_swinging_cosine_equals_reference(cases: dict[str, Any], name: str) -> None:
    case = cases[name]
    horizon = Horizon(case["steps_per_epoch"], case["steps_per_epoch"] * case["epochs"])
    config = ScheduleConfig(name="cosine-swinging")
    for reference in ("lr_used_by_step", "closed_form"):
        rates = [compute_learning_rate(config, case["base_lr"], step, horizon) for step in range(len(case[reference]))]
        assert rates == pytest.approx(case[reference], rel=1e-9, abs=1e-15)


@pytest.mark.vectors
@pytest.mark.parametrize("name", _names("plateau"))
def test_plateau_equals_reference(cases: dict[str, Any], name: str) -> None:
    case = cases[name]
    plateau = Plateau(case["base_lr"], case["factor"], case["patience"], case["mode"])
    rates = []
    for value in case["metric_by_epoch"]:
        rates.append(plateau.learning_rate)
        plateau = plateau.after(value)
    assert rates == pytest.approx(case["lr_used_by_epoch"][: len(rates)], rel=1e-12)


@pytest.mark.vectors
def test_config_of_convirt_builds_the_reference_plateau(cases: dict[str, Any]) -> None:
    case = cases["plateau_min_convirt"]
    config = TrainingConfig.model_validate({"schedule": {"name": "plateau"}, "optimiser": {"name": "adam"}})
    plateau = initial_state(config).plateau
    assert plateau == Plateau(case["base_lr"], case["factor"], case["patience"], case["mode"])


@pytest.mark.vectors
@pytest.mark.parametrize("name", _names("early stopping"))
def test_early_stopping_equals_reference(cases: dict[str, Any], name: str) -> None:
    case = cases[name]
    rule = EarlyStopping(case["patience"], case["min_delta"], case["mode"])
    seen = []
    for value in case["metric_by_epoch"]:
        rule = rule.after(value)
        seen.append([rule.waited, rule.is_over])
        if rule.is_over:
            break
    assert seen == case["wait_count_and_stop_by_epoch"]
    assert len(seen) - 1 == case["last_epoch_trained"]


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
