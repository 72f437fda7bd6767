"""Starting a run: pick a file, override, see what is wrong, queue."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lovt_core.runs.directory import list_runs
from lovt_core.runs.workspace import find_workspace
from lovt_tui.app import Dashboard
from lovt_tui.starting import Choice, FileList, judge
from tests.tui.factories import FakeIndex, check_snapshot, make_sources, type_in, wait_for

SHIPPED = ("evaluation/quick.yaml", "pretraining/covid-chestxray.yaml")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty one, with two experiment files in the current folder; no scheduler is started."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "mine.yaml").write_text("kind: selftest\nname: mine\nselftest: {seconds_per_step: 0.1}\n")
    (folder / "wrong.yaml").write_text("kind: selftest\nname: wrong\ntraining: {batch_sise: 3, max_epochs: 0}\n")
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "base.yaml").write_text("kind: selftest\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LOVT_PREPARED", str(tmp_path / "prepared"))
    monkeypatch.setattr("lovt_core.runs.queueing.requests.ensure_scheduler", lambda workspace: None)
    return find_workspace(tmp_path / "lovt-workspace")


def make_new_app(workspace):
    return Dashboard(workspace, place="~/lab", sources=make_sources(FakeIndex(), workspace.runs))


async def test_local_file_is_judged_and_queued_with_overrides(workspace):
    app = make_new_app(workspace)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("n")
        shown = await wait_for(pilot, " mine.yaml")
        assert "compose.yaml" not in shown
        assert "base.yaml" not in shown
        await pilot.press("G", "k")
        shown = await wait_for(pilot, "✔ selftest mine can be queued")
        assert "enter pick" in shown
        await pilot.press("enter")
        type_in(pilot, "name=other training.max_epochs=7")
        shown = await wait_for(pilot, "✔ selftest other can be queued")
        assert "enter queue the run" in shown
        await pilot.press("enter", "enter")
        await wait_for(pilot, "is queued")
        await wait_for(pilot, "[1 Runs]")
    (run,) = list_runs(workspace)
    assert run.experiment().name == "other"
    assert run.experiment().training.max_epochs == 7
    assert run.experiment().selftest.seconds_per_step == 0.1


async def test_problems_stand_in_place_and_nothing_is_queued(workspace):
    app = make_new_app(workspace)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("2")
        await wait_for(pilot, " wrong.yaml")
        await pilot.press("G")
        shown = await wait_for(pilot, "did you mean 'batch_size'?")
        assert "training.max_epochs:" in shown
        await pilot.press("enter", "enter")
        await wait_for(pilot, "did you mean 'batch_size'?")
        await pilot.press("backspace")
        type_in(pilot, 'name="a')
        await wait_for(pilot, "a quote is not closed")
        await pilot.press("escape")
        await wait_for(pilot, "[1 Runs]")
    assert list_runs(workspace) == []


async def test_any_path_can_be_typed(workspace, tmp_path):
    (tmp_path / "far.yaml").write_text("kind: selftest\nname: far\n")
    async with make_new_app(workspace).run_test(notifications=True, size=(80, 24)) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("n")
        await wait_for(pilot, " mine.yaml")
        await pilot.press("tab", "tab", "tab", "tab")
        app = pilot.app
        app.screen.query_one("#file").focus()
        app.screen.query_one("#file").value = str(tmp_path / "far.yaml")
        await wait_for(pilot, "✔ selftest far can be queued")
        app.screen.query_one("#file").value = str(tmp_path / "absent.yaml")
        await wait_for(pilot, "✘ no experiment file")
        await pilot.press("enter")
        await wait_for(pilot, "✘ no experiment file")
    assert list_runs(workspace) == []


async def test_missing_data_is_said_before_anything_is_queued(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=(120, 40)) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("n")
        await wait_for(pilot, "data set covid-rural is not prepared")
        await pilot.press("enter", "enter")
        await wait_for(pilot, "data set covid-rural is not prepared")
    assert list_runs(workspace) == []


async def test_an_evaluation_finds_its_encoder(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=(120, 40)) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("n")
        await wait_for(pilot, "data set covid-rural is not prepared")
        await pilot.press("enter")
        type_in(pilot, "encoder.source=absent")
        await wait_for(pilot, "no run 'absent'")


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40)])
async def test_whole_screen(workspace, monkeypatch, size):
    monkeypatch.setattr("lovt_tui.screens.new.list_experiment_files", lambda: FileList(SHIPPED, ("mine.yaml",)))
    async with make_new_app(workspace).run_test(notifications=True, size=size) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("n")
        await wait_for(pilot, "quick.yaml")
        await pilot.press("G")
        await wait_for(pilot, "mine can be queued")
        await check_snapshot(pilot, f"new-{size[0]}x{size[1]}")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=st.sampled_from(["mine.yaml", "wrong.yaml", "..", "", "\x00"]), overrides=st.text(max_size=30))
@example(file="mine.yaml", overrides="name=2024-99-99")
@example(file="mine.yaml", overrides="training.max_epochs=&a *b")
@example(file="mine.yaml", overrides="training=1 training.max_epochs=3")
@example(file="mine.yaml", overrides="name=!!python/object:os.system")
def test_whatever_is_typed_gets_a_verdict(workspace, file, overrides):
    verdict = judge(workspace, Choice(file, overrides))
    assert verdict.problem or verdict.summary
