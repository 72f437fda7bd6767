"""The list of runs: what it shows, its keys, its filter, and what it says when something is wrong."""

from dataclasses import replace

import pytest

from lovt_tui.widgets.run_table import RunTable
from tests.tui.factories import FakeIndex, check_snapshot, make_app, make_row, type_in, wait_for


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
async def test_whole_screen(index, tmp_path, size):
    async with make_app(index, tmp_path).run_test(notifications=True, size=size) as pilot:
        await wait_for(pilot, lambda shown: "tau03" in shown and ("⠉" in shown or size[1] < 16))
        await check_snapshot(pilot, f"runs-{size[0]}x{size[1]}")


async def test_empty_workspace_says_what_to_do(tmp_path):
    async with make_app(FakeIndex(), tmp_path).run_test(notifications=True, size=(80, 24)) as pilot:
        shown = await wait_for(pilot, "No runs yet. Press n, or try: lovt demo")
        assert shown.splitlines()[-1] == " n new  / filter  ? help  q quit"


async def test_states_are_told_apart_by_words(tmp_path):
    states = (
        "queued", "launched", "running", "finished", "failed", "stopped", "pruned", "interrupted", "cancelled", "lost"
    )  # fmt: skip
    index = FakeIndex(*(make_row(f"run-{state}", state) for state in states))
    async with make_app(index, tmp_path).run_test(notifications=True, size=(80, 30)) as pilot:
        shown = await wait_for(pilot, "run-lost")
        for state in states:
            line = next(line for line in shown.splitlines() if f"run-{state}" in line)
            assert f" {state} " in line


async def test_live_update_keeps_the_cursor_on_its_run(index, tmp_path):
    app = make_app(index, tmp_path)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("j")
        await wait_for(pilot, "▸ ◐ queued")
        running, *rest = index.rows
        newcomer = make_row("newcomer", "running")
        index.put(newcomer, replace(running, done=42), *rest)
        shown = await wait_for(pilot, "newcomer")
        assert "▸ ◐ queued      convirt" in shown
        assert "42%" in shown


async def test_nothing_is_posted_while_nothing_changes(index, tmp_path):
    app = make_app(index, tmp_path)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "⠉")
        seen = []
        app._post_snapshot = seen.append
        app._poller._post = seen.append
        await pilot.pause(0.5)
        assert seen == []


async def test_keys_move_the_cursor(index, tmp_path):
    app = make_app(index, tmp_path)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        table = app.screen.query_one(RunTable)
        for key, name in (("G", "baseline"), ("g", "tau03"), ("down", "convirt"), ("k", "tau03"), ("end", "baseline")):
            await pilot.press(key)
            assert table.selected.name == name
        await pilot.press("home", "pagedown")
        assert table.selected.name == "baseline"


async def test_mouse_selects_and_opens(index, tmp_path):
    app = make_app(index, tmp_path)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.click(RunTable, offset=(20, 3))
        assert app.screen.query_one(RunTable).selected.name == "eval-tau03"
        await pilot.click(RunTable, offset=(20, 3), times=2)
        await wait_for(pilot, "[events]")
        await pilot.click("TopBar", offset=(18, 0))
        await wait_for(pilot, "[1 Runs]")


async def test_reason_of_a_failed_run_stands_in_place(index, tmp_path):
    async with make_app(index, tmp_path).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("down", "down", "down")
        shown = await wait_for(pilot, "training.batch_size below 128")
        assert "CUDA out of memory" in next(line for line in shown.splitlines() if line.startswith("▸"))
        assert "r resume" in shown
        assert "x stop" not in shown


