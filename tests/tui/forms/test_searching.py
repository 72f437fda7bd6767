"""Sweeps in the form: ranges in one line, keys of the base that are searched over, checks at their rows."""

import pytest

from lovt_core.errors import InputError
from lovt_tui.forms.drafts import Draft
from lovt_tui.forms.edits import apply_overrides, set_text, take_out
from lovt_tui.forms.fields import Field
from lovt_tui.forms.paths import MISSING
from lovt_tui.forms.ranges import check_parameter, describe_parameter, parse_parameter, suggest_range
from lovt_tui.forms.starts import read_start
from lovt_tui.forms.views import build_view


def row_of(view, key, part="experiment"):
    return next(row for row in view.rows if row.key == key and row.field.path[0] == part)


def test_overrides_of_a_sweep_reach_the_sweep_and_its_base():
    draft = apply_overrides(Draft(read_start("sweeps/tiny.yaml")), "trials=3 training.batch_size=16")
    view = build_view(draft)
    assert view.problems == ()
    assert view.asked.config.trials == 3
    assert view.asked.base.training.batch_size == 16
    assert view.asked.config.set["training.max_epochs"] == 6
    row = row_of(view, "training.batch_size", "base")
    assert row.is_changed
    assert build_view(draft.put_back(row.field.path)).asked.base.training.batch_size == 32


def test_overrides_of_a_sweep_reach_its_launch_unless_it_has_the_key_itself():
    view = build_view(apply_overrides(Draft(read_start("sweeps/tiny.yaml")), "repeats=2 where=local"))
    assert view.problems == ()
    assert (view.asked.config.repeats, view.launch.where) == (2, "local")


def test_a_key_of_the_base_is_searched_over():
    draft = Draft(read_start("sweeps/tiny.yaml"))
    row = row_of(build_view(draft), "training.batch_size", "base")
    searched = draft.search(row.field.path, parse_parameter(row.field, "16 to 64 step 16"))
    view = build_view(searched)
    assert view.problems == ()
    assert view.asked.config.space["training.batch_size"].step == 16
    assert row_of(view, "training.batch_size", "base").search == "16 to 64 step 16"
    assert searched.search(row.field.path, MISSING) == draft


def test_the_checks_of_a_sweep_stand_at_their_rows():
    draft = apply_overrides(Draft(read_start("sweeps/tiny.yaml")), "training.max_epochs=0")
    view = build_view(draft)
    assert row_of(view, "training.max_epochs", "base").problem == "must be at least 1, not 0"
    view = build_view(apply_overrides(Draft(read_start("sweeps/tiny.yaml")), "pruner.name=wilcoxon"))
    assert any("wilcoxon compares tasks" in problem.text for problem in view.problems)
    draft = Draft(read_start("sweeps/tiny.yaml"))
    row = row_of(build_view(draft), "space.training.optimiser.learning_rate", "sweep")
    view = build_view(set_text(draft, row, "0.1 to 1e-5 log"))
    assert "exchange them" in row_of(view, "space.training.optimiser.learning_rate", "sweep").problem
    view = build_view(draft.change(("sweep", "experiment"), "absent.yaml"))
    assert "absent.yaml" in row_of(view, "experiment", "sweep").problem


def test_a_parameter_of_a_space_is_edited_in_one_line():
    draft = Draft(read_start("sweeps/temperatures.yaml"))
    row = row_of(build_view(draft), "space.local-temperature", "sweep")
    view = build_view(set_text(draft, row, "0.1 to 0.5"))
    parameter = view.asked.config.space["local-temperature"]
    assert (parameter.low, parameter.high, parameter.log) == (0.1, 0.5, False)
    assert len(parameter.keys) == 2
    gone = build_view(take_out(draft, row))
    assert set(gone.asked.config.space) == {"method.objective.global.temperature"}


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("0.1 too 0.5", "that is no range and no choices: write 0.01 to 1 log"),
        ("0.5", "that is no range and no choices: write 0.01 to 1 log"),
        ("low to 5", "'low' is no number: write 0.01 to 1 log"),
        ("5 to 1", "low (5) is above high (1)"),
    ],
)
def test_a_line_that_is_no_range_says_what_one_looks_like_and_can_be_edited_again(text, begin):
    draft = Draft(read_start("sweeps/temperatures.yaml"))
    wrong = set_text(draft, row_of(build_view(draft), "space.local-temperature", "sweep"), text)
    rows = [row for row in build_view(wrong).rows if row.key == "space.local-temperature"]
    assert [row.problem[: len(begin)] for row in rows] == [begin]
    mended = build_view(set_text(wrong, rows[0], "0.1 to 0.5"))
    assert mended.problems == ()
    assert mended.asked.config.space["local-temperature"].high == 0.5


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("1e-5 to 0.1 log", {"type": "float", "low": 1e-5, "high": 0.1, "log": True}),
        ("0 to 1 step 0.25", {"type": "float", "low": 0, "high": 1, "step": 0.25}),
        ("cosine, constant", {"type": "categorical", "choices": ["cosine", "constant"]}),
    ],
)
def test_ranges_in_one_line(text, parameter):
    field = Field(("base", "x"), "number", 0.1, wanted="a number")
    assert parse_parameter(field, text) == parameter
    check_parameter(field, text)
    assert parse_parameter(field, describe_parameter(parameter)) == parameter


@pytest.mark.parametrize("text", ["3", "a to b", "3 to 1", "1 to 2 often", "0 to 1 log", "1, 1", "1, a", "1.5 to 2"])
def test_lines_that_are_no_range(text):
    with pytest.raises(InputError):
        check_parameter(Field(("base", "x"), "number", 4, wanted="a whole number, at least 1"), text)


def test_ranges_to_begin_with():
    assert suggest_range(Field(("base", "x"), "number", 0.001)) == "0.0001 to 0.01 log"
    assert suggest_range(Field(("base", "x"), "number", 32)) == "16 to 64"
    assert suggest_range(Field(("base", "x"), "choice", "a", choices=("a", "b"))) == "a, b"
    assert suggest_range(Field(("base", "x"), "bool", True)) == "true, false"
    assert suggest_range(Field(("base", "x"), "number", None)) == ""
