"""The screen of data sets, their samples, and the form that prepares one: keys, mouse, bad input, whole screens."""

import shutil
import time

import pytest

from lovt_tui.widgets.data_table import SetTable
from lovt_tui.widgets.picture import Picture
from tests.tui.datasets.data_workspace import SIZES, make_app, open_data, wait_for_note
from tests.tui.factories import check_snapshot, screen_text, wait_for


@pytest.mark.parametrize("size", SIZES)
async def test_whole_screen(filled, size):
    async with make_app(filled).run_test(notifications=True, size=size) as pilot:
        await open_data(pilot, "covid-rural")
        await wait_for(pilot, lambda shown: size[1] < 16 or "counting" not in shown)
        await wait_for(pilot, lambda shown: size[0] < 100 or "█ lesion" in shown)
        await check_snapshot(pilot, f"data-{size[0]}x{size[1]}")


async def test_an_empty_workspace_says_how_to_prepare(workspace):
    async with make_app(workspace).run_test(notifications=True, size=(80, 24)) as pilot:
        await open_data(pilot)
        shown = await wait_for(pilot, "press n, with the folder of the download")
        assert shown.count("○ not prepared") == 9
        for absent in ("c check", "o overlap", "i statistics", "x stop"):
            assert absent not in shown


async def test_every_state_is_told_by_a_word(filled):
    async with make_app(filled).run_test(notifications=True, size=(80, 24)) as pilot:
        shown = await open_data(pilot)
        for name, word in (
            ("covid-rural", "✔ prepared"), ("siim", "▲ newer format"), ("object-cxr", "✘ damaged"),
            ("rsna", "● preparing 40%"), ("openi", "○ not prepared"),
        ):  # fmt: skip
            assert word in next(line for line in shown.splitlines() if f" {name} " in line)
        assert "1,200 of 3,000 samples, 1m01s left" in shown
        await pilot.press("G")
        await wait_for(pilot, "refused: nih-cxr: 1 files")
        await open_data(pilot, "siim")
        await wait_for(pilot, "has a newer format")
        await open_data(pilot, "object-cxr")
        await wait_for(pilot, "is damaged")


async def test_nothing_is_read_or_drawn_again_while_nothing_changes(filled, monkeypatch):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "covid-rural")
        await wait_for(pilot, "█ lesion")
        monkeypatch.setattr("lovt_tui.pages.data._read_row", lambda *given: pytest.fail("read again"))
        posted = []
        pilot.app._poller._post = posted.append
        await pilot.pause(0.5)
        assert posted == []


async def test_a_set_removed_while_it_is_looked_at(filled):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "covid-rural")
        await wait_for(pilot, "█ lesion")
        shutil.rmtree(filled.prepared_root / "covid-rural")
        shown = await wait_for(pilot, "press n, with the folder of the download")
        assert "█ lesion" not in shown
        await pilot.press("c", "o", "i")
        assert "Prepare" not in screen_text(pilot.app)


async def test_a_version_that_breaks_later_says_so(filled):
    (filled.prepared_root / "covid-rural" / "32-0123abcd" / "samples.jsonl").write_text("{")
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "covid-rural")
        await wait_for(pilot, "cannot be counted")
        await pilot.press("i")
        await wait_for_note(pilot, "statistics of covid-rural: cannot read")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "cannot read" in shown and "data set " not in shown)
        await pilot.press("right", "n", "m", "p", "slash", "e", "escape")
        await wait_for(pilot, "▸ covid-rural")


async def test_an_unreadable_folder_is_said(workspace):
    workspace.prepared_root.write_text("a file")
    async with make_app(workspace).run_test(notifications=True, size=(120, 24)) as pilot:
        await open_data(pilot)
        await wait_for(pilot, "cannot read the folder of prepared data")
        workspace.prepared_root.unlink()
        await wait_for(pilot, lambda shown: "cannot read the folder" not in shown)


