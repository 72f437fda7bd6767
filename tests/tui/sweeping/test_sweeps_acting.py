"""What the screen of sweeps does to them: pause, resume, stop, extend, export, confirm, start."""

from pathlib import Path

import pytest

from lovt_core.config.sweep_file import load_sweep
from lovt_core.runs.lines import append_line
from lovt_core.runs.workspace import find_workspace
from lovt_core.sweeps.folder import SweepFolder, create_sweep, read_control
from tests.core.sweeps.factories import make_trial
from tests.tui.factories import NOW, FakeIndex, screen_text, type_in, wait_for
from tests.tui.sweeping.sweep_factories import make_sweep_app, open_sweeps, write_trials

SHIPPED = Path(__file__).parents[3] / "experiments" / "sweeps"


@pytest.fixture(autouse=True)
def coordinators(monkeypatch):
    """Those that were to be started; none is."""
    asked = []
    monkeypatch.setattr("lovt_core.sweeps.requests.start_detached", lambda *given, log: asked.append(given))
    monkeypatch.setattr("lovt_core.sweeps.requests.check_study", lambda folder: None)
    return asked


async def test_pause_resume_and_stop(index, lab):
    folder = SweepFolder(find_workspace(lab), "tiny")
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "P pause")
        await pilot.press("P")
        await wait_for(pilot, "begins no more trials")
        await wait_for(pilot, "r resume")
        await pilot.press("x")
        await wait_for(pilot, "Stop the sweep tiny?")
        await pilot.press("n")
        assert [line["op"] for line in read_control(folder)] == ["resume", "pause"]
        await pilot.press("x")
        await wait_for(pilot, "Stop the sweep tiny?")
        await pilot.press("y")
        await wait_for(pilot, "■ stopped")
        await pilot.press("r")
        await wait_for(pilot, "tiny goes on")
        assert [line["op"] for line in read_control(folder)] == ["resume", "pause", "stop", "resume"]


async def test_resume_of_an_interrupted_sweep_starts_its_coordinator(index, lab, coordinators):
    folder = SweepFolder(find_workspace(lab), "orphan")
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("down", "down")
        await wait_for(pilot, "its coordinator died")
        await pilot.press("r")
        await wait_for(pilot, "the coordinator of orphan is started again")
        assert coordinators[0][-1] == "orphan"
        assert len(read_control(folder)) == 1


async def test_extend_is_checked_while_typing(index, lab):
    folder = SweepFolder(find_workspace(lab), "tiny")
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("E")
        await wait_for(pilot, "Extend tiny (60 trials now)")
        type_in(pilot, "trials=40 nights=2")
        await wait_for(pilot, "'nights=2' is not understood")
        await pilot.press(*["backspace"] * len("trials=40 nights=2"))
        type_in(pilot, "trials=40")
        await wait_for(pilot, "it has 60 trials already: give more")
        await pilot.press("escape", "E")
        await wait_for(pilot, "Extend tiny")
        type_in(pilot, "trials=99 jobs=3")
        await pilot.press("enter")
        await wait_for(pilot, "49 of 99 trials")
        assert folder.config().jobs == 3


@pytest.mark.parametrize(("key", "suffix", "content"), [("", ".csv", "trial,state,origin"), ("j", ".json", '"best"')])
async def test_export(index, lab, monkeypatch, key, suffix, content):
    monkeypatch.chdir(lab)
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("e")
        await wait_for(pilot, "Trials of tiny as")
        await pilot.press(*key, "enter")
        await wait_for(pilot, "Save the trials of tiny as")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "saved" in shown)
        assert content in (lab / f"tiny{suffix}").read_text()


async def test_an_export_follows_the_ending_of_its_name(index, lab, monkeypatch):
    monkeypatch.chdir(lab)
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("e", "enter")
        await wait_for(pilot, "as CSV, a line a trial")
        await pilot.press("ctrl+u")
        type_in(pilot, "trials.odt")
        await wait_for(pilot, "does not tell the format: end it in .csv, .json,")
        await pilot.press("ctrl+u")
        type_in(pilot, "trials.tex")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "saved" in shown)
        assert "\\begin{longtable}" in (lab / "trials.tex").read_text()
        await pilot.press("b")
        await wait_for(pilot, "Save the experiment of the best trial as")
        await pilot.press("ctrl+u")
        type_in(pilot, "best.csv")
        await wait_for(pilot, "end it in .yaml or .yml")


