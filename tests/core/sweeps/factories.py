"""Trials without runs: any one, and those of a sweep over every type of parameter."""

import math
import random
from collections.abc import Mapping
from typing import Any

from optuna.distributions import distribution_to_json

from lovt_core.config.sweep import SweepConfig
from lovt_core.sweeps.space import all_distributions, distributions, settings_of
from lovt_core.sweeps.trials import Trial, TrialRun

SPACE: dict[str, Any] = {
    "training.optimiser.learning_rate": {"type": "float", "low": 1e-5, "high": 1e-1, "log": True},
    "method.temperature": {"type": "float", "low": 0.05, "high": 0.5},
    "training.batch_size": {"type": "int", "low": 8, "high": 64, "step": 8},
    "training.optimiser.name": {"type": "categorical", "choices": ["adam", "sgd", "adamw"]},
    "weights": {
        "type": "shares",
        "total": 4.0,
        "parts": {"global": ["method.w_global"], "image": ["method.w_i1", "method.w_i2"], "report": ["method.w_r"]},
    },
}
LEARNING_RATE = "training.optimiser.learning_rate"


def make_config(**changes: Any) -> SweepConfig:
    """A sweep with one loss to minimise and a median pruner."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "experiment": "tiny.yaml",
        "space": SPACE,
        "objective": {"metric": "val/loss"},
        "pruner": {"name": "median"},
    }
    return SweepConfig.model_validate(fields | changes)


def make_trial(number: int, config: SweepConfig, params: Mapping[str, Any], **changes: Any) -> Trial:
    """Finished at 1.0 a minute after it began, with one run, unless `changes` say otherwise."""
    known = all_distributions(config.space)
    present = {name: each for name, each in config.space.items() if distributions(name, each).keys() <= params.keys()}
    fields: dict[str, Any] = {
        "number": number,
        "state": "finished",
        "params": dict(params),
        "distributions": {name: distribution_to_json(known[name]) for name in params},
        "settings": settings_of(present, params),
        "runs": (TrialRun(f"20260101-000000-tiny-t{number}-abcd", "training", 0),),
        "values": (1.0,) * len(config.objective),
        "started": 1_767_225_600.0 + 60 * number,
        "ended": 1_767_225_660.0 + 60 * number,
    }
    fields |= changes
    if fields["state"] != "finished":
        fields["values"] = ()
    return Trial(**fields)


def sample(random_numbers: random.Random) -> dict[str, Any]:
    """Values of every parameter of `SPACE`."""
    return {
        LEARNING_RATE: 10 ** random_numbers.uniform(-5, -1),
        "method.temperature": random_numbers.uniform(0.05, 0.5),
        "training.batch_size": 8 * random_numbers.randint(1, 8),
        "training.optimiser.name": random_numbers.choice(["adam", "sgd", "adamw"]),
        "weights.global": random_numbers.random(),
        "weights.image": random_numbers.random(),
    }


def make_sweep(num_trials: int = 30, seed: int = 3) -> tuple[SweepConfig, tuple[Trial, ...]]:
    """Trials whose loss is the distance of the learning rate from 1e-3 in orders of magnitude; 1e-3 is trial 4.

    Of each ten the third is pruned after two epochs and the seventh fails; the last is at work.
    """
    config, numbers, trials = make_config(), random.Random(seed), []
    for number in range(num_trials):
        params = sample(numbers)
        if number == 4:
            params[LEARNING_RATE] = 1e-3
        loss = abs(math.log10(params[LEARNING_RATE]) + 3)
        told = {epoch: loss + 2.0 / epoch for epoch in range(1, 6)}
        changes: dict[str, Any] = {"values": (loss,), "intermediate": told}
        if number % 10 == 3:
            changes = {"state": "pruned", "intermediate": {1: told[1], 2: told[2]}, "cause": "pruned by median"}
        elif number % 10 == 7:
            changes = {"state": "failed", "cause": "CUDA out of memory"}
        elif number == num_trials - 1:
            changes = {"state": "running", "ended": None, "intermediate": {1: told[1]}}
        trials.append(make_trial(number, config, params, **changes))
    return config, tuple(trials)


def make_pair(points: list[tuple[float, float]]) -> tuple[SweepConfig, tuple[Trial, ...]]:
    """Finished trials of a sweep that minimises `val/loss` and maximises `val/score`."""
    config = make_config(
        objective=[{"metric": "val/loss"}, {"metric": "val/score", "direction": "maximize"}],
        pruner={"name": "none"},
    )
    numbers = random.Random(1)
    return config, tuple(
        make_trial(number, config, sample(numbers), values=values) for number, values in enumerate(points)
    )