async def test_check_and_statistics(filled):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "covid-rural")
        for key, title, expected in (
            ("c", "check of covid-rural", "✘ damaged"),
            ("i", "statistics of covid-rural", "images with a finding"),
        ):
            await pilot.press(key)
            await wait_for(pilot, lambda shown, both=(title, expected): all(text in shown for text in both))
            await pilot.press("escape")
            await wait_for(pilot, lambda shown, title=title: f"│ {title}" not in shown)


async def test_overlap(filled):
    for broken in ("siim", "object-cxr"):
        shutil.rmtree(filled.prepared_root / broken)
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "covid-rural")
        await pilot.press("o")
        await wait_for(pilot, "Pairs of data sets that share no film: 1 of 1")


async def test_a_look_that_nobody_waits_for_is_dropped(filled, monkeypatch):
    ended = []

    def slow(row):
        time.sleep(0.5)
        ended.append(row)
        return ()

    monkeypatch.setattr("lovt_tui.screens.data_acting.check_versions", slow)
    async with make_app(filled).run_test(notifications=True, size=(80, 24)) as pilot:
        await open_data(pilot, "covid-rural")
        await pilot.press("c")
        await wait_for(pilot, "check of covid-rural …")
        await pilot.press("escape")
        await wait_for(pilot, lambda shown: "check of" not in shown)
        while not ended:
            await pilot.pause(0.05)
        await pilot.pause(0.2)
        assert "check of" not in screen_text(pilot.app)


async def test_a_look_that_ends_elsewhere_is_only_said(filled, monkeypatch):
    def slow(row):
        time.sleep(0.5)
        return ()

    monkeypatch.setattr("lovt_tui.screens.data_acting.check_versions", slow)
    async with make_app(filled).run_test(notifications=True, size=(80, 24)) as pilot:
        await open_data(pilot, "covid-rural")
        await pilot.press("c", "1")
        await wait_for_note(pilot, "covid-rural: 0 versions checked")
        assert "[1 Runs]" in screen_text(pilot.app)


async def test_tab_leads_to_the_text_and_escape_back_step_by_step(filled):
    async with make_app(filled).run_test(notifications=True, size=(40, 10)) as pilot:
        await open_data(pilot, "covid-rural")
        await pilot.press("tab")
        shown = await wait_for(pilot, "COVID Rural")
        assert "▸" not in shown
        await pilot.press("escape")
        await wait_for(pilot, "▸ covid-rural")
        await pilot.press("escape")
        await wait_for(pilot, "[1 Runs]")


async def test_mouse_selects_opens_and_turns_pages(filled):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot)
        await pilot.click(SetTable, offset=(10, 6))
        await wait_for(pilot, "▸ covid-rural")
        await pilot.click(SetTable, offset=(10, 6), times=2)
        await wait_for(pilot, "1 of 12")
        await pilot.click(Picture, offset=(50, 10))
        await wait_for(pilot, "2 of 12")
        await pilot.click(Picture, offset=(5, 10))
        await wait_for(pilot, "1 of 12")


async def test_without_colour_letters_stand_for_marks(filled, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "covid-rural")
        shown = await wait_for(pilot, "LLL")
        assert "L lesion" in shown
        assert "▀" not in shown
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "LLL" in shown and "1 of 12" in shown)


async def test_the_address_is_copied(filled, tmp_path):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "nih-cxr")
        await pilot.press("y")
        await wait_for_note(pilot, "copied, also to")
        assert "nih" in (tmp_path / "state" / "lovt" / "copied.txt").read_text()


async def test_resize(filled):
    async with make_app(filled).run_test(notifications=True, size=(200, 60)) as pilot:
        await open_data(pilot, "covid-rural")
        await wait_for(pilot, "█ lesion")
        for size in ((40, 10), (10, 3), (120, 40), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await wait_for(pilot, lambda shown: "counting" not in shown)
        await check_snapshot(pilot, "data-80x24")
