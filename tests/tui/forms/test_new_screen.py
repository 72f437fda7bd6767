"""Starting runs: pick a start, change it in the form, see what is wrong, queue, save."""

from itertools import product

import pytest

from lovt_core.config.loading import load_experiment, shipped_folder
from lovt_core.runs.control import read_control
from lovt_core.runs.directory import list_runs
from lovt_core.runs.terms import read_terms
from lovt_tui.widgets.form_table import FormTable
from tests.tui.factories import check_snapshot, make_row, type_in, wait_for
from tests.tui.forms.new_screen import WIDE, begin, go_to, make_new_app

SHIPPED = {
    "experiments": (
        "evaluation/localized.yaml", "evaluation/quick.yaml", "pretraining/covid-chestxray.yaml",
        "pretraining/lovt-30.yaml", "tiny/decoders.yaml", "tiny/linear.yaml", "tiny/lovt.yaml",
    ),
    "sweeps": (
        "sweeps/learning_rate.yaml", "sweeps/loss_weights.yaml", "sweeps/loss_weights_and_temperatures.yaml",
        "sweeps/temperatures.yaml", "sweeps/tiny.yaml",
    ),
}  # fmt: skip
"""What is listed in the pictures, whatever else is shipped some day."""


async def test_a_value_is_edited_and_the_run_queued(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "mine.yaml")
        await wait_for(pilot, "✔ selftest mine can be queued")
        await go_to(pilot, "experiment:training.max_epochs")
        await pilot.press("enter")
        await wait_for(pilot, "enter keep")
        await pilot.press("ctrl+u")
        type_in(pilot, "x")
        await wait_for(pilot, "✘ training.max_epochs: must be a whole number, not 'x'")
        await pilot.press("backspace")
        type_in(pilot, "7")
        shown = await wait_for(pilot, "+   max_epochs: 7")
        assert "-   max_epochs: 5" in shown
        await pilot.press("enter")
        await wait_for(pilot, "* training.max_epochs")
        await go_to(pilot, "launch:repeats")
        await pilot.press("enter", "ctrl+u")
        type_in(pilot, "2")
        await pilot.press("enter")
        await wait_for(pilot, "2 runs, seeds 12345 to 12346")
        await pilot.press("ctrl+s")
        await wait_for(pilot, "[1 Runs]")
    runs = list_runs(workspace)
    assert {run.experiment().seed for run in runs} == {12345, 12346}
    assert {run.experiment().training.max_epochs for run in runs} == {7}
    assert {run.experiment().selftest.seconds_per_step for run in runs} == {0.1}
    groups = {read_terms(read_control(run.control)).group for run in runs}
    assert len(groups) == 1
    assert None not in groups


async def test_terms_of_the_run(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "mine.yaml")
        for key, text in (("launch:priority", "3"), ("launch:retry", "2"), ("launch:tags", "one, two")):
            await go_to(pilot, key)
            await pilot.press("enter", "ctrl+u")
            type_in(pilot, text)
            await pilot.press("enter")
            await wait_for(pilot, f"* {key[7:]}")
        await pilot.press("f5")
        await wait_for(pilot, "[1 Runs]")
    (run,) = list_runs(workspace)
    terms = read_terms(read_control(run.control))
    assert (terms.priority, terms.retry.times) == (3, 2)
    assert '"two"' in run.control.read_text()


async def test_escape_while_typing_leaves_the_value(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "mine.yaml")
        await go_to(pilot, "experiment:name")
        await pilot.press("enter")
        type_in(pilot, "-other")
        await wait_for(pilot, "+ name: mine-other")
        await pilot.press("escape")
        await wait_for(pilot, "Nothing differs from the start")
        await wait_for(pilot, "✔ selftest mine can be queued")


async def test_switches_choices_and_putting_back(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "mine.yaml")
        await go_to(pilot, "experiment:training.early_stopping")
        shown = await wait_for(pilot, "early_stopping.patience")
        assert "space next value" in shown
        await pilot.press("enter")
        await wait_for(pilot, lambda shown: "early_stopping.patience" not in shown)
        await wait_for(pilot, "u put back")
        await pilot.press("u")
        await wait_for(pilot, "early_stopping.patience")
        await go_to(pilot, "experiment:training.precision")
        await pilot.press("enter")
        await wait_for(pilot, "bf16")
        await pilot.press("down", "enter")
        await wait_for(pilot, "+   precision: bf16")
        await pilot.press("space")
        await wait_for(pilot, "+   precision: fp16")
        await pilot.press("space")
        await wait_for(pilot, "Nothing differs from the start")


