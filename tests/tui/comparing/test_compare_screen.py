"""The comparison: what it shows, its keys, what it says of a score, and what happens when something is wrong."""

from dataclasses import replace

import pytest

from lovt_tui.widgets.comparison_table import ComparisonTable
from tests.tui.comparing.comparison_factories import (
    make_compare_app,
    make_half_filled,
    make_wide,
    make_workspace,
    open_comparison,
    running,
)
from tests.tui.factories import FakeIndex, check_snapshot, screen_text, type_in, wait_for

SIZES = ((40, 10), (80, 24), (120, 40), (200, 60))


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "lab")


@pytest.mark.parametrize("size", SIZES)
async def test_whole_screen(workspace, size):
    async with running(make_compare_app(make_half_filled(), workspace), size) as pilot:
        await open_comparison(pilot)
        await pilot.press("P")
        await wait_for(pilot, "†")
        await pilot.press("G", "k", "l", "l", "l")
        await check_snapshot(pilot, f"compare-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", SIZES)
async def test_pinned(workspace, size):
    async with running(make_compare_app(make_half_filled(), workspace), size) as pilot:
        await open_comparison(pilot)
        await pilot.press("G", "k", "p")
        await wait_for(pilot, "▸p")
        await pilot.press("w", "j", "l", "l")
        await pilot.pause(0.2)
        pilot.app.clear_notifications()
        await check_snapshot(pilot, f"compare-pinned-{size[0]}x{size[1]}")


async def test_empty_workspace_says_what_to_do_and_shows_the_paper(workspace):
    async with running(make_compare_app(FakeIndex(), workspace), (80, 24)) as pilot:
        shown = await open_comparison(pilot, "No evaluations yet")
        assert "Try: lovt evaluate imagenet --task covid-linear" in " ".join(shown.split())
        assert "f fill gaps" not in shown
        assert "e export" not in shown
        await pilot.press("P")
        shown = await wait_for(pilot, "Random †")
        assert "RSNA pneumonia" in shown
        assert "15 → more" in shown or "→ more" in shown
        await pilot.press("P")
        await wait_for(pilot, "No evaluations yet")


async def test_cursor_walks_over_rows_and_columns_and_labels_stay(workspace):
    async with running(make_compare_app(make_wide(30), workspace), (80, 24)) as pilot:
        await open_comparison(pilot, "000.pt")
        table = pilot.app.screen.query_one(ComparisonTable)
        assert table.selected.place == 0
        for keys, row, column in (("j", 1, 0), ("l", 1, 1), ("G", 29, 1), ("L", 29, 17), ("k", 28, 17), ("g", 0, 17),
                                  ("H", 0, 0), ("h", 0, 0), ("down", 1, 0), ("right", 1, 1), ("up", 0, 1)):  # fmt: skip
            await pilot.press(keys)
            assert (table.selected.place, table.column.place) == (row, column), keys
        await pilot.press("L")
        shown = await wait_for(pilot, "NIH CXR")
        assert "000.pt" in shown
        assert "← " in shown
        assert "▸" in next(line for line in shown.splitlines() if "000.pt" in line)


async def test_mouse_selects_rows_columns_and_headings_and_opens(workspace):
    async with running(make_compare_app(make_half_filled(), workspace)) as pilot:
        await open_comparison(pilot)
        table = pilot.app.screen.query_one(ComparisonTable)
        window = table.window
        x = 2 + window.label_width + 4 + window.columns[0].width
        await pilot.click(ComparisonTable, offset=(x, 3))
        assert (table.selected.label, table.column.place) == ("random-fitted", 1)
        await pilot.click("ComparisonHeading", offset=(2 + window.label_width + 4, 2))
        assert table.column.place == 0
        await pilot.click(ComparisonTable, offset=(5, 1))
        assert table.selected.label == "random"
        await pilot.click(ComparisonTable, offset=(x, 4), times=2)
        await wait_for(pilot, "╭")
        assert pilot.app.screen.query("#text-lines")


async def test_enter_says_all_of_a_score_and_o_opens_its_run(workspace):
    async with running(make_compare_app(make_half_filled(), workspace)) as pilot:
        await open_comparison(pilot)
        await pilot.press("G", "l", "enter")
        await wait_for(pilot, lambda shown: shown.count("replicate   test %") >= 1 and "◀ chosen" in shown)
        assert pilot.app.screen.query("#text-lines")
        await pilot.press("escape")
        assert not pilot.app.screen.query("#text-lines")
        await pilot.press("enter", "o")
        await wait_for(pilot, "[events]")
        assert "eval-lovt-100" in screen_text(pilot.app)


async def test_published_scores_have_no_run_to_open(workspace):
    async with running(make_compare_app(FakeIndex(), workspace)) as pilot:
        await open_comparison(pilot, "No evaluations yet")
        await pilot.press("P")
        await wait_for(pilot, "Random †")
        await pilot.press("enter")
        shown = await wait_for(pilot, "Published by the authors")
        assert "o open run" not in shown


async def test_pin_shows_differences_significance_marks_them_and_p_again_unpins(workspace):
    async with running(make_compare_app(make_half_filled(), workspace), (160, 40)) as pilot:
        shown = await open_comparison(pilot)
        assert "w Welch" not in shown
        await pilot.press("G", "k", "p")
        shown = await wait_for(pilot, "+8.0")
        assert "▸pimagenet" in shown
        assert "points to imagenet" in " ".join(shown.split())
        assert "+8.0*" not in shown
        await pilot.press("w")
        await wait_for(pilot, "+8.0*")
        await pilot.press("p")
        await wait_for(pilot, lambda shown: "+8.0" not in shown)