async def test_filter_and_what_is_wrong_with_it(index, tmp_path):
    app = make_app(index, tmp_path)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("slash")
        type_in(pilot, "state:fail")
        shown = await wait_for(pilot, "1 of 5 runs shown, 4 hidden")
        assert "simclr" in shown
        assert "convirt" not in shown
        await pilot.press("x")
        shown = await wait_for(pilot, "no state is 'failx', did you mean failed?")
        assert "simclr" in shown
        await pilot.press("backspace", "enter")
        assert app.screen.query_one(RunTable).has_focus
        await pilot.press("escape")
        await wait_for(pilot, "convirt")
        await pilot.press("slash")
        type_in(pilot, "nothing")
        await wait_for(pilot, "No run fits the filter. esc shows all.")
        await pilot.press("escape")
        await wait_for(pilot, "convirt")


async def test_keys_of_the_bar_are_those_that_work_while_typing(index, tmp_path):
    async with make_app(index, tmp_path).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("slash", "q")
        shown = await wait_for(pilot, "ctrl+q quit")
        assert "? help" not in shown
        assert "F1 help" in shown


async def test_unreadable_runs_and_workspaces_are_said_not_raised(index, tmp_path):
    async with make_app(index, tmp_path).run_test(notifications=True, size=(120, 24)) as pilot:
        await wait_for(pilot, "tau03")
        index.unreadable = {"20260901-120000-x-0002": "origin.json cannot be read"}
        await wait_for(pilot, "! 1 unreadable")
        await wait_for(pilot, "run 20260901-120000-x-0002 cannot be read: origin.json cannot be read")
        index.problem = OSError(5, "Input/output error")
        shown = await wait_for(pilot, "Input/output error")
        assert "tau03" in shown
        index.problem = None
        await wait_for(pilot, lambda shown: "Input/output error" not in shown)


async def test_resize(index, tmp_path):
    async with make_app(index, tmp_path).run_test(notifications=True, size=(120, 40)) as pilot:
        await wait_for(pilot, "⠉")
        for size in ((40, 10), (200, 60), (10, 3), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await wait_for(pilot, "⠉")
        await check_snapshot(pilot, "runs-80x24")


async def test_stop_asks_first(index, tmp_path, monkeypatch):
    stopped = []
    monkeypatch.setattr(
        "lovt_tui.screens.run_acting.stop_runs", lambda workspace, run_ids: stopped.extend(run_ids) or "it stops"
    )
    async with make_app(index, tmp_path).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("x")
        await wait_for(pilot, "Stop tau03?")
        await pilot.press("n")
        await wait_for(pilot, lambda shown: "Stop tau03?" not in shown)
        assert stopped == []
        await pilot.press("x")
        await wait_for(pilot, "Stop tau03?")
        await pilot.press("y")
        await wait_for(pilot, "it stops")
        assert stopped == [index.rows[0].id]


async def test_stop_of_a_stopping_run_kills(index, tmp_path, monkeypatch):
    killed = []
    monkeypatch.setattr(
        "lovt_tui.screens.run_acting.kill_runs", lambda workspace, run_ids: killed.extend(run_ids) or "killed"
    )
    index.put(replace(index.rows[0], stop_asked=True))
    async with make_app(index, tmp_path).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "stopping")
        await pilot.press("x")
        await wait_for(pilot, "checkpoint is lost")
        await pilot.press("y")
        await wait_for(pilot, "killed")
        assert killed == [index.rows[0].id]


async def test_refused_requests_are_explained(index, tmp_path):
    async with make_app(index, tmp_path).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("x")
        await wait_for(pilot, "Stop tau03?")
        await pilot.press("y")
        await wait_for(pilot, "removed")  # the last word, wherever the path makes the sentence wrap


async def test_ctrl_z_says_so_where_no_shell_could_wake_the_dashboard(index, tmp_path):
    async with make_app(index, tmp_path).run_test(notifications=True, size=(80, 40)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("ctrl+z")
        await wait_for(pilot, "no shell could wake")
        await pilot.press("question_mark", "end")
        await wait_for(pilot, lambda shown: "fg goes on" in shown and "ctrl+z" in shown)


async def test_ctrl_c_says_how_to_quit(index, tmp_path):
    app = make_app(index, tmp_path)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("ctrl+c")
        await wait_for(pilot, "q leaves the dashboard")
        await pilot.press("q")
    assert app.return_code == 0
