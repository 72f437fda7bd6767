"""Plots of a sweep in a terminal: what is marked, at any width, without colour and in a pipe."""

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from lovt_core.sweeps.importance import Importance, compute_importance
from lovt_core.sweeps.views import (
    compute_contour,
    compute_fronts,
    compute_history,
    compute_intermediate,
    compute_parallel,
    compute_slices,
)
from lovt_tui.sweeping.plots import (
    draw_contour,
    draw_front,
    draw_history,
    draw_importance,
    draw_intermediate,
    draw_parallel,
    draw_slice,
)
from tests.core.sweeps.factories import LEARNING_RATE, make_config, make_pair, make_sweep, make_trial

NAMES = (LEARNING_RATE, "weights.global")


def draw_all(config, trials, width):
    return [
        draw_history(compute_history(trials, config), width),
        *(draw_slice(view, width) for view in compute_slices(trials, config)),
        draw_contour(compute_contour(trials, config, NAMES), width),
        draw_parallel(compute_parallel(trials, config), width),
        draw_intermediate(compute_intermediate(trials, config), width),
    ]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_asked(width):
    config, trials = make_sweep()
    _, pairs = make_pair([(0.1, 0.2), (0.2, 0.5)])
    plots = draw_all(config, trials, width)
    plots.append(draw_front(compute_fronts(pairs, make_pair([])[0])[0], width))
    plots.append(draw_importance(compute_importance(trials, config), width))
    for plot in plots:
        widest = max(cell_len(line) for line in plot.plain.splitlines()[:-1])
        assert widest <= width


@pytest.mark.parametrize("options", [{"no_color": True, "force_terminal": True}, {"force_terminal": False}])
def test_without_colour_the_same_signs_are_there(options):
    config, trials = make_sweep()
    out = io.StringIO()
    console = Console(file=out, width=80, highlight=False, **options)
    plot = draw_history(compute_history(trials, config))
    console.print(plot)
    text = out.getvalue()
    assert Text.from_ansi(text).plain.split() == plot.plain.split()
    assert not re.search(r"\x1b\[(\d;)?[34]\d", text)
    assert text.count("◆") == 2
    assert text.count("▽") == 4


def test_history():
    config, trials = make_sweep()
    lines = draw_history(compute_history(trials, config)).plain.splitlines()
    assert lines[0] == "val/loss of each trial, and the best so far"
    assert lines[-1] == "• finished   ◆ best   ▽ 3 pruned   ✘ 3 failed"
    assert lines[-2].strip() == "trial"
    pruned, failed = lines[-5:-3]
    assert pruned.count("▽") == failed.count("✘") == 3
    assert sum(line.count("◆") for line in lines[1:-1]) == 1


def test_the_best_of_a_slice_lies_where_its_value_is():
    config, trials = make_sweep()
    (view,) = compute_slices(trials, config, names=(LEARNING_RATE,))
    lines = draw_slice(view).plain.splitlines()
    row = next(line for line in lines if "◆" in line)
    tick = next(line for line in lines if "1e-5" in line)
    assert abs(row.index("◆") - tick.index("0.001") - 2) <= 1


def test_choices_are_named_below():
    config, trials = make_sweep()
    (view,) = compute_slices(trials, config, names=("training.optimiser.name",))
    assert draw_slice(view).plain.splitlines()[-3].split() == ["adam", "sgd", "adamw"]


def test_the_fullest_shade_is_in_the_middle_of_the_learning_rates():
    config, trials = make_sweep(300)
    plot = draw_contour(compute_contour(trials, config, (LEARNING_RATE, "method.temperature"))).plain
    places = [place for line in plot.splitlines()[1:-3] for place, sign in enumerate(line) if sign == "█"]
    assert 35 < sum(places) / len(places) < 48


def test_parameters_that_do_not_fit_go_into_further_bands():
    config, trials = make_sweep()
    view = compute_parallel(trials, config)
    assert draw_parallel(view, 80).plain.count("l/loss") == 1
    assert draw_parallel(view, 40).plain.count("l/loss") > 1
    assert draw_parallel(view, 80).plain.count("◆") == len(view.axes) + 1


def test_pruned_trials_end_in_their_glyph():
    config, trials = make_sweep()
    assert draw_intermediate(compute_intermediate(trials, config)).plain.splitlines()[-1] == "◆ best   ▽ 3 pruned"


def test_front():
    config, trials = make_pair([(0.1, 0.2), (0.2, 0.5), (0.3, 0.4), (0.5, 0.9)])
    plot = draw_front(compute_fronts(trials, config)[0]).plain
    assert plot.count("◆") == 3 + 1
    assert plot.startswith("upwards val/score; better: lower val/loss, higher val/score")


def test_importance_bars_are_as_long_as_their_values():
    lines = draw_importance((Importance("a", 0.75), Importance("b", 0.25)), 46).plain.splitlines()
    assert [line.count("█") for line in lines] == [29, 10]
    assert lines[0].startswith("a 0.75 █")


def test_nothing_to_draw_is_said():
    config = make_config()
    for plot in draw_all(config, (), 80):
        assert "no finished trial yet" in plot.plain or "no trial has intermediate values" in plot.plain


def test_names_cannot_steer_the_terminal():
    config = make_config(
        space={"\x1b[31mkey": {"type": "categorical", "choices": ["\x1b[2J", "b"]}},
        objective={"metric": "loss\x1b]0;x\x07"},
    )
    trials = [make_trial(n, config, {"\x1b[31mkey": "b"}, values=(float(n),)) for n in range(3)]
    plots = [
        draw_history(compute_history(trials, config)),
        draw_slice(compute_slices(trials, config)[0]),
        draw_parallel(compute_parallel(trials, config)),
        draw_importance((Importance("\x1b[31mkey", 1.0),)),
    ]
    for plot in plots:
        assert "\x1b" not in plot.plain