async def test_an_export_never_replaces_a_file(index, lab, monkeypatch):
    monkeypatch.chdir(lab)
    (lab / "tiny.html").write_text("mine")
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("R")
        await wait_for(pilot, "Save the report of tiny as")
        await pilot.press("enter")
        await wait_for(pilot, "tiny.html exists: choose another name")
        await pilot.press("home", "n", "enter")
        await wait_for(pilot, lambda shown: "saved" in shown)
        assert (lab / "tiny.html").read_text() == "mine"
        assert "<svg" in (lab / "ntiny.html").read_text()


@pytest.fixture
def real(tmp_path, monkeypatch):
    """A finished sweep of the shipped file `tiny`, whole as `lovt sweep run` makes it."""
    monkeypatch.chdir(tmp_path)
    workspace = find_workspace(tmp_path / "home")
    sweep = load_sweep(SHIPPED / "tiny.yaml")
    folder = create_sweep(workspace, sweep, {"created": NOW - 60})
    append_line(folder.control, {"t": NOW, "op": "finished"})
    params = {
        "training.optimiser.learning_rate": 0.004, "training.optimiser.weight_decay": 1e-6,
        "training.schedule.name": "cosine",
    }  # fmt: skip
    write_trials(folder, [make_trial(n, sweep.config, params, values=(2.0 - n,)) for n in range(2)])
    return workspace.path


async def test_the_best_experiment_is_saved_as_a_file_that_loads(real):
    from lovt_core.config.loading import load_experiment

    async with make_sweep_app(FakeIndex(), real).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "◆ best: trial 1")
        await pilot.press("b")
        await wait_for(pilot, "Save the experiment of the best trial as")
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "saved" in shown)
        saved = load_experiment(Path("tiny-best.yaml"))
        assert saved.training.optimiser.learning_rate == 0.004


async def test_confirming_says_what_it_will_queue(real, monkeypatch):
    queued = []
    tasks = ["covid-linear", "nih-linear"]
    monkeypatch.setattr("lovt_tui.cli.sweep.confirm.choose_tasks", lambda folder, patterns: tasks)
    monkeypatch.setattr(
        "lovt_core.sweeps.confirming.queue_confirmation", lambda *given: queued.append(given) or [object()] * 6
    )
    async with make_sweep_app(FakeIndex(), real).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "f confirm")
        await pilot.press("f")
        await wait_for(pilot, "Confirm trial 1 of tiny?")
        await wait_for(pilot, "evaluated on 2 tasks")
        await pilot.press("y")
        await wait_for(pilot, "6 trainings are queued")
        folder, trial, judged, repeats = queued[0]
        assert (folder.name, trial.number, judged, repeats) == ("tiny", 1, tasks, 3)


async def test_a_confirmation_that_cannot_be_says_why(real):
    async with make_sweep_app(FakeIndex(), real).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await wait_for(pilot, "f confirm")
        await pilot.press("f")
        await wait_for(pilot, "no task can be evaluated")


async def test_starting_a_sweep_from_a_file(real, monkeypatch):
    started = []

    def start(workspace, sweep, storage, files, slurm):
        started.append((sweep.config.name, files))
        return create_sweep(workspace, sweep, {"created": NOW})

    monkeypatch.setattr("lovt_tui.cli.sweep.run.start_checked", start)
    async with make_sweep_app(FakeIndex(), real).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("n")
        await wait_for(pilot, "Start which sweep?")
        await pilot.press("G", "enter")
        await wait_for(pilot, "Start the sweep tiny-2?")
        await wait_for(pilot, "14 trials of tiny/lovt.yaml")
        await pilot.press("y")
        await wait_for(pilot, "the sweep tiny-2 has started")
        await wait_for(pilot, "▸ ◔ starting    tiny-2")
        assert started[0][0] == "tiny-2"


async def test_a_wrong_sweep_file_says_what_is_wrong_and_starts_nothing(real):
    text = (SHIPPED / "tiny.yaml").read_text().replace("low: 1.0e-5", "low: 7").replace("trials:", "trails:")
    Path("mine.yaml").write_text(text)
    async with make_sweep_app(FakeIndex(), real).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("n")
        await wait_for(pilot, "mine.yaml")
        await pilot.press("g", "enter")
        await wait_for(pilot, "This cannot be done yet")
        shown = await wait_for(pilot, "trails")
        assert "Start the sweep" not in shown


async def test_rebuilding_asks_first(index, lab):
    async with make_sweep_app(index, lab).run_test(notifications=True, size=(120, 40)) as pilot:
        await open_sweeps(pilot)
        await pilot.press("B")
        await pilot.pause()
        assert "Rebuild" not in screen_text(pilot.app)
        await pilot.press("down")
        await wait_for(pilot, "◐ paused  waiting")
        await pilot.press("B")
        await wait_for(pilot, "Rebuild the study of waiting?")
