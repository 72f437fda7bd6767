"""The form that prepares a data set, and what becomes of it."""

from dataclasses import asdict, replace

import pytest

from lovt_tui.datasets.preparing import preparation_files, read_preparation, write_preparation
from tests.core.data.factories import write_rural
from tests.tui.datasets.data_workspace import SIZES, make_app, open_data, wait_for_note
from tests.tui.factories import NOW, check_snapshot, screen_text, type_in, wait_for


@pytest.mark.parametrize("size", SIZES)
async def test_whole_form(filled, size):
    async with make_app(filled).run_test(notifications=True, size=size) as pilot:
        await open_data(pilot, "covid-rural")
        await wait_for(pilot, lambda shown: size[0] < 100 or "█ lesion" in shown)
        await pilot.press("n")
        await wait_for(pilot, "Prepare covid-rural")
        type_in(pilot, "/absent")
        await wait_for(pilot, "'/absent' is no")
        await check_snapshot(pilot, f"data-prepare-{size[0]}x{size[1]}")


async def test_preparing_from_the_form_to_the_end(workspace, tmp_path):
    source = write_rural(tmp_path / "rural")
    async with make_app(workspace).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "covid-rural")
        await pilot.press("enter")
        await wait_for(pilot, "Prepare covid-rural")
        await pilot.press("enter")
        await wait_for(pilot, "'' is no folder")
        type_in(pilot, str(source))
        await wait_for(pilot, "its tables: 6 masks, 3 patients")
        await pilot.press("tab")
        type_in(pilot, "32")
        await pilot.press("down", "down", "down")
        type_in(pilot, "1")
        await pilot.press("enter")
        await wait_for_note(pilot, "is being prepared; this goes on when the dashboard is left")
        await wait_for_note(pilot, "covid-rural prepared")
        await wait_for(pilot, "with a finding")


async def test_the_form_reads_the_tables_of_the_folder(workspace, tmp_path):
    async with make_app(workspace).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "rsna")
        await pilot.press("n")
        type_in(pilot, str(write_rural(tmp_path / "rural")))
        await wait_for(pilot, "expected layout:")
        await pilot.press("tab")
        type_in(pilot, "many")
        await wait_for(pilot, "size: 'many' is no whole number")
        await pilot.press("enter")
        assert "Prepare rsna" in screen_text(pilot.app)
        await pilot.press("escape")
        await wait_for(pilot, lambda shown: "Prepare rsna" not in shown)
        assert not preparation_files(workspace, "rsna").record.exists()


async def test_stopping_asks_first(filled, monkeypatch):
    asked = []
    monkeypatch.setattr("lovt_tui.screens.data_acting.stop_preparing", lambda place, name: asked.append(name) or "ok")
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        shown = await open_data(pilot, "rsna")
        assert "n prepare" not in shown
        await pilot.press("x")
        await wait_for(pilot, "Stop preparing rsna?")
        await pilot.press("n", "x", "y")
        await wait_for_note(pilot, "ok")
        assert asked == ["rsna"]


async def test_the_end_of_a_preparation_is_said(filled):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "rsna")
        files = preparation_files(filled, "rsna")
        now = read_preparation(files, NOW)
        write_preparation(files, replace(now, state="refused", message="rsna: 2 files cannot be used"))
        await wait_for_note(pilot, "rsna refused: 2 files cannot be used")
        assert asdict(read_preparation(files, NOW))["state"] == "refused"
