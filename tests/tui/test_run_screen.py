"""One run: its panes, curves, log, search, and what happens when it goes away."""

from dataclasses import replace

import pytest
from PIL import Image
from textual.widgets import SelectionList

from lovt_core.runs.records import Curve
from lovt_tui.screens.run import RunScreen
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.panes import arrange_panes
from tests.tui.factories import NOW, check_snapshot, make_app, make_curve, make_row, screen_text, type_in, wait_for


@pytest.fixture
def folder(index, tmp_path):
    """Files of the running run."""
    run = tmp_path / "runs" / index.rows[0].id
    run.mkdir(parents=True)
    (run / "experiment.yaml").write_text("kind: pretrain\nname: tau03\n# a comment\ntraining:\n  batch_size: 32\n")
    lines = [f"line {number}" for number in range(1, 101)]
    (run / "log.txt").write_text(
        "\n".join([*lines, "progress 1 %\rprogress 100 %", "\x1b[31mred\x1b[0m warning"]) + "\n"
    )
    return tmp_path / "runs"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_whole_screen(index, folder, size):
    async with make_app(index, folder).run_test(notifications=True, size=size) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "epoch 4.10" in shown and "⠉" in shown)
        await check_snapshot(pilot, f"run-{size[0]}x{size[1]}")


async def test_tab_goes_through_the_panes(index, folder):
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "[charts]")
        await pilot.press("tab")
        shown = await wait_for(pilot, "red warning")
        assert "progress 100 %" in shown
        assert "progress 1 %" not in shown
        await pilot.press("tab")
        await wait_for(pilot, "  batch_size: 32")
        await pilot.press("tab")
        await wait_for(pilot, "Pin another run on the list of runs")
        await pilot.press("tab")
        await wait_for(pilot, "79 pairs are few")
        await pilot.press("tab")
        await wait_for(pilot, "Nothing is saved yet.")
        await pilot.press("tab")
        await wait_for(pilot, "train/loss  3.500")
        await pilot.press("tab")
        await wait_for(pilot, "No pictures.")
        await pilot.press("tab")
        await wait_for(pilot, "[charts]")
        await pilot.press("shift+tab")
        await wait_for(pilot, "[pictures]")
        await pilot.click("PaneBar", offset=(12, 0))
        await wait_for(pilot, "[log]")
        await pilot.press("escape")
        await wait_for(pilot, "[1 Runs]")


async def test_log_is_followed_until_somebody_scrolls_up(index, folder):
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter", "tab")
        await wait_for(pilot, "red warning")
        log = folder / index.rows[0].id / "log.txt"
        with log.open("a") as file:
            file.write("the newest line\n")
        await wait_for(pilot, "the newest line")
        await pilot.press("k", "k")
        await wait_for(pilot, "paused, f follows")
        with log.open("a") as file:
            file.write("not seen at once\n")
        await pilot.pause(0.4)
        assert "not seen at once" not in screen_text(pilot.app)
        await pilot.press("f")
        await wait_for(pilot, "not seen at once")


async def test_search(index, folder):
    app = make_app(index, folder)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter", "tab")
        await wait_for(pilot, "red warning")
        await pilot.press("slash")
        type_in(pilot, "LINE 9")
        await pilot.press("enter")
        await wait_for(pilot, "log · 11 hits")
        await pilot.press("n")
        shown = await wait_for(pilot, "log · hit 1 of 11")
        assert "│line 9 " in shown
        await pilot.press("N")
        await wait_for(pilot, "log · hit 11 of 11")
        await pilot.press("escape")
        assert app.screen.query_one("#log", LineView).search.text == ""
        await pilot.press("slash")
        type_in(pilot, "absent")
        await pilot.press("enter")
        await wait_for(pilot, "'absent' is not in the log")


async def test_charts_keys(index, folder):
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "⠉")
        for key, sign in (("L", "val/loss · log"), ("X", "epoch"), ("X", "elapsed"), ("plus", "mean of 5")):
            await pilot.press(key)
            await wait_for(pilot, sign)
        await pilot.press("minus", "L", "X")
        await wait_for(pilot, lambda shown: "mean of" not in shown and "· log" not in shown)


async def test_choosing_curves(index, folder):
    run = index.rows[0].id
    index.curves[run] += [make_curve(f"val/local/{number}") for number in range(8)]
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "⠉")
        await pilot.press("m")
        shown = await wait_for(pilot, "Curves to show")
        assert "X▌ val/loss" in shown  # ticked
        assert " ▌ val/local/6" in shown  # not ticked, told without colour
        assert "space ticks, enter shows them, esc forgets the ticks" in shown
        await wait_for(
            pilot, lambda text: "this step: learning rate of the optimiser" in text and "enter show these" in text
        )
        pilot.app.screen.query_one(SelectionList).toggle_all()
        await pilot.press("space", "space", "enter")
        await wait_for(pilot, lambda shown: "Curves to show" not in shown and "val/local/6" in shown)
        await pilot.press("m", "a")
        await wait_for(pilot, lambda shown: "val/local/6" not in shown and "val/loss" in shown)


async def test_curves_grow_live(index, folder):
    running = index.rows[0]
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "3.164")
        index.curves[running.id] = [make_curve("val/loss", 200)]
        index.put(replace(running, done=80, updated=NOW), *index.rows[1:])
        shown = await wait_for(pilot, "3.000 · ◆ best 3.000")
        assert "step 80/100" in shown