async def test_typing_another_value_than_those_offered(workspace):
    async with make_new_app(workspace, make_row("tau03")).run_test(notifications=True, size=WIDE) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("2")
        await wait_for(pilot, "evaluation/quick.yaml")
        await pilot.press("slash")
        type_in(pilot, "quick")
        await pilot.press("enter", "enter")
        await wait_for(pilot, "encoder.source")
        await go_to(pilot, "experiment:encoder.source")
        await pilot.press("enter")
        await wait_for(pilot, "20260901-120000-tau03-0001  finished")
        await pilot.press("end", "enter")
        await wait_for(pilot, "enter keep")
        await pilot.press("ctrl+u")
        type_in(pilot, "absent")
        await wait_for(pilot, "no run 'absent'")


async def test_a_config_that_no_longer_validates_is_repaired(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "wrong.yaml")
        shown = await wait_for(pilot, "did you mean 'batch_size'?")
        assert "training.max_epochs: must be at least 1, not 0" in shown
        assert "✘ 2 wrong" in shown
        await pilot.press("ctrl+s")
        await wait_for(pilot, "there is something wrong with it")
        await go_to(pilot, "experiment:training.batch_sise")
        await pilot.press("delete")
        await wait_for(pilot, lambda shown: "batch_sise" not in shown.partition("difference")[0])
        await go_to(pilot, "experiment:training.max_epochs")
        await pilot.press("enter", "ctrl+u")
        type_in(pilot, "2")
        await pilot.press("enter")
        await wait_for(pilot, "✔ selftest wrong can be queued")
    assert list_runs(workspace) == []


async def test_a_file_that_is_no_yaml_says_where(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("2")
        await wait_for(pilot, "broken.yaml")
        await pilot.press("slash")
        type_in(pilot, "broken")
        await pilot.press("enter", "enter")
        await wait_for(pilot, "✘ broken.yaml:3: not valid YAML")


async def test_any_path_can_be_typed(workspace, tmp_path):
    (tmp_path / "far.yaml").write_text("kind: selftest\nname: far\n")
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await wait_for(pilot, "No runs yet")
        await pilot.press("n")
        shown = await wait_for(pilot, "mine.yaml")
        assert "compose.yaml" not in shown
        assert "base.yaml" not in shown
        await pilot.press("o")
        await wait_for(pilot, "Open an experiment or sweep file")
        type_in(pilot, str(tmp_path / "absent.yaml"))
        await pilot.press("enter")
        await wait_for(pilot, "✘ no experiment file")
        await pilot.press("o")
        type_in(pilot, str(tmp_path / "far.yaml"))
        await pilot.press("enter")
        await wait_for(pilot, "✔ selftest far can be queued")


async def test_a_past_run_is_a_start(workspace):
    from lovt_core.runs.directory import create_run

    run = create_run(workspace, load_experiment(workspace.path.parent / "here" / "mine.yaml", ["seed=7"]))
    row = make_row("mine", id=run.id)
    async with make_new_app(workspace, row).run_test(notifications=True, size=WIDE) as pilot:
        await wait_for(pilot, "finished")
        await pilot.press("c")
        shown = await wait_for(pilot, "✔ selftest mine can be queued")
        assert f"run {run.id} · unchanged" in shown
        assert "seed" in shown
        await pilot.press("ctrl+s")
        await wait_for(pilot, "[1 Runs]")
    assert len(list_runs(workspace)) == 2
    assert {each.experiment().seed for each in list_runs(workspace)} == {7}


async def test_a_run_deleted_meanwhile(workspace):
    async with make_new_app(workspace, make_row("gone")).run_test(notifications=True, size=WIDE) as pilot:
        await wait_for(pilot, "gone")
        await pilot.press("c")
        await wait_for(pilot, "is gone")


async def test_changes_are_not_dropped_unasked(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "mine.yaml")
        await pilot.press("equals_sign")
        await wait_for(pilot, "Change keys")
        type_in(pilot, "seed=3 training.max_epochs")
        await wait_for(pilot, "is not of the form key.path=value")
        type_in(pilot, "=9")
        await pilot.press("enter")
        await wait_for(pilot, "2 changes")
        await pilot.press("escape")
        await wait_for(pilot, "What to begin from")
        await pilot.press("escape")
        await wait_for(pilot, "[1 Runs]")
        await pilot.press("2")
        await wait_for(pilot, "go on with the form")
        await pilot.press("slash")
        type_in(pilot, "wrong")
        await pilot.press("enter", "enter")
        await wait_for(pilot, "Drop the changes to mine.yaml?")
        await pilot.press("n", "slash", "escape", "g", "enter")
        await wait_for(pilot, "2 changes")


async def test_saving_asks_before_it_replaces(workspace):
    here = workspace.path.parent / "here"
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "mine.yaml")
        await pilot.press("equals_sign")
        type_in(pilot, "training.max_epochs=9")
        await pilot.press("enter")
        await wait_for(pilot, "1 change")
        await pilot.press("w")
        await wait_for(pilot, "Save as")
        await pilot.press("enter")
        await wait_for(pilot, "Replace mine.yaml?")
        await pilot.press("n", "w", "ctrl+u")
        type_in(pilot, "new")
        await wait_for(pilot, "it ends in .yaml")
        type_in(pilot, ".yaml")
        await pilot.press("enter")
        await wait_for(pilot, "saved as new.yaml")
    assert load_experiment(here / "mine.yaml").training.max_epochs == 5
    saved = load_experiment(here / "new.yaml")
    assert (saved.name, saved.training.max_epochs, saved.training.batch_size) == ("mine", 9, 8)


