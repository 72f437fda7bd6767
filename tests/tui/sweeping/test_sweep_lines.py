"""What the screen of sweeps shows, as lines of cells: trials in their orders, columns, headings and views."""

import math
from dataclasses import replace

import pytest

from lovt_core.errors import InputError
from lovt_tui.actions.sweeps import parse_extension
from lovt_tui.sweeping.drawing import ViewChoice, describe_choice, draw_view, list_views
from lovt_tui.sweeping.listing import estimate_seconds_left, list_columns
from lovt_tui.sweeping.study import build_study
from lovt_tui.sweeping.trials import (
    choose_columns,
    click_sort,
    find_run,
    find_sort,
    list_titles,
    make_entries,
    next_sort,
    order_trials,
    trial_cells,
    trial_heading,
    trial_lines,
)
from lovt_tui.widgets.view_bar import fit_names
from tests.core.sweeps.factories import make_config, make_pair, make_sweep, make_trial
from tests.tui.factories import NOW, make_row


def text_of(lines):
    return "\n".join("".join(cell.text for cell in line) for line in lines)


def study_of(num_trials=30):
    config, trials = make_sweep(num_trials)
    return build_study("tiny", config, trials)


def test_orders():
    study = study_of()
    values = [trial.values[0] for trial in order_trials(study, "value") if trial.values]
    assert values == sorted(values)
    assert order_trials(study, "value")[0].number == 4
    assert [trial.values[0] for trial in order_trials(study, "-value") if trial.values] == values[::-1]
    assert all(not trial.values for trial in order_trials(study, "-value")[len(values) :])
    assert order_trials(study, "-number")[0].number == 29
    assert order_trials(study, "-time")[-1].state == "running"
    assert [next_sort("-number"), next_sort("value"), next_sort("-time")] == ["value", "-time", "-number"]
    assert [click_sort("value", "value"), click_sort("value", "number")] == ["-value", "-number"]


def test_larger_is_better_where_the_objective_says_so():
    config, trials = make_pair([(0.1, 0.2), (0.2, 0.5), (0.3, 0.4), (0.4, math.nan)])
    study = build_study("pair", config, trials)
    assert [trial.number for trial in order_trials(study, "value", 1)] == [1, 2, 0, 3]
    assert study.best == {0, 1}


@pytest.mark.parametrize("width", [38, 58, 78, 118, 198])
def test_lines_fill_their_width(width):
    study = study_of()
    columns = choose_columns(study, width)
    rows = {run.id: make_row(id=run.id, done=5, total=10) for run in study.trials[29].runs}
    for entry in make_entries(study, study.trials, "running", rows, NOW):
        assert sum(len(cell.text) for cell in trial_cells(entry, columns)) <= width
    assert sum(size for _, size, _ in list_columns(width)) + len(list_columns(width)) - 1 <= width
    shown = len(columns.params)
    assert shown + columns.num_hidden == len(study.columns)
    assert columns.num_hidden == 0 or width < 198


def test_a_trial_at_work_shows_how_far_its_run_is():
    study = study_of()
    running = replace(study.trials[29], began=study.trials[29].started + 60)
    rows = {running.runs[0].id: make_row(id=running.runs[0].id, state="running", done=41, total=100)}
    entry = make_entries(study, [running], "running", rows, running.began + 187)[0]
    line = "".join(cell.text for cell in trial_cells(entry, choose_columns(study, 78)))
    assert "● running" in line
    assert "41% done" in line
    assert "3m07s" in line


@pytest.mark.parametrize(("sweep_state", "word"), [("running", "queued"), ("stopped", "stopped")])
def test_a_trial_that_waits_says_what_for(sweep_state, word):
    config, _ = make_sweep(1)
    trial = make_trial(0, config, {}, state="running", ended=None)
    study = build_study("tiny", config, [trial])
    line = trial_cells(make_entries(study, [trial], sweep_state, {}, NOW)[0], choose_columns(study, 78))
    assert f" {word} " in "".join(cell.text for cell in line)


def test_a_click_on_a_heading_names_the_order():
    study = study_of()
    columns = choose_columns(study, 118)
    titles = [title for title, _, _ in list_titles(columns)]
    starts = [sum(size + 1 for _, size, _ in list_titles(columns)[:n]) for n in range(len(titles))]
    found = {title: find_sort(columns, start + 1) for title, start in zip(titles, starts, strict=True)}
    assert found["trial"] == "number"
    assert found["val/loss"] == "value"
    assert found["took"] == "time"
    assert found["state"] == found["learning_rate"] == ""


def test_the_run_to_look_at_is_the_one_at_work():
    trial = replace(study_of().trials[0], runs=())
    assert find_run(trial, {}) is None
    _, pairs = make_pair([(0.1, 0.2)])
    runs = tuple(
        replace(pairs[0].runs[0], id=name, role=role) for name, role in (("e", "evaluation"), ("t", "training"))
    )
    trial = replace(trial, runs=runs)
    assert find_run(trial, {}) == "t"
    assert find_run(trial, {"e": make_row(id="e", state="running")}) == "e"


def test_everything_about_a_trial():
    study = study_of()
    text = text_of(trial_lines(study, study.trials[7], "finished"))
    assert "✘ failed  CUDA out of memory" in text
    assert "method.w_i1" in text
    assert "training   20260101-000000-tiny-t7-abcd" in text


