"""Importance: the parameter that matters comes first, and what cannot be said is refused."""

import subprocess
import sys

import pytest

from lovt_core.errors import InputError
from lovt_core.sweeps.importance import MIN_TRIALS, compute_importance
from tests.core.sweeps.factories import LEARNING_RATE, make_config, make_pair, make_sweep, make_trial

METHODS = ("fanova", "ped-anova")
CONDITIONAL = {
    "x": {"type": "float", "low": 0.0, "high": 1.0},
    "kind": {"type": "categorical", "choices": ["a", "b"]},
    "y": {"type": "float", "low": 0.0, "high": 1.0, "when": {"kind": "a"}},
}


@pytest.mark.parametrize("method", METHODS)
def test_the_only_parameter_that_matters_is_first(method):
    config, trials = make_sweep(100)
    found = compute_importance(trials, config, method=method)
    assert found[0].name == LEARNING_RATE
    assert found[0].value > 0.7
    assert [each.value for each in found] == sorted((each.value for each in found), reverse=True)
    assert sum(each.value for each in found) == pytest.approx(1)


@pytest.mark.parametrize("method", METHODS)
def test_shares_have_the_names_that_optuna_knows(method):
    config, trials = make_sweep()
    names = {each.name for each in compute_importance(trials, config, method=method)}
    assert names == set(trials[0].params)
    assert {"weights.global", "weights.image"} < names


def test_the_same_each_time_and_without_regard_to_pruned_and_failed_trials():
    config, trials = make_sweep()
    finished = tuple(trial for trial in trials if trial.state == "finished")
    found = compute_importance(trials, config, method="fanova")
    assert found == compute_importance(finished, config, method="fanova")


def test_each_objective_has_its_own():
    config, trials = make_pair([(0.0, 0.0)] * 60)
    trials = tuple(
        make_trial(
            trial.number, config, trial.params, values=(trial.params["weights.global"], trial.params["weights.image"])
        )
        for trial in trials
    )
    assert compute_importance(trials, config, 0, "fanova")[0].name == "weights.global"
    assert compute_importance(trials, config, 1, "fanova")[0].name == "weights.image"


def test_a_higher_value_is_better_when_maximised():
    config = make_config(
        space={"x": {"type": "float", "low": 0.0, "high": 1.0}, "y": {"type": "float", "low": 0.0, "high": 1.0}},
        objective={"metric": "score", "direction": "maximize"},
        pruner={"name": "none"},
    )
    # x alone matters, and only above 0.9, which holds for the best tenth.
    trials = [
        make_trial(n, config, {"x": n / 100, "y": n * 37 % 100 / 100}, values=(max(0.9, n / 100),)) for n in range(100)
    ]
    assert compute_importance(trials, config)[0].name == "x"


def test_parameters_with_conditions():
    config = make_config(space=CONDITIONAL)
    trials = []
    for number in range(40):
        params = {"x": number / 40, "kind": "ab"[number % 2]}
        if params["kind"] == "a":
            params["y"] = number * 7 % 40 / 40
        trials.append(make_trial(number, config, params, values=(params["x"],)))
    assert {each.name for each in compute_importance(trials, config, method="fanova")} == {"x", "kind"}
    assert {each.name for each in compute_importance(trials, config, method="ped-anova")} == {"x", "kind", "y"}


def test_a_trial_without_all_parameters_does_not_hide_the_others():
    config, trials = make_sweep()
    taken_in = make_trial(30, config, {LEARNING_RATE: 1e-3}, values=(0.5,), origin="run-1")
    found = compute_importance((*trials, taken_in), config, method="fanova")
    assert {each.name for each in found} == set(trials[0].params)


@pytest.mark.parametrize("method", METHODS)
def test_refusals(method):
    config, trials = make_sweep()
    finished = [trial for trial in trials if trial.state == "finished"]
    with pytest.raises(InputError, match="has 3 finished trials: importance needs 4"):
        compute_importance(finished[: MIN_TRIALS - 1], config, method=method)
    with pytest.raises(InputError, match="all finished trials of tiny have the same val/loss"):
        compute_importance([make_trial(n, config, finished[n].params) for n in range(8)], config, method=method)
    with pytest.raises(InputError, match=r"no objective number 2: it has 1 \(val/loss\)"):
        compute_importance(trials, config, 1, method)


def test_without_scikit_learn_the_message_says_what_to_do():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from tests.core.sweeps.factories import make_sweep\n"
        "from lovt_core.sweeps.importance import compute_importance\n"
        "from lovt_core.errors import InputError\n"
        "config, trials = make_sweep()\n"
        "assert compute_importance(trials, config, method='ped-anova')\n"
        "try: compute_importance(trials, config, method='fanova')\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'lovt-tui[sweep]'" in done.stdout
