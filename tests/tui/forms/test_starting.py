"""What a form can begin from, and what can be saved of it."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lovt_core.config.sweep_file import load_sweep
from lovt_core.errors import LovtError
from lovt_tui.forms.judging import judge_view
from lovt_tui.starting import list_files, list_past_runs, list_starts, save
from lovt_tui.widgets.start_table import StartTable
from tests.tui.factories import make_row
from tests.tui.forms.new_screen import view_of


def test_the_list_of_files(workspace):
    names = {(choice.kind, choice.name) for choice in list_files()}
    assert ("experiment", "mine.yaml") in names
    assert ("sweep", "small.yaml") in names
    assert ("sweep", "sweeps/tiny.yaml") in names
    assert not [name for _, name in names if name in ("compose.yaml", "base.yaml")]


def test_a_past_run_shows_its_own_state():
    rows = [make_row("a", state) for state in ("running", "failed", "finished")]
    rows += [make_row("b", "running", stop_asked=True), make_row("c", kind="imported")]
    choices = list_past_runs(rows)
    assert [choice.state.text for choice in choices] == ["● running", "✘ failed", "✔ finished", "● stopping"]
    table = StartTable()
    lines = ["".join(cell.text for cell in table.cells(choice, 100)) for choice in choices]
    assert [(line[0], *line.split()[-2:]) for line in lines] == [
        ("●", "pretrain", "running"), ("✘", "pretrain", "failed"), ("✔", "pretrain", "finished"),
        ("●", "pretrain", "stopping"),
    ]  # fmt: skip
    assert "failed" in choices[1].text
    files = list_files()
    assert list_starts(None, files, choices) == (*files, *choices)
    assert list_starts("mine.yaml", files, choices)[0].text.startswith("draft mine.yaml go on with the form")


def test_saved_sweeps_find_their_base_from_elsewhere(workspace, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    said = save(view_of("small.yaml", "trials=5"), there / "copy.yaml")
    assert said.endswith(f"lovt sweep run {there / 'copy.yaml'}")
    sweep = load_sweep(there / "copy.yaml")
    assert sweep.config.trials == 5
    assert sweep.base.name == "mine"


def test_what_cannot_be_saved(workspace, tmp_path):
    view = view_of("mine.yaml")
    for path in (tmp_path / "absent" / "x.yaml", tmp_path / "x.txt", tmp_path / "here" / "mine.yaml"):
        with pytest.raises(LovtError):
            save(view, path)
    with pytest.raises(LovtError, match="max_epochs"):
        save(view_of("mine.yaml", "training.max_epochs=0"), tmp_path / "x.yaml")
    assert not (tmp_path / "x.yaml").exists()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=st.sampled_from(["mine.yaml", "wrong.yaml", "small.yaml"]), overrides=st.text(max_size=30))
@example(file="mine.yaml", overrides="name=2024-99-99")
@example(file="mine.yaml", overrides="training.max_epochs='&a *b'")
@example(file="mine.yaml", overrides="training=1 training.max_epochs=3")
@example(file="mine.yaml", overrides="name='!!python/object:os.system'")
@example(file="small.yaml", overrides="space=3")
@example(file="small.yaml", overrides="objective=val/loss")
@example(file="small.yaml", overrides="space={a: 3}")
@example(file="small.yaml", overrides="experiment=3 set=4")
def test_whatever_is_typed_gets_a_verdict(workspace, file, overrides):
    try:
        view = view_of(file, overrides)
    except LovtError:
        return
    verdict = judge_view(workspace, view, ())
    assert verdict.problem or verdict.summary