def test_time_left_is_that_of_trials_like_those_before():
    config = make_config(trials=10)
    trials = [make_trial(n, config, {}, started=100.0 * n, ended=100.0 * n + 100) for n in range(4)]
    study = build_study("tiny", config, trials)
    assert estimate_seconds_left(study, 450.0) == pytest.approx(550.0)
    assert estimate_seconds_left(build_study("tiny", config, trials[:0]), 450.0) is None


def test_views_that_make_sense():
    assert list_views(study_of())[-1] == "curves"
    config, trials = make_pair([(0.1, 0.2)])
    assert list_views(build_study("pair", config, trials))[-1] == "pareto"
    config = make_config(space={"training.x": {"type": "float", "low": 0, "high": 1}})
    assert "contour" not in list_views(build_study("one", config, ()))
    assert list_views(None) == ("trials",)


@pytest.mark.parametrize("size", [(36, 8), (58, 26), (118, 50)])
@pytest.mark.parametrize("view", ["history", "slice", "contour", "curves"])
def test_views_fit_the_pane(view, size):
    lines = draw_view(study_of(), ViewChoice(view), *size)
    assert len(lines) <= size[1] or size[1] < 12
    assert max(sum(len(cell.text) for cell in line) for line in lines[:-1]) <= size[0]


def test_bands_of_parallel_coordinates_fill_the_pane():
    assert len(draw_view(study_of(), ViewChoice("parallel"), 118, 30)) == 30
    assert len(draw_view(study_of(), ViewChoice("parallel"), 58, 40)) in (39, 40)


def test_views_of_two_objectives():
    config, trials = make_pair([(0.1, 0.2), (0.2, 0.5), (0.3, 0.4)])
    study = build_study("pair", config, trials)
    assert "Pareto front" in text_of(draw_view(study, ViewChoice("pareto"), 60, 20))
    assert "val/score of each trial" in text_of(draw_view(study, ViewChoice("history", objective=3), 60, 20))
    assert describe_choice(study, ViewChoice("history", objective=1)) == "o: objective 2 of 2"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pruner": {"name": "none"}}, "this sweep has no pruner"),
        (
            {"pruner": {"name": "median", "metric": "val/loss"}},
            "an epoch with a value of val/loss, which",
        ),
        (
            {"objective": {"tasks": ["covid-linear"]}, "pruner": {"name": "wilcoxon"}},
            "a task of the objective, which is what wilcoxon",
        ),
    ],
)
def test_a_sweep_without_curves_says_why_and_what_would_give_some(values, words):
    study = build_study("tiny", make_config(**values), ())
    lines = draw_view(study, ViewChoice("curves"), 60, 20)
    text = " ".join(text_of(lines).split())
    assert words in text
    assert "0 trials" not in text
    assert max(len(line) for line in text_of(lines).splitlines()) <= 60


def test_several_objectives_have_no_curves():
    config, trials = make_pair([(0.1, 0.2)])
    text = text_of(draw_view(build_study("pair", config, trials), ViewChoice("curves"), 60, 20))
    assert "with several objectives nothing is pruned" in " ".join(text.split())


def test_importance_by_both_methods_or_why_not():
    text = text_of(draw_view(study_of(), ViewChoice("importance"), 60, 20))
    assert "PED-ANOVA" in text
    assert "fANOVA" in text
    assert "a hint at best" in text
    few = text_of(draw_view(study_of(3), ViewChoice("importance"), 60, 20))
    assert "importance needs 4 at least" in " ".join(few.split())


def test_parameters_that_make_no_sense_are_said_not_raised():
    config, trials = make_sweep(30)
    broken = {"params": {"method.temperature": "warm"}, "distributions": {"method.temperature": "{"}}
    study = build_study("tiny", config, [replace(trial, **broken) for trial in trials])
    for view in list_views(study):
        assert draw_view(study, ViewChoice(view), 60, 20)
    assert "cannot be drawn" in text_of(draw_view(study, ViewChoice("importance"), 60, 20))


def test_chosen_parameters_go_round_and_differ_in_a_contour():
    study = study_of()
    assert ViewChoice("slice", first=-1).fitting(study).first == 6
    assert ViewChoice("contour", first=2, second=9).fitting(study).second == 3


def test_names_of_views_around_the_current_one():
    views = list_views(study_of())
    assert fit_names(views, "trials", 80) == views
    assert "curves" in fit_names(views, "curves", 30)
    assert fit_names(views, "trials", 30)[0] == "trials"
    assert fit_names(views, "importance", 3) == ("importance",)


def test_extensions():
    assert parse_extension("trials=40 hours=8 jobs=2") == (40, 8.0, 2)
    assert parse_extension("hours=0.5") == (None, 0.5, None)
    for text in ("", "trials", "trials=4.5", "jobs=0", "nights=3", "trials=-4", "trials=1e3"):
        with pytest.raises(InputError):
            parse_extension(text)


def test_names_from_files_cannot_steer_the_terminal():
    config = make_config(space={"\x1b[31mkey": {"type": "categorical", "choices": ["\x1b[2J", "b"]}})
    trials = [make_trial(0, config, {"\x1b[31mkey": "\x1b[2J"}, cause="\x1b]0;x\x07bad", state="failed")]
    study = build_study("tiny", config, trials)
    columns = choose_columns(study, 118)
    lines = [trial_cells(entry, columns) for entry in make_entries(study, trials, "paused", {}, NOW)]
    assert "\x1b" not in text_of([*lines, *trial_lines(study, trials[0], "finished"), trial_heading(columns, "value")])
