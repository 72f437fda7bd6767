"""The screen of samples: keys, parts, reports, what is removed meanwhile, whole screens."""

import shutil

import pytest

from lovt_tui.datasets.browsing import Place, SampleBook
from tests.core.data.factories import prepare_quietly, synthesize_quietly
from tests.tui.datasets.data_workspace import SIZES, make_app, open_data, open_samples, wait_for_note
from tests.tui.factories import check_snapshot, screen_text, type_in, wait_for


@pytest.mark.parametrize("size", SIZES)
async def test_whole_screen_of_a_sample(filled, size):
    async with make_app(filled).run_test(notifications=True, size=size) as pilot:
        await open_samples(pilot)
        await check_snapshot(pilot, f"data-samples-{size[0]}x{size[1]}")


async def test_samples_removed_while_they_are_looked_at(filled):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_samples(pilot)
        shutil.rmtree(filled.prepared_root / "covid-rural")
        await wait_for(pilot, "was removed: shown is what was read before")
        await pilot.press("right")
        await wait_for(pilot, "2 of 12")


async def test_samples_by_keys(filled):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        shown = await open_samples(pilot)
        assert "█ lesion" in shown
        await pilot.press("left")
        await wait_for(pilot, "12 of 12")
        await pilot.press("l", "l")
        await wait_for(pilot, lambda shown: "1 of 12" in shown or "2 of 12" in shown)
        await pilot.press("m")
        await wait_for(pilot, lambda shown: "█ lesion" not in shown)
        await pilot.press("slash")
        type_in(pilot, "16400003_02")
        await pilot.press("enter")
        await wait_for(pilot, "COVID-19-AR-16400003_02-01-2012-XR  lesion")
        await pilot.press("slash")
        type_in(pilot, "nobody")
        await pilot.press("enter")
        await wait_for_note(pilot, "has no sample 'nobody'")
        await pilot.press("escape")
        await wait_for(pilot, "▸ covid-rural")


async def test_parts_and_other_splits(filled):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_samples(pilot)
        await pilot.press("p")
        await wait_for(pilot, "another split … (now patient:0)")
        await pilot.press("j", "enter")
        shown = await wait_for(pilot, "training · covid-rural")
        position = next(line for line in shown.splitlines() if "training · covid-rural" in line)
        book = SampleBook(filled.prepared_root / "covid-rural" / "32-0123abcd")
        await pilot.press("slash")
        await wait_for(pilot, "Find a sample of training")
        type_in(pilot, book.view(Place("test", 0)).id)
        await pilot.press("enter")
        await wait_for_note(pilot, "is in test; choose test to see it")
        assert position in screen_text(pilot.app)
        await pilot.press("p", "G", "enter")
        await wait_for(pilot, "patient:SEED")
        type_in(pilot, "half")
        await wait_for(pilot, "unknown split 'half'")
        pilot.app.focused.value = "published"
        await pilot.press("enter")
        await wait_for_note(pilot, "has none of the 221 samples")
        await pilot.press("p", "G", "enter")
        type_in(pilot, "patient:5")
        await pilot.press("enter", "p")
        await wait_for(pilot, "another split … (now patient:5)")


async def test_reports_stand_beside_paired_films_and_studies_have_several(workspace, tmp_path):
    source = synthesize_quietly(tmp_path / "openi", "openi", 8)
    data = prepare_quietly("openi", source, workspace.prepared_root)
    async with make_app(workspace).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "openi")
        await pilot.press("v")
        shown = await wait_for(pilot, "report")
        assert "m marks" not in shown
        sample = next(each for each in data.samples if f" {each.id}" in shown)
        assert sample.sentences[0].split()[0] in shown
        if len(sample.images) > 1:
            await pilot.press("i")
            await wait_for(pilot, "image 2 of")


async def test_saving_a_sample_as_png(filled, tmp_path):
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_samples(pilot)
        await pilot.press("e")
        await wait_for(pilot, "Save as PNG in the folder")
        pilot.app.focused.value = str(tmp_path / "out")
        await pilot.press("enter")
        await wait_for_note(pilot, "saved ")
        assert len(list((tmp_path / "out").glob("*.png"))) == 1


async def test_several_sizes_are_asked_for(filled, tmp_path):
    prepare_quietly("covid-rural", tmp_path / "rural", filled.prepared_root, size=64)
    async with make_app(filled).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_data(pilot, "covid-rural")
        await wait_for(pilot, "32, 64")
        await pilot.press("enter")
        await wait_for(pilot, "covid-rural at")
        await pilot.press("j", "enter")
        await wait_for(pilot, "· covid-rural at 64 px")