async def test_a_pinned_row_of_the_paper_goes_with_its_rows(workspace):
    async with running(make_compare_app(make_half_filled(), workspace), (160, 40)) as pilot:
        await open_comparison(pilot)
        await pilot.press("P")
        await wait_for(pilot, "Random †")
        await pilot.press("g", "p")
        await wait_for(pilot, "▸pRandom †")
        await pilot.press("P")
        shown = await wait_for(pilot, lambda shown: "†" not in shown)
        assert "no row is called" not in shown


async def test_tasks_are_chosen_by_patterns(workspace):
    async with running(make_compare_app(make_half_filled(), workspace), (160, 40)) as pilot:
        await open_comparison(pilot)
        await pilot.press("T")
        await wait_for(pilot, "Tasks to show")
        type_in(pilot, "nih-liner")
        await wait_for(pilot, "did you mean 'nih-linear'")
        await pilot.press(*["backspace"] * 2, *"ear", "enter")
        shown = await wait_for(pilot, lambda shown: "COVID Rural" not in shown and "NIH CXR" in shown)
        assert "imagenet" in shown
        assert "lovt-100" not in shown


async def test_interval_of_the_paper(workspace):
    async with running(make_compare_app(make_half_filled(), workspace), (160, 40)) as pilot:
        await open_comparison(pilot, "Student's t")
        await pilot.press("I")
        await wait_for(pilot, "1.96 standard errors")


async def test_filter_says_how_many_rows_it_hides(workspace):
    async with running(make_compare_app(make_half_filled(), workspace)) as pilot:
        await open_comparison(pilot)
        await pilot.press("slash")
        type_in(pilot, "random")
        shown = await wait_for(pilot, "2 of 4 rows shown, 2 hidden")
        assert "lovt-100 " not in shown
        await pilot.press("enter", "G")
        assert pilot.app.screen.query_one(ComparisonTable).selected.label == "random-fitted"
        await pilot.press("slash")
        type_in(pilot, " nobody")
        await wait_for(pilot, "No row has these words")
        await pilot.press("escape")
        await wait_for(pilot, "imagenet")
        await pilot.press("escape")
        await wait_for(pilot, "[1 Runs]")


async def test_notes_in_words_and_copy(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr("lovt_tui.terminal_app.state_folder", lambda: tmp_path / "state")
    async with running(make_compare_app(make_half_filled(), workspace)) as pilot:
        await open_comparison(pilot)
        await pilot.press("i")
        shown = await wait_for(pilot, "3 of 40 test images are also in the pre-training data")
        assert "half width of the 95 % interval" in shown
        await pilot.press("escape", "y")
        await wait_for(pilot, "copied, also to")
    assert "| imagenet |" in (tmp_path / "state" / "copied.txt").read_text()


async def test_states_move_while_one_looks_and_the_cursor_stays(workspace):
    index = make_half_filled()
    async with running(make_compare_app(index, workspace), (200, 40)) as pilot:
        await open_comparison(pilot, "● running")
        await pilot.press("G", "l")
        table = pilot.app.screen.query_one(ComparisonTable)
        place = (table.selected.key, table.column.place)
        index.put(*(replace(row, state="failed") if row.state == "running" else row for row in index.rows))
        await wait_for(pilot, lambda shown: "● running" not in shown)
        assert (table.selected.key, table.column.place) == place
        index.put(*(row for row in index.rows if "lovt" not in row.name))
        await wait_for(pilot, lambda shown: "lovt-100" not in shown)
        assert table.selected.label == "imagenet"
        index.put()
        await wait_for(pilot, "No evaluations yet")


async def test_damaged_files_are_said_and_the_table_stays(workspace):
    (workspace.path / "results").mkdir()
    (workspace.path / "results" / "theirs.csv").write_bytes(b"\x00\xff")
    index = make_half_filled()
    async with running(make_compare_app(index, workspace)) as pilot:
        await open_comparison(pilot, "imported results are left out")
        assert "imagenet" in screen_text(pilot.app)
        index.problem = OSError(5, "Input/output error")
        shown = await wait_for(pilot, "Input/output error")
        assert "imagenet" in shown


async def test_resize_while_open(workspace):
    async with running(make_compare_app(make_wide(30), workspace)) as pilot:
        await open_comparison(pilot, "000.pt")
        await pilot.press("L", "G")
        table = pilot.app.screen.query_one(ComparisonTable)
        for size in ((40, 10), (200, 60), (80, 24), (300, 60)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            assert any(line.startswith("▸ ") and "29.pt" in line for line in screen_text(pilot.app).splitlines())
            assert table.column.place in [column.place for column in table.window.columns]
        assert table.window.num_left == 0


async def test_nothing_is_drawn_while_nothing_changes(workspace):
    index = make_half_filled()
    async with running(make_compare_app(index, workspace)) as pilot:
        await open_comparison(pilot)
        drawn = []
        table = pilot.app.screen.query_one(ComparisonTable)
        table.show_grid = drawn.append
        index.put(*(replace(row, updated=3.0) for row in index.rows))
        await pilot.pause(0.5)
        assert drawn == []


async def test_help_lists_the_keys_of_the_comparison(workspace):
    async with running(make_compare_app(make_half_filled(), workspace)) as pilot:
        await open_comparison(pilot)
        await pilot.press("question_mark")
        shown = await wait_for(pilot, "Keys that work here")
        for word in ("list what would bring missing scores", "column left", "show differences to this row"):
            assert word in shown