async def test_values_that_are_not_finite_are_marked(index, folder):
    running = index.rows[0]
    nan = float("nan")
    index.curves[running.id] = [Curve("train/loss", (1, 2, 3), (0.1, 0.2, 0.3), (NOW, NOW, NOW), (1.0, nan, 2.0))]
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "× 1 not finite")


async def test_failed_run_says_why(index, folder):
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("down", "down", "down", "enter")
        shown = await wait_for(pilot, "No curves yet.")
        assert " CUDA out of memory at step 12: set training.batch_size below 128" in shown
        assert "r resume" in shown
        assert "L log scale" not in shown


async def test_a_run_that_vanishes_leads_back_with_a_word(index, folder):
    app = make_app(index, folder)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "[charts]")
        index.put(*index.rows[1:])
        shown = await wait_for(pilot, "its directory was removed")
        assert "[1 Runs]" in shown
        assert not isinstance(app.screen, RunScreen)


async def test_the_end_of_the_help_can_be_read_where_it_does_not_fit(index, folder):
    async with make_app(index, folder).run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "[charts]")
        await pilot.press("question_mark")
        await wait_for(pilot, lambda shown: "Keys that work here" in shown and "esc close" in shown)
        await pilot.press("end")
        await wait_for(pilot, lambda shown: "f follows again." in shown and "close" in shown)


async def test_help_lists_the_keys_that_work_here(index, folder):
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "⠉")
        await pilot.press("question_mark")
        shown = await wait_for(pilot, "Keys that work here")
        assert "logarithmic or linear values" in shown
        assert "next hit" not in shown
        await pilot.press("escape")
        await wait_for(pilot, lambda shown: "Keys that work here" not in shown)


async def test_evaluation_shows_its_results(index, folder):
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("down", "down", "enter")
        shown = await wait_for(pilot, "0.701 ± 0.011   covid-linear  dice")
        assert "[events]" in shown
        assert "100%  replicate 5/5" in shown


async def test_names_cannot_steer_the_terminal(index, folder):
    index.put(make_row("evil", "failed", detail="\x1b]0;title\x07\x1b[2Jcleared [bold]markup[/]"))
    async with make_app(index, folder).run_test(notifications=True, size=(80, 24)) as pilot:
        shown = await wait_for(pilot, "cleared [bold]markup[/]")
        assert "\x1b" not in shown


async def test_pictures_of_an_evaluation_stand_where_a_training_has_its_curves(index, folder):
    judged = index.rows[2]
    artifacts = folder / judged.id / "artifacts"
    artifacts.mkdir(parents=True)
    for name, level in (("dark", 20), ("light", 220)):
        Image.new("L", (64, 64), level).save(artifacts / f"{name}.png")
    (artifacts / "predictions").mkdir()
    (artifacts / "predictions" / "covid-linear.npz").write_bytes(b"broken")
    (folder / "runs").symlink_to(folder)  # the workspace of the app is this folder
    async with make_app(index, folder).run_test(notifications=True, size=(120, 40)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("down", "down", "enter")
        shown = await wait_for(pilot, "1 of 5 pictures  dark.png")
        assert "[events]" in shown
        await wait_for(pilot, "▀▀▀▀")
        await pilot.press("tab", "tab", "tab", "right")  # files, system, pictures
        await wait_for(pilot, "2 of 5 pictures  light.png")
        await pilot.press("right")
        await wait_for(pilot, "3 of 5 pictures  covid-linear: best")
        await wait_for(pilot, "cannot read the predictions")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_sheets_of_regions_are_shown_part_by_part_with_their_sentences(index, folder, size):
    import numpy as np

    from lovt_core.data.region_pictures import RegionMap, draw_region_sheet

    regions = folder / index.rows[0].id / "artifacts" / "regions"
    regions.mkdir(parents=True)
    maps = tuple(RegionMap(str(n), f"sentence number {n}", np.full((2, 2), 0.25)) for n in (1, 2))
    for name in ("film-1", "film-2"):
        (regions / f"{name}.png").write_bytes(draw_region_sheet(np.full((64, 64), 200, dtype=np.uint8), maps))
    (folder / "runs").symlink_to(folder)
    async with make_app(index, folder).run_test(notifications=True, size=size) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("enter")
        await wait_for(pilot, "epoch 4.10")
        await pilot.press("shift+tab")
        shown = await wait_for(
            pilot, lambda text: "1 of 2 pictures, part 1 of 3 (h/l)  film-1" in text and "▀▀▀▀" in text
        )
        assert sum("▀▀▀▀" in line for line in shown.splitlines()) >= 14
        await pilot.press("l", "l")
        await wait_for(pilot, lambda text: "part 3 of 3" in text and "sentence number 2" in text)
        await pilot.press("l")
        await wait_for(pilot, lambda text: "2 of 2 pictures, part 1 of 3" in text)
        await pilot.press("h")
        await wait_for(pilot, lambda text: "1 of 2 pictures, part 3 of 3" in text)


def test_panes_by_size():
    assert arrange_panes(80, 24, "log", "log", "charts") == ("log",)
    assert arrange_panes(120, 40, "log", "log", "charts") == ("charts", "log")
    assert arrange_panes(120, 40, "events", "events", "pictures") == ("pictures", "events")
    assert arrange_panes(120, 40, "pictures", "pictures", "pictures") == ("pictures", "events")
    assert arrange_panes(200, 60, "log", "log", "charts") == ("charts", "log", "events", "config")
    assert arrange_panes(200, 60, "files", "files", "pictures") == ("pictures", "log", "events", "files")
