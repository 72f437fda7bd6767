"""From Optuna's values to keys of an experiment, and back."""

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.config.sweep import CategoricalParameter, FloatParameter, IntParameter, SharesParameter
from lovt_core.sweeps.space import all_distributions, list_grid, params_of, settings_of, suggest
from tests.core.runs.conftest import selftest

SPACE = {
    "training.optimiser.learning_rate": FloatParameter(type="float", low=1e-4, high=1.0, log=True),
    "training.optimiser.name": CategoricalParameter(type="categorical", choices=("adamw", "adam")),
    "training.optimiser.weight_decay": FloatParameter(
        type="float", low=0.0, high=0.1, when={"training.optimiser.name": "adamw"}
    ),
    "size": IntParameter(type="int", low=4, high=16, step=4, keys=("training.batch_size", "selftest.width")),
}
THREE = {"w": SharesParameter(type="shares", total=3.0, parts={"a": ("x.a",), "b": ("x.b1", "x.b2"), "c": ("x.c",)})}


def ask(space, **params):
    return suggest(optuna.trial.FixedTrial(params), space)


def test_conditions_decide_what_is_asked():
    fixed = {"training.optimiser.learning_rate": 0.01, "size": 8, "training.optimiser.weight_decay": 0.05}
    assert "training.optimiser.weight_decay" in ask(SPACE, **fixed, **{"training.optimiser.name": "adamw"})
    params = ask(SPACE, **fixed, **{"training.optimiser.name": "adam"})
    assert "training.optimiser.weight_decay" not in params
    assert settings_of(SPACE, params) == {
        "training.optimiser.learning_rate": 0.01,
        "training.optimiser.name": "adam",
        "training.batch_size": 8,
        "selftest.width": 8,
    }


def test_the_base_is_found_in_the_space():
    base = selftest()
    params, problems = params_of(SPACE, base)
    assert problems == []
    assert params["size"] == 8
    assert params["training.optimiser.name"] == "adamw"
    wide = base.model_copy(update={"selftest": base.selftest.model_copy(update={"width": 9})})
    assert params_of(SPACE, wide)[1] == ["size: its keys have different values (8, 9)"]
    steep = base.model_copy(
        update={
            "training": base.training.model_copy(
                update={"optimiser": base.training.optimiser.model_copy(update={"learning_rate": 2.0})}
            )
        }
    )
    assert params_of(SPACE, steep)[1] == ["training.optimiser.learning_rate: 2 lies outside 0.0001 to 1"]


def test_a_base_between_the_steps_is_not_in_the_space():
    base = selftest()
    odd = base.model_copy(update={"training": base.training.model_copy(update={"batch_size": 10})})
    space = {"training.batch_size": IntParameter(type="int", low=4, high=16, step=4)}
    assert params_of(space, odd)[1] == ["training.batch_size: 10 lies between the steps of 4 from 4"]
    tenths = {"training.optimiser.learning_rate": FloatParameter(type="float", low=0.0, high=1.0, step=0.0001)}
    assert params_of(tenths, base)[1] == []


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_shares_add_up_whatever_the_fractions(first, second):
    divided = settings_of(THREE, {"w.a": first, "w.b": second})
    assert sum(divided.values()) == pytest.approx(3.0)
    assert all(value >= 0 for value in divided.values())
    assert divided["x.b1"] == divided["x.b2"]


def test_every_division_is_as_likely_as_any_other():
    """Uniform fractions: each part is above half of the total in a quarter of the cases, as on a uniform simplex."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    pieces = []
    for _ in range(2000):
        divided = settings_of(THREE, suggest(study.ask(), THREE))
        pieces.append((divided["x.a"], 2 * divided["x.b1"], divided["x.c"]))
    for part in range(3):
        assert sum(piece[part] for piece in pieces) / 2000 == pytest.approx(1.0, abs=0.05)
        assert sum(piece[part] > 1.5 for piece in pieces) / 2000 == pytest.approx(0.25, abs=0.04)


def test_shares_and_back(monkeypatch):
    class Document:
        def __init__(self, **values):
            self.values = values

        def model_dump(self, **_):
            return {"x": self.values}

    params, problems = params_of(THREE, Document(a=0.6, b1=0.7, b2=0.7, c=1.0))
    assert problems == []
    assert settings_of(THREE, params) == pytest.approx({"x.a": 0.6, "x.b1": 0.7, "x.b2": 0.7, "x.c": 1.0})
    assert params_of(THREE, Document(a=3.0, b1=0.0, b2=0.0, c=0.0))[0] == {"w.a": 1.0, "w.b": 1.0}
    assert "add up to 2.9" in params_of(THREE, Document(a=0.5, b1=0.7, b2=0.7, c=1.0))[1][0]
    assert "different values (0.7, 0.8)" in params_of(THREE, Document(a=0.5, b1=0.7, b2=0.8, c=1.0))[1][0]
    assert params_of(THREE, Document(a=0.5))[1] == ["w: not all of its keys have a number"]


def test_names_that_optuna_knows():
    assert sorted(all_distributions({**SPACE, **THREE})) == sorted([*SPACE, "w.a", "w.b"])
    assert list_grid({"size": SPACE["size"]}) == {"size": [4, 8, 12, 16]}
