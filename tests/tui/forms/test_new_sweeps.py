"""Sweeps on the screen that starts runs."""

from lovt_core.sweeps.folder import list_sweeps
from tests.tui.factories import type_in, wait_for
from tests.tui.forms.new_screen import WIDE, begin, go_to, make_new_app


async def test_a_sweep_is_edited_and_started(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "small.yaml")
        await wait_for(pilot, "✔ sweep small can start: 3 trials over 1 parameter")
        await go_to(pilot, "base:training.batch_size")
        assert "v search over" in await wait_for(pilot, "v search over")
        await pilot.press("v")
        await wait_for(pilot, "Search training.batch_size over")
        await pilot.press("ctrl+u")
        type_in(pilot, "8 to 4")
        await wait_for(pilot, "exchange them")
        await pilot.press("ctrl+u")
        type_in(pilot, "4 to 8 step 4")
        await pilot.press("enter")
        await wait_for(pilot, "~ 4 to 8 step 4")
        await wait_for(pilot, "over 2 parameters")
        await pilot.press("ctrl+s")
        await wait_for(pilot, "[3 Sweeps]")
    (folder,) = list_sweeps(workspace)
    assert folder.config().space["training.batch_size"].step == 4


async def test_a_search_over_a_key_is_ended_by_an_empty_line(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "small.yaml")
        await go_to(pilot, "base:training.optimiser.learning_rate")
        await pilot.press("v")
        await wait_for(pilot, "Search training.optimiser.learning_rate over")
        await pilot.press("ctrl+u", "enter")
        await wait_for(pilot, "✘ space: must have at least 1 value, not 0")
