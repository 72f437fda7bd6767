"""The dashboard on a real workspace: real scheduler and workers, and files that are damaged or go away."""

import shutil

from lovt_core.runs.directory import list_runs
from lovt_core.runs.state import read_state
from lovt_tui.app import Dashboard
from tests.core.runs.conftest import wait_for_state, wait_until
from tests.core.runs.conftest import workspace as workspace  # a fixture
from tests.tui.factories import type_in, wait_for

EXPERIMENT = """\
kind: selftest
name: live
selftest: {seconds_per_step: 0.15}
training: {batch_size: 8, accumulate: 1, max_epochs: 500, precision: fp32, device: cpu}
"""


def make_real_app(workspace):
    return Dashboard(workspace, place="~/lab")


async def test_start_watch_quit_come_back_cancel_and_stop(workspace, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    (here / "live.yaml").write_text(EXPERIMENT)
    monkeypatch.chdir(here)
    first = make_real_app(workspace)
    async with first.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("n")
        await wait_for(pilot, " live.yaml")
        await pilot.press("slash")
        type_in(pilot, "live.yaml")
        await pilot.press("enter", "enter")
        await wait_for(pilot, "live can be queued")
        await pilot.press("ctrl+s")
        await wait_for(pilot, "[1 Runs]")
        (run,) = list_runs(workspace)
        wait_until(lambda: read_state(run).state == "running", "the worker")
        await wait_for(pilot, "● running")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "train/loss" in shown and "⠉" in shown)
        await pilot.press("q")
    assert read_state(run).state == "running"
    second = make_real_app(workspace)
    async with second.run_test(notifications=True, size=(120, 40)) as pilot:
        await wait_for(pilot, "● running     live")
        await pilot.press("n")
        await wait_for(pilot, " live.yaml")
        await pilot.press("slash")
        type_in(pilot, "live.yaml")
        await pilot.press("enter", "enter")
        await wait_for(pilot, "live can be queued")
        await pilot.press("equals_sign")
        type_in(pilot, "name=second")
        await pilot.press("enter")
        await wait_for(pilot, "second can be queued")
        await pilot.press("ctrl+s")
        await wait_for(pilot, "▸ ◐ queued      second")
        await pilot.press("x")
        await wait_for(pilot, "Cancel second?")
        await pilot.press("y")
        await wait_for(pilot, "○ cancelled   second")
        await pilot.press("g", "x")
        await wait_for(pilot, "Stop live?")
        await pilot.press("y")
        wait_for_state(run, "stopped")
        shown = await wait_for(pilot, "■ stopped     live")
        assert "r resume" in shown


async def test_a_run_directory_that_vanishes(quiet_workspace):
    async with make_real_app(quiet_workspace).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "two")
        await pilot.press("enter")
        await wait_for(pilot, "[charts]")
        shutil.rmtree(list_runs(quiet_workspace)[0].path)
        await wait_for(pilot, lambda shown: "[1 Runs]" in shown and "one" not in shown.split("╭")[0])


async def test_a_damaged_run_is_counted_and_the_others_are_shown(quiet_workspace):
    damaged = list_runs(quiet_workspace)[0]
    (damaged.path / "experiment.yaml").write_text("{{{")
    async with make_real_app(quiet_workspace).run_test(notifications=True, size=(80, 24)) as pilot:
        shown = await wait_for(pilot, "two")
        assert "! 1 unreadable" in shown


async def test_a_damaged_index_is_built_again(quiet_workspace):
    async with make_real_app(quiet_workspace).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "two")
        for name in ("index.db", "index.db-wal"):  # in place: SQLite maps a third file, which must not shrink
            path = quiet_workspace.path / name
            if path.exists():
                with path.open("r+b") as file:
                    file.write(b"rubbish" * (path.stat().st_size // 7))
        shutil.rmtree(list_runs(quiet_workspace)[0].path)
        await wait_for(pilot, lambda shown: "one" not in shown and "two" in shown)


async def test_a_workspace_that_vanishes_is_said(quiet_workspace):
    async with make_real_app(quiet_workspace).run_test(notifications=True, size=(120, 24)) as pilot:
        await wait_for(pilot, "two")
        shutil.rmtree(quiet_workspace.path)
        await wait_for(pilot, "! workspace unreadable")
        await wait_for(pilot, "No such file or directory")