async def test_mouse_and_folding(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "mine.yaml")
        table = pilot.app.screen.query_one(FormTable)
        await pilot.click(table, offset=(6, 3))
        await pilot.click(table, offset=(6, 3), times=2)
        await wait_for(pilot, "enter keep")
        await pilot.press("escape", "h")
        await wait_for(pilot, "▸ experiment")
        await pilot.press("z")
        await wait_for(pilot, "▸ how it is queued")
        await pilot.press("z", "slash")
        type_in(pilot, "device")
        shown = await wait_for(pilot, lambda shown: "training.batch_size" not in shown)
        assert "training.device" in shown
        await pilot.press("enter", "escape")
        await wait_for(pilot, "training.batch_size")


async def test_the_whole_experiment_instead_of_the_difference(workspace):
    async with make_new_app(workspace).run_test(notifications=True, size=WIDE) as pilot:
        await begin(pilot, "mine.yaml")
        await pilot.press("d")
        await wait_for(pilot, "│kind: selftest")
        await pilot.resize_terminal(40, 10)
        await pilot.press("d")
        await wait_for(pilot, "Difference to the start")


@pytest.mark.parametrize(
    ("name", "size"),
    [*product(("starts", "experiment", "sweep"), ((40, 10), (80, 24), (120, 40), (200, 60))), ("wrong", (80, 24))],
)
async def test_whole_screen(workspace, monkeypatch, size, name):
    monkeypatch.setattr("lovt_core.runs.machine.machine_id", lambda: "here")
    for kind, names in SHIPPED.items():
        files = [shipped_folder() / name for name in names]
        monkeypatch.setattr(f"lovt_core.config.loading.shipped_{kind}", lambda files=files: files)
    past = make_row("mine", kind="selftest", done=40, total=40, origin={"machine": "here"})
    rows = (make_row("tau03", "running"), past, make_row("eval", kind="evaluate"))
    async with make_new_app(workspace, *rows).run_test(notifications=True, size=size) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("2")
        await wait_for(pilot, "mine.yaml")
        if name != "starts":
            await pilot.press("slash")
            type_in(pilot, {"experiment": "mine.yaml", "sweep": "small.yaml", "wrong": "wrong.yaml"}[name])
            await pilot.press("enter", "enter")
            await wait_for(pilot, lambda shown: "▾ experiment" in shown and ("✔" in shown or "✘" in shown))
        if name == "experiment":
            await pilot.press("equals_sign")
            type_in(pilot, "seed=7 training.max_epochs=9 training.early_stopping=null")
            await pilot.press("enter")
            await wait_for(pilot, "3 changes")
        await check_snapshot(pilot, f"new-{name}-{size[0]}x{size[1]}")
