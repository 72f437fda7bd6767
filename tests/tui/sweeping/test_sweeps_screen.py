"""The screen of sweeps: what it shows, its keys and its mouse, and what it says when something is wrong."""

import shutil
from pathlib import Path

import pytest

from lovt_core.runs.workspace import find_workspace
from lovt_core.sweeps.folder import SweepFolder
from lovt_tui.app import Dashboard
from lovt_tui.messages import OpenRun
from lovt_tui.widgets.sweep_plot import SweepPlot
from lovt_tui.widgets.sweep_table import SweepTable
from lovt_tui.widgets.trial_table import TrialTable
from tests.core.sweeps.factories import make_trial
from tests.tui.factories import FakeIndex, check_snapshot, screen_text, wait_for
from tests.tui.sweeping.sweep_factories import make_sweep_app, open_sweeps, write_trials

SHIPPED = Path(__file__).parents[3] / "experiments" / "sweeps"


def table(pilot):
    return pilot.app.screen.query_one(TrialTable)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
async def test_whole_screen(index, lab, size):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=size) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, lambda shown: "learning_rate" in shown or size[1] < 16)
        await wait_for(pilot, lambda shown: "◆ best   ▽" in shown or size[0] < 100)
        await check_snapshot(pilot, f"sweeps-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
async def test_parallel_coordinates_on_the_whole_screen(index, lab, size):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=size) as pilot:
        await open_sweeps(pilot)
        await pilot.press("enter")
        await wait_for(pilot, "val/loss")
        await pilot.press("shift+tab", "shift+tab")
        await wait_for(pilot, "Trials across all parameters")
        await check_snapshot(pilot, f"sweeps-parallel-{size[0]}x{size[1]}")


async def test_an_empty_workspace_says_what_to_do(tmp_path):
    async with make_sweep_app(FakeIndex(), tmp_path).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("3")
        shown = await wait_for(pilot, "No sweeps yet. Press n, or try: lovt sweep run tiny")
        assert shown.splitlines()[-1] == " n new  esc back  ? help  q quit"


async def test_the_cursor_selects_the_sweep_that_is_shown(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "◆ best: trial 4")
        await pilot.press("down")
        shown = await wait_for(pilot, "◐ paused  waiting")
        assert "6 finished, 1 pruned, 1 failed" in shown
        await pilot.press("G")
        await wait_for(pilot, "broken/sweep.yaml is damaged")
        assert table(pilot).entries == ()
        await pilot.press("k")
        await wait_for(pilot, "◆ Pareto front:")


async def test_states_have_words_and_an_interrupted_sweep_says_what_to_do(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        shown = await open_sweeps(pilot)
        for state in ("● running", "◐ paused", "▲ interrupted", "✔ finished", "✘ damaged"):
            assert state in shown
        await pilot.press("down", "down")
        await wait_for(pilot, "its coordinator died")
        assert "r resume" in screen_text(pilot.app)


async def test_enter_leads_to_the_trials_then_to_a_run_and_escape_back(index, lab):
    app = make_sweep_app(index, lab)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "learning_rate")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "◐ paused" not in shown)
        assert table(pilot).has_focus
        assert table(pilot).selected.trial.number == 49
        await pilot.press("enter")
        await wait_for(pilot, "[charts]")
        await pilot.press("escape")
        await wait_for(pilot, "[trials]")
        await pilot.press("escape")
        await wait_for(pilot, "◐ paused")
        assert app.screen.query_one(SweepTable).has_focus
        await pilot.press("escape")
        await wait_for(pilot, "[1 Runs]")


async def test_a_trial_at_work_shows_how_far_it_is(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "41% done")


async def test_a_trial_without_a_run_says_so(index, lab):
    folder = SweepFolder(find_workspace(lab), "tiny")
    write_trials(folder, [make_trial(50, folder.config(), {}, state="failed", runs=(), cause="no disk")])
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "no disk")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("home", "enter")
        await wait_for(pilot, "this trial has no run")
        await pilot.press("d")
        await wait_for(pilot, "Settings of the experiment")


async def test_sorting_by_keys_and_by_clicks(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(80, 24)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "learning_rate")
        await pilot.press("s")
        assert table(pilot).entries[0].trial.number == 4
        await wait_for(pilot, "val/loss↑")
        await pilot.press("S")
        assert table(pilot).entries[0].trial.values[0] > 1.5
        await pilot.click(TrialTable, offset=(6, 0))
        await pilot.pause()
        assert table(pilot).entries[0].trial.number == 49
        await pilot.click(TrialTable, offset=(6, 0))
        await pilot.pause()
        assert table(pilot).entries[0].trial.number == 0


