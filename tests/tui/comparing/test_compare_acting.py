"""Gaps filled and files written from the comparison, in a real folder of runs."""

import pytest

from lovt_core.runs.directory import list_runs
from lovt_tui.app import Dashboard
from tests.core.results.evaluated import make_evaluated
from tests.tui.comparing.comparison_factories import open_comparison, running
from tests.tui.factories import type_in, wait_for


@pytest.fixture
def real(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_evaluated(tmp_path, monkeypatch, missing=())


async def test_gaps_are_listed_before_exactly_they_are_queued(real):
    async with running(Dashboard(real, place="~/lab"), (100, 40)) as pilot:
        await open_comparison(pilot, "imagenet")
        await pilot.press("T")
        await wait_for(pilot, "Tasks to show")
        type_in(pilot, "covid")
        await pilot.press("enter", "G", "f")
        await wait_for(pilot, "imagenet: the 1 shown task")
        await pilot.press("G", "enter")
        await wait_for(pilot, "Queue 2 evaluations with 34 tasks?")
        await pilot.press("n", "f", "j", "enter")
        shown = await wait_for(pilot, "Queue 1 evaluation with 17 tasks?")
        assert "imagenet  run eval-imagenet, split auto" in shown
        assert len(list_runs(real)) == 2
        await pilot.press("y")
        await wait_for(pilot, "◐ queued")
        await pilot.press("f", "j", "enter")
        await wait_for(pilot, "Nothing to queue")
    (run,) = [run for run in list_runs(real) if len(run.experiment().tasks) > 1]
    assert run.experiment().encoder.source == "imagenet"
    assert "covid-linear" not in run.experiment().tasks


async def test_export_asks_before_it_replaces_a_file(real, tmp_path):
    async with running(Dashboard(real, place="~/lab"), (100, 40)) as pilot:
        await open_comparison(pilot, "imagenet")
        await pilot.press("e", "enter")
        await wait_for(pilot, "comparison.csv")
        await pilot.press("enter")
        await wait_for(pilot, "2 rows written to")
        first = (tmp_path / "comparison.csv").read_text()
        assert first.startswith("encoder,group")
        (tmp_path / "comparison.csv").write_text("mine")
        await pilot.press("e", "enter")
        await wait_for(pilot, "comparison.csv")
        await pilot.press("enter")
        await wait_for(pilot, "Replace comparison.csv?")
        await pilot.press("n")
        assert (tmp_path / "comparison.csv").read_text() == "mine"
        await pilot.press("e", "j", "j", "enter")
        await wait_for(pilot, "comparison.md")
        type_in(pilot, "/no")
        await wait_for(pilot, "there is no folder")
        await pilot.press("ctrl+u")
        type_in(pilot, "table.txt")
        await wait_for(pilot, "'table.txt' does not tell the format")
        await pilot.press("ctrl+u")
        type_in(pilot, "table.TEX")
        await pilot.press("enter")
        await wait_for(pilot, "table.TEX")
        assert "\\begin{table" in (tmp_path / "table.TEX").read_text()
