"""How much of the difference between trials each parameter explains."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, assert_never

from lovt_core.config.sweep import SweepConfig
from lovt_core.errors import InputError
from lovt_core.sweeps.trials import Trial
from lovt_core.sweeps.views import check_objective

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import FloatDistribution
    from optuna.importance import BaseImportanceEvaluator

Method = Literal["fanova", "ped-anova"]
MIN_TRIALS = 4
"""Finished trials below which nothing is said."""
FEW_TRIALS = 30
"""Finished trials below which importance is a hint at best."""
TREE_DEPTH = 8
"""Of the random forest: with Optuna's own 64, 2,000 trials take most of a minute instead of seconds."""


@dataclass(frozen=True)
class Importance:
    """A parameter, by the name under which Optuna knows it, and its share of the whole."""

    name: str
    value: float
    """Between 0 and 1; those of all parameters add up to 1."""


def compute_importance(
    trials: Sequence[Trial], config: SweepConfig, objective: int = 0, method: Method = "ped-anova"
) -> tuple[Importance, ...]:
    """Parameters with their importance for an objective, the greatest first.

    `fanova` (Hutter et al., ICML 2014): share of the variance over the whole space, as it is searched, that a random
    forest gives to a parameter alone; parameters with `when` are left out. `ped-anova` (Watanabe et al., IJCAI 2023):
    what distinguishes the best tenth of the trials. Pruned and failed trials do not count.

    Raises InputError when fewer than `MIN_TRIALS` finished, their values are all equal, the objective does not exist,
    or fANOVA's package is missing.
    """
    check_objective(config, objective)
    params = _list_unconditional(config) if method == "fanova" else None
    if params == []:
        raise InputError(f"every parameter of {config.name} has a condition: use the method ped-anova")
    scored = [trial for trial in trials if _counts(trial, objective, params or ())]
    if len(scored) < MIN_TRIALS:
        raise InputError(
            f"sweep {config.name} has {len(scored)} finished trials: importance needs {MIN_TRIALS} at least, "
            f"and says little below {FEW_TRIALS}"
        )
    if len({trial.values[objective] for trial in scored}) == 1:
        raise InputError(
            f"all finished trials of {config.name} have the same {config.objective[objective].name}: "
            "no parameter is more important than another"
        )
    study = _make_study(scored, config, objective, takes_logarithms=method == "fanova")
    found = _evaluate(study, method, params)
    return tuple(sorted((Importance(*each) for each in found.items()), key=lambda each: (-each.value, each.name)))


def _counts(trial: Trial, objective: int, params: Sequence[str]) -> bool:
    """A trial that was taken in from a finished run may lack parameters."""
    if trial.state != "finished" or not trial.params or not math.isfinite(trial.values[objective]):
        return False
    return all(name in trial.params for name in params)


def _evaluate(study: "Study", method: Method, params: list[str] | None) -> dict[str, float]:
    from optuna.importance import get_param_importances

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_param_importances(study, evaluator=_make_evaluator(method), params=params)
    return {name: float(value) for name, value in found.items()}


def _make_evaluator(method: Method) -> "BaseImportanceEvaluator":
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    match method:
        case "fanova":
            try:
                return FanovaImportanceEvaluator(max_depth=TREE_DEPTH, seed=0)
            except ImportError as error:
                raise InputError(
                    "fANOVA needs scikit-learn, which is not installed: pip install 'lovt-tui[sweep]', "
                    "or use the method ped-anova"
                ) from error
        case "ped-anova":
            return PedAnovaImportanceEvaluator()
    assert_never(method)


def _make_study(trials: Sequence[Trial], config: SweepConfig, objective: int, *, takes_logarithms: bool) -> "Study":
    """A study in memory, of one objective; with logarithms in place of parameters that are searched by them."""
    import optuna
    from optuna.distributions import json_to_distribution

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    decoded = {text: json_to_distribution(text) for trial in trials for text in set(trial.distributions.values())}
    study = optuna.create_study(direction="minimize" if config.objective[objective].is_minimized else "maximize")
    for trial in trials:
        params: dict[str, Any] = dict(trial.params)
        distributions = {name: decoded[trial.distributions[name]] for name in params}
        if takes_logarithms:
            for name in [name for name, each in distributions.items() if getattr(each, "log", False)]:
                params[name], distributions[name] = _to_logarithm(params[name], distributions[name])
        frozen = optuna.trial.create_trial(params=params, distributions=distributions, value=trial.values[objective])
        study.add_trial(frozen)
    return study


def _to_logarithm(value: float, distribution: Any) -> tuple[float, "FloatDistribution"]:
    """Optuna's fANOVA weighs all values alike: of 1e-5 to 1e-1, nine tenths would lie above 1e-2."""
    from optuna.distributions import FloatDistribution

    low, high = math.log(distribution.low), math.log(distribution.high)
    return min(max(math.log(value), low), high), FloatDistribution(low, high)


def _list_unconditional(config: SweepConfig) -> list[str]:
    from lovt_core.sweeps.space import all_distributions

    return list(all_distributions({name: each for name, each in config.space.items() if not each.when}))
