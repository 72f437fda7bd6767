"""What keys do to runs on a disk: tags, notes, priorities, the trash and back, export, the queue."""

import json

import pytest

from lovt_core.errors import InputError
from lovt_core.runs.control import read_control, read_labels
from lovt_core.runs.directory import list_runs
from lovt_core.runs.queue_file import read_order
from lovt_tui.actions.export import list_exports
from lovt_tui.actions.runs import change_tags, pause_queue, resume_runs, stop_runs, toggle_queue, trash_runs
from lovt_tui.app import Dashboard
from tests.tui.factories import make_curve, make_row, make_two_runs, type_in, wait_for


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Two queued runs, and nobody who starts them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("lovt_core.runs.queueing.requests.ensure_scheduler", lambda workspace: None)
    monkeypatch.chdir(tmp_path)
    return make_two_runs(tmp_path / "lovt-workspace")


def labels(run):
    return read_labels(read_control(run.control))


def find(workspace, name):
    return next(run for run in list_runs(workspace) if run.name == name)


async def test_tags_note_priority_and_copy(workspace, tmp_path):
    async with Dashboard(workspace, place="~/lab").run_test(notifications=True, size=(100, 30)) as pilot:
        await wait_for(pilot, "one")
        await pilot.press("space", "space", "t")
        await wait_for(pilot, "Tags to add")
        type_in(pilot, "tau draft")
        await pilot.press("enter")
        await wait_for(pilot, "2 of 2 runs tagged")
        assert [labels(run).tags for run in list_runs(workspace)] == [["tau", "draft"]] * 2 or [
            tuple(labels(run).tags) for run in list_runs(workspace)
        ] == [("tau", "draft")] * 2
        await pilot.press("t")
        type_in(pilot, "-draft Bad!")
        await wait_for(pilot, "Bad!")
        await pilot.press("escape", "escape", "a")
        await wait_for(pilot, "Note (empty: none)")
        type_in(pilot, "look at this")
        await pilot.press("enter")
        await wait_for(pilot, "noted")
        await pilot.press("greater_than_sign", "greater_than_sign")
        await wait_for(pilot, "priority 1")
        await pilot.press("y")
        await wait_for(pilot, "copied, also to")
    copied = (tmp_path / "state" / "lovt" / "copied.txt").read_text().strip()
    assert copied in {run.id for run in list_runs(workspace)}
    noted = [run for run in list_runs(workspace) if labels(run).note == "look at this"]
    assert len(noted) == 1
    assert labels(noted[0]).priority >= 1


async def test_the_trash_and_back(workspace):
    stop_runs(workspace, [find(workspace, "one").id])
    async with Dashboard(workspace, place="~/lab").run_test(notifications=True, size=(100, 30)) as pilot:
        await wait_for(pilot, "cancelled")
        await pilot.press("slash")
        type_in(pilot, "state:cancelled")
        await pilot.press("enter", "D")
        await wait_for(pilot, "Move one to the trash?")
        await pilot.press("y")
        await wait_for(pilot, "No run fits the filter")
        assert [run.name for run in list_runs(workspace)] == ["two"]
        await pilot.press("u")
        await wait_for(pilot, "1 of 2 runs shown")
        assert {run.name for run in list_runs(workspace)} == {"one", "two"}
        await pilot.press("r")
        await wait_for(pilot, "attempt 2")


async def test_export_and_the_queue(workspace, tmp_path):
    async with Dashboard(workspace, place="~/lab").run_test(notifications=True, size=(100, 30)) as pilot:
        await wait_for(pilot, "one")
        await pilot.press("e")
        await wait_for(pilot, "list of 2 runs as CSV")
        await pilot.press("down", "enter")
        await wait_for(pilot, "Save list of 2 runs as JSON as")
        await pilot.press("enter")
        await wait_for(pilot, "saved")
        assert {row["name"] for row in json.loads((tmp_path / "runs.json").read_text())} == {"one", "two"}
        await pilot.press("e", "down", "enter")
        await wait_for(pilot, "Save list")
        await pilot.press("enter")
        await wait_for(pilot, "exists: choose another name")
        await pilot.press("escape", "e", "enter", "enter")
        await wait_for(pilot, "runs.csv")
        assert (tmp_path / "runs.csv").read_text().splitlines()[0].startswith("run,name,kind")
        await pilot.press("e", "enter", "ctrl+u")
        type_in(pilot, "more.tex")
        await wait_for(pilot, "'more.tex' does not tell the format: end it in .csv or .json")
        await pilot.press("ctrl+u")
        type_in(pilot, "more.json")
        await pilot.press("enter")
        await wait_for(pilot, "more.json")
        assert len(json.loads((tmp_path / "more.json").read_text())) == 2
        await pilot.press("w")
        await wait_for(pilot, "the queue is paused")
        assert read_order(workspace).paused
        await pilot.press("w")
        await wait_for(pilot, "the queue goes on")
        assert not read_order(workspace).paused


@pytest.mark.parametrize(("name", "begin"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a.TEX", b"definecolor")])
def test_figures_follow_the_ending_of_their_name(workspace, tmp_path, monkeypatch, name, begin):
    curves = {"one": [make_curve("val/loss")]}
    monkeypatch.setattr("lovt_tui.actions.export._read_curves", lambda workspace, rows: curves)
    row = make_row("one", id="one")
    export = list_exports((row,), (row,))["figure"]
    assert export.write(workspace, str(tmp_path / name)) == f"saved {tmp_path / name}"
    assert begin in (tmp_path / name).read_bytes()[:400]
    with pytest.raises(InputError, match=r"end it in \.svg, \.pdf or \.tex"):
        export.write(workspace, str(tmp_path / "a.png"))


def test_refusals_of_some_of_several_are_told(workspace):
    one, two = find(workspace, "one").id, find(workspace, "two").id
    stop_runs(workspace, [one])
    said = resume_runs(workspace, [one, two])
    assert said.splitlines()[0] == "1 of 2 runs queued again"
    assert f"run {two} is queued" in said
    with pytest.raises(InputError, match="is queued"):
        resume_runs(workspace, [two])
    with pytest.raises(InputError, match="is gone"):
        stop_runs(workspace, ["20260901-120000-none-0001"])
    with pytest.raises(InputError, match="stop it first"):
        trash_runs(workspace, [two])
    with pytest.raises(InputError, match="tag"):
        change_tags(workspace, [one], "not/a/tag")
    assert "paused" in pause_queue(workspace, paused=True)
    assert "goes on" in toggle_queue(workspace)