async def test_views_by_tab_and_by_clicks(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(80, 24)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "learning_rate")
        await pilot.press("tab")
        await wait_for(pilot, "val/loss of each trial, and the best so far")
        await pilot.press("tab")
        await wait_for(pilot, "fANOVA")
        await pilot.press("tab")
        await wait_for(pilot, "val/loss over training.optimiser.learning_rate")
        await pilot.press("right")
        await wait_for(pilot, "val/loss over method.temperature")
        await pilot.press("left", "left")
        await wait_for(pilot, "val/loss over weights.report")
        await pilot.press("tab")
        await wait_for(pilot, "upwards method.temperature")
        await pilot.press("full_stop")
        await wait_for(pilot, "upwards training.batch_size")
        await pilot.press("comma", "comma", "comma")  # over the one across, which is the last
        await wait_for(pilot, "upwards weights.image")
        await pilot.press("shift+tab")
        await wait_for(pilot, "val/loss over weights.report")
        assert pilot.app.screen.query_one(SweepPlot).has_focus
        await pilot.click("ViewBar", offset=(64, 0))
        await wait_for(pilot, "[curves]")
        await wait_for(pilot, "val/loss by epoch")


async def test_trials_and_a_view_side_by_side(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "val/loss of each trial, and the best so far")
        assert "learning_rate" in screen_text(pilot.app)
        await pilot.resize_terminal(80, 24)
        await wait_for(pilot, lambda shown: "val/loss of each trial" not in shown)
        await pilot.resize_terminal(120, 40)
        await wait_for(pilot, "val/loss of each trial, and the best so far")


async def test_several_objectives(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("down", "down", "down")
        await wait_for(pilot, "◆ Pareto front: 8 trials: 0, 1, 3, 4, 6, 7, 9, 10")
        await wait_for(pilot, "val/loss of each trial")
        front = {entry.trial.number for entry in table(pilot).entries if entry.is_best}
        assert front == {0, 1, 3, 4, 6, 7, 9, 10}
        await pilot.press("o")
        await wait_for(pilot, "val/score of each trial")
        await pilot.press("shift+tab")
        await wait_for(pilot, "upwards val/score; better")


async def test_new_trials_appear_and_the_cursor_stays(index, lab):
    folder = SweepFolder(find_workspace(lab), "tiny")
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(80, 24)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "learning_rate")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "◐ paused" not in shown)
        await pilot.press("down")
        assert table(pilot).selected.trial.number == 48
        write_trials(folder, [make_trial(50, folder.config(), {"method.temperature": 0.3}, values=(0.0001,))])
        await wait_for(pilot, "50 of 60 trials")
        assert table(pilot).selected.trial.number == 48
        assert table(pilot).entries[0].trial.number == 50


async def test_a_sweep_that_is_deleted_while_open_leads_back_to_the_list(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(80, 24)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "learning_rate")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "◐ paused" not in shown)
        shutil.rmtree(lab / "sweeps" / "tiny")
        await wait_for(pilot, "the sweep tiny is gone: its folder")
        await wait_for(pilot, "◐ paused  waiting")
        assert pilot.app.screen.query_one(SweepTable).has_focus


async def test_mouse(index, lab, monkeypatch):
    opened = []
    monkeypatch.setattr(Dashboard, "on_open_run", lambda app, message: opened.append(message))
    app = make_sweep_app(index, lab)
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.click(SweepTable, offset=(20, 2))
        await wait_for(pilot, "◐ paused  waiting")
        await pilot.click(SweepTable, offset=(20, 2), times=2)
        await pilot.pause()
        assert table(pilot).has_focus
        await pilot.click(TrialTable, offset=(20, 3), times=2)
        await pilot.pause()
        assert [type(message) for message in opened] == [OpenRun]
        assert opened[0].run_id == "20260101-000000-tiny-t5-abcd"


async def test_nothing_is_posted_while_nothing_changes(index, lab):
    app = make_sweep_app(index, lab)
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "◆ best: trial 4")
        await pilot.pause(0.3)
        seen = []
        app._poller._post = seen.append
        await pilot.pause(0.5)
        assert seen == []


async def test_help_lists_the_keys_of_this_screen(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("question_mark")
        shown = await wait_for(pilot, "Keys that work here")
        assert "begin no more trials" in shown
        assert "go on with a paused" not in shown
