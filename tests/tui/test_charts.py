"""Curves as characters: ticks, thinning, what is marked, and speed."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.runs.records import Curve
from lovt_tui.reading.snapshot import default_metrics
from lovt_tui.widgets.axes import count_ticks, linear_ticks, log_ticks, time_ticks
from lovt_tui.widgets.chart_drawing import describe_curve, draw_chart, find_best
from lovt_tui.widgets.chart_grid import choose_num_columns
from lovt_tui.widgets.chart_layers import Layer
from lovt_tui.widgets.chart_options import ChartOptions
from lovt_tui.widgets.thinning import smooth, thin


def curve(*values, metric="val/loss"):
    steps = tuple(range(1, len(values) + 1))
    return Curve(metric, steps, tuple(step / 10 for step in steps), tuple(100.0 + step for step in steps), values)


def draw(one, options, size):
    return draw_chart((Layer((one,)),), options, size)


def text_of(rows):
    return ["".join(cell.text for cell in row) for row in rows]


def test_a_small_chart():
    assert text_of(draw(curve(4.0, 3.0, 2.0, 1.0), ChartOptions(), (20, 5))) == [
        "4 ⠒⠤⢄⣀              ",
        "      ⠉⠑⠒⠤⣀         ",
        "2          ⠉⠒⠤⢄⣀    ",
        "                ⠉⠑⠒◆",
        "        2       step",
    ]


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=50),
    st.integers(0, 60), st.integers(0, 20), st.booleans(), st.sampled_from([1, 5, 250]),
    st.sampled_from(["step", "epoch", "time"]),
)  # fmt: skip
def test_any_curve_fills_its_box_exactly(values, width, height, log_scale, smoothing, axis):
    rows = text_of(draw(curve(*values), ChartOptions(axis, log_scale, smoothing), (width, height)))
    assert rows == [] or (len(rows) == height and {len(row) for row in rows} == {width})


def test_not_finite_values_and_the_best_are_marked():
    values = curve(4.0, math.nan, 1.0, math.inf, 2.0)
    text = "\n".join(text_of(draw(values, ChartOptions(), (30, 6))))
    assert text.count("×") == 2
    assert text.count("◆") == 1
    assert find_best(values) == 2
    assert describe_curve(values, log_scale=False) == "2.000 · ◆ best 1.000 · × 2 not finite"
    assert find_best(curve(0.1, 0.7, 0.3, metric="val/dice")) == 1
    assert find_best(curve(math.nan)) is None
    spread = curve(0.2, 0.1, metric="val/image/std")
    assert find_best(spread) is None
    assert describe_curve(spread, log_scale=False) == "0.100"
    assert "◆" not in "\n".join(text_of(draw(spread, ChartOptions(), (30, 6))))


def test_log_scale_says_what_it_hides():
    assert describe_curve(curve(1.0, 0.0, -1.0, metric="train/x"), log_scale=True).endswith("2 not above 0")
    assert "no value can be drawn" in text_of(draw(curve(-1.0, 0.0), ChartOptions(log_scale=True), (30, 6)))[0]


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        (linear_ticks(0.0, 10.0, 5), "0 2 4 6 8 10"),
        (linear_ticks(3.1, 3.4, 3), "3.1 3.2 3.3 3.4"),
        (linear_ticks(0.0, 1e-5, 2), "0 5e-6 1e-5"),
        (linear_ticks(1.0, 1.0, 3), ""),
        (log_ticks(0.01, 100.0, 5), "0.01 0.1 1 10 100"),
        (log_ticks(1e-5, 1e-3, 5), "1e-5 0.0001 0.001"),
        (log_ticks(2.0, 9.0, 3), "2 5 8"),
        (count_ticks(0, 2500, 3), "0 1k 2k"),
        (time_ticks(0, 7200, 4), "0s 30m 1h 1h30m 2h"),
    ],
)
def test_ticks(ticks, labels):
    assert " ".join(tick.label for tick in ticks) == labels


def test_thinning_keeps_the_extremes():
    values = np.sin(np.linspace(0, 60, 10_000))
    values[5000] = 9.0
    columns = thin(np.arange(10_000.0), values, (0.0, 9999.0), 80)
    assert columns.high.max() == 9.0
    assert columns.low.min() == values.min()
    assert len(columns.column) == 80


def test_smoothing_leaves_gaps_and_means():
    assert smooth(np.array([1.0, 2.0, 3.0]), 1).tolist() == [1.0, 2.0, 3.0]
    smoothed = smooth(np.array([1.0, math.nan, 3.0, 5.0]), 3)
    assert math.isnan(smoothed[1])
    assert smoothed[3] == 4.0


def test_a_long_curve_is_drawn_within_a_frame():
    values = tuple(np.random.default_rng(0).normal(size=100_000).tolist())
    long = curve(*values)
    began = time.perf_counter()
    draw(long, ChartOptions(smoothing=50), (120, 30))
    assert time.perf_counter() - began < 1.0


def test_default_metrics_put_losses_first_and_timings_last():
    names = (
        "time/step_seconds", "train/accuracy/top1", "train/global/image_to_report", "train/gradient_norm",
        "train/learning_rate", "train/loss", "val/dice", "val/loss",
    )  # fmt: skip
    assert default_metrics(names, 6) == (
        "val/loss", "train/loss", "val/dice", "train/global/image_to_report", "train/accuracy/top1",
        "train/learning_rate",
    )  # fmt: skip


def test_figures_of_embeddings_come_after_the_losses():
    losses = ("val/loss", "val/global/image_to_report", "val/regions/local_to_attended")
    names = (*losses, "val/alignment/pairs", "val/features/smoothness", "val/image/std", "val/regions/std_within_image")
    assert default_metrics(names, 3) == losses


def test_columns_of_the_grid():
    assert choose_num_columns(6, 80, 18) == 2
    assert choose_num_columns(6, 70, 34) == 2
    assert choose_num_columns(1, 200, 50) == 1
    assert choose_num_columns(3, 200, 10) == 3
    assert choose_num_columns(6, 20, 5) == 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60), st.integers(2, 40))
def test_thinning_rising_points_is_thinning_all_points(values, num_columns):
    x = np.cumsum(np.abs(np.sin(np.arange(len(values)))) + 0.1)
    limits = (float(x[0]), float(x[-1]))
    fast = thin(x, np.array(values), limits, num_columns)
    slow = thin(np.append(x, x[-1]), np.append(values, np.nan), limits, num_columns)  # not all finite: the long way
    assert fast.column.tolist() == slow.column.tolist()
    for part in ("first", "low", "high", "last"):
        assert getattr(fast, part).tolist() == getattr(slow, part).tolist()
