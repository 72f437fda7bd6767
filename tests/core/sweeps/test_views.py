"""Views: who is a point, who is kept apart, and where things lie on axes."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.errors import InputError
from lovt_core.sweeps.interpolation import NUM_CELLS, interpolate
from lovt_core.sweeps.parameter_axes import Axis, cover, find_axes, find_axis, list_axes, list_ticks, name_places
from lovt_core.sweeps.views import (
    compute_contour,
    compute_fronts,
    compute_history,
    compute_intermediate,
    compute_parallel,
    compute_slices,
)
from tests.core.sweeps.factories import LEARNING_RATE, SPACE, make_config, make_pair, make_sweep, make_trial


class TestAxes:
    def test_logarithmic_ones_stay_so(self):
        axis = find_axis(make_config().space, LEARNING_RATE)
        assert axis.is_log
        assert axis.share(1e-3) == pytest.approx(0.5)
        assert [tick.label for tick in list_ticks(axis, 6)] == ["1e-5", "0.0001", "0.001", "0.01", "0.1"]

    def test_choices_have_positions(self):
        config, trials = make_sweep()
        axis = find_axis(config.space, "training.optimiser.name")
        assert [axis.locate(trial) for trial in trials] == [
            ["adam", "sgd", "adamw"].index(trial.params["training.optimiser.name"]) for trial in trials
        ]
        assert [(tick.place, tick.label) for tick in list_ticks(axis, 2)] == [(0, "adam"), (1, "sgd"), (2, "adamw")]
        assert axis.share(1) == pytest.approx(0.5)

    def test_parts_of_shares_are_what_they_got_of_the_total(self):
        config, trials = make_sweep()
        axes = [axis for axis in list_axes(config.space) if axis.name.startswith("weights.")]
        assert [axis.name for axis in axes] == ["weights.global", "weights.image", "weights.report"]
        for trial in trials:
            assert sum(axis.locate(trial) for axis in axes) == pytest.approx(4.0)
            images = trial.settings["method.w_i1"] + trial.settings["method.w_i2"]
            assert axes[1].locate(trial) == pytest.approx(images)

    def test_an_absent_parameter_has_no_place(self):
        config = make_config()
        trial = make_trial(0, config, {LEARNING_RATE: 1e-3}, settings={})
        assert [axis.locate(trial) for axis in list_axes(config.space)] == [1e-3, None, None, None, None, None, None]

    def test_labels_have_as_many_digits_as_tell_places_apart(self):
        for low, high in ((0.69941, 0.69987), (123456.0, 123456.5), (1e-9, 1.0000001e-9), (-0.1, 0.1), (0.99999, 1.0)):
            ticks = list_ticks(cover("x", (low, high)), 5)
            assert len(ticks) >= 2
            assert len({tick.label for tick in ticks}) == len(ticks)
            for tick in ticks:
                assert float(tick.label) == pytest.approx(tick.place, abs=(high - low) / 50)
        assert name_places([0.25, 0.5]) == ["0.25", "0.5"]
        assert name_places([1 / 3, 2 / 3]) == ["0.3333", "0.6667"]
        assert name_places([1e-05, 0.1]) == ["1e-5", "0.1"]

    def test_shares_may_be_named_as_in_the_file(self):
        space = make_config().space
        parts = ["weights.global", "weights.image", "weights.report"]
        assert [axis.name for axis in find_axes(space, "weights")] == parts
        assert [axis.name for axis in find_axes(space, "weights.image")] == ["weights.image"]
        with pytest.raises(InputError, match=r"'weights' has several parts: name one of weights.global, weights.image"):
            find_axis(space, "weights")
        config, trials = make_sweep()
        assert [view.x.name for view in compute_slices(trials, config, names=["weights"])] == parts

    def test_an_unknown_name_gets_the_nearest(self):
        with pytest.raises(InputError, match=r"no parameter 'weights.globl': did you mean 'weights.global'"):
            find_axis(make_config().space, "weights.globl")
        with pytest.raises(InputError, match=r"it has training.optimiser.learning_rate, "):
            find_axis(make_config().space, "?")

    @given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
    def test_ticks_lie_on_the_axis(self, low, span, count):
        axis = cover("x", [low, low + span])
        ticks = list_ticks(axis, count)
        assert 2 <= len(ticks) <= count + 1
        assert all(-1e-6 <= axis.share(tick.place) <= 1 + 1e-6 for tick in ticks)

    @given(st.floats(0, 1), st.booleans())
    def test_place_undoes_share(self, share, is_log):
        axis = Axis("x", 1e-4, 10.0, is_log)
        assert axis.share(axis.place(share)) == pytest.approx(share, abs=1e-9)


class TestHistory:
    def test_the_best_so_far_only_improves(self):
        config, trials = make_sweep()
        view = compute_history(trials, config)
        values = [point.y for point in view.best]
        assert values == sorted(values, reverse=True)
        assert view.best[-1].number == 4
        assert view.best[0].number == 0

    def test_pruned_and_failed_trials_are_kept_apart(self):
        config, trials = make_sweep()
        view = compute_history(trials, config)
        assert view.pruned == (3, 13, 23)
        assert view.failed == (7, 17, 27)
        numbers = {point.number for point in view.points}
        assert numbers == set(range(29)) - {*view.pruned, *view.failed}

    def test_a_score_is_better_when_higher(self):
        config, trials = make_pair([(3.0, 0.2), (2.0, 0.1), (1.0, 0.4)])
        assert [point.number for point in compute_history(trials, config, 0).best] == [0, 1, 2]
        assert [point.number for point in compute_history(trials, config, 1).best] == [0, 2]

    def test_values_that_are_not_finite_are_no_points(self):
        config, trials = make_pair([(math.inf, 1.0), (1.0, 1.0), (math.nan, 1.0)])
        assert [point.number for point in compute_history(trials, config).points] == [1]

    def test_an_empty_sweep_has_empty_views(self):
        config = make_config()
        assert compute_history((), config).points == ()
        assert compute_parallel((), config).lines == ()
        assert compute_intermediate((), config).curves == ()
        assert all(view.points == () and view.best is None for view in compute_slices((), config))
        grid = compute_contour((), config, (LEARNING_RATE, "method.temperature")).grid
        assert {value for row in grid for value in row} == {None}

    def test_an_objective_that_is_not_there(self):
        with pytest.raises(InputError, match="no objective number 3"):
            compute_history((), make_config(), 2)


class TestSlices:
    def test_one_for_each_parameter_in_the_order_of_the_file(self):
        config, trials = make_sweep()
        views = compute_slices(trials, config)
        assert [view.x.name for view in views][:4] == list(SPACE)[:4]
        assert all(len(view.points) == 23 and len(view.pruned) == 3 and len(view.failed) == 3 for view in views)
        assert {view.best for view in views} == {4}

    def test_named_ones_in_the_order_of_the_names(self):
        config, trials = make_sweep()
        names = ("weights.report", LEARNING_RATE)
        assert tuple(view.x.name for view in compute_slices(trials, config, names=names)) == names


class TestContour:
    def test_the_surface_is_lowest_where_the_loss_is(self):
        config, trials = make_sweep(300)
        view = compute_contour(trials, config, (LEARNING_RATE, "method.temperature"))
        assert len(view.grid) == NUM_CELLS
        for row in view.grid:
            known = [(value, column) for column, value in enumerate(row) if value is not None]
            assert abs(min(known)[1] - (NUM_CELLS - 1) / 2) <= 2

    def test_a_choice_is_far_from_every_other(self):
        x, y = Axis("x", 0.0, 1.0), Axis("y", -0.5, 1.5, choices=("a", "b"))
        grid = interpolate(x, y, [(0.5, 0.0, 1.0), (0.5, 1.0, 2.0)])
        assert len(grid) == 2
        assert {value for value in grid[0] if value is not None} == {1.0}
        assert {value for value in grid[1] if value is not None} == {2.0}

    def test_cells_far_from_every_trial_stay_empty(self):
        grid = interpolate(Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0), [(0.0, 0.0, 1.0)])
        assert grid[0][0] == 1.0
        assert grid[-1][-1] is None

    def test_values_stay_within_those_of_the_trials(self):
        config, trials = make_sweep()
        view = compute_contour(trials, config, ("weights.global", "training.optimiser.name"))
        values = [value for row in view.grid for value in row if value is not None]
        assert min(point.value for point in view.points) <= min(values)
        assert max(values) <= max(point.value for point in view.points)
        assert len(view.pruned) == len(view.failed) == 3

    def test_twice_the_same_parameter(self):
        with pytest.raises(InputError, match="two different parameters"):
            compute_contour((), make_config(), (LEARNING_RATE, LEARNING_RATE))


def test_parallel_lines_end_with_the_value_and_the_best_is_in_front():
    config, trials = make_sweep()
    view = compute_parallel(trials, config)
    assert view.axes[-1].name == "val/loss"
    assert view.lines[-1].number == 4
    assert all(len(line.places) == len(view.axes) for line in (*view.lines, *view.pruned, *view.failed))
    assert {line.places[-1] for line in (*view.pruned, *view.failed)} == {None}
    values = [line.places[-1] for line in view.lines]
    assert values == sorted(values, reverse=True)


def test_intermediate_values_of_all_that_reported():
    config, trials = make_sweep()
    view = compute_intermediate(trials, config)
    assert (view.x.name, view.y.name, view.best) == ("epoch", "val/loss", 4)
    states = {curve.number: curve.state for curve in view.curves}
    assert set(states) == set(range(30)) - {7, 17, 27}
    assert (states[3], states[29]) == ("pruned", "running")
    assert next(curve for curve in view.curves if curve.number == 3).steps == (1, 2)


def test_values_that_are_not_finite_are_left_out_of_curves():
    config = make_config()
    trial = make_trial(0, config, {}, intermediate={1: 2.0, 2: math.nan, 3: 1.0})
    assert compute_intermediate((trial,), config).curves[0].steps == (1, 3)


def test_pareto_front():
    config, trials = make_pair([(0.1, 0.2), (0.2, 0.5), (0.3, 0.4), (0.5, 0.9), (math.inf, 1.0)])
    (view,) = compute_fronts(trials, config)
    assert [point.number for point in view.front] == [0, 1, 3]
    assert [point.number for point in view.points] == [0, 1, 2, 3]
    assert view.is_minimized == (True, False)
    with pytest.raises(InputError, match="has one objective"):
        compute_fronts(trials, make_config())


def test_three_objectives_are_shown_in_pairs():
    names = ("a/loss", "b/loss", "c/loss")
    config = make_config(objective=[{"metric": name} for name in names], pruner={"name": "none"})
    trials = [make_trial(0, config, {}, values=(1.0, 2.0, 3.0)), make_trial(1, config, {}, values=(2.0, 2.0, 3.0))]
    views = compute_fronts(trials, config)
    assert [(view.x.name, view.y.name) for view in views] == [
        ("a/loss", "b/loss"), ("a/loss", "c/loss"), ("b/loss", "c/loss")
    ]  # fmt: skip
    assert all([point.number for point in view.front] == [0] for view in views)


def test_views_need_no_optuna():
    code = (
        "import sys, lovt_core.sweeps.views; print(sorted({'optuna', 'scipy', 'sklearn', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
