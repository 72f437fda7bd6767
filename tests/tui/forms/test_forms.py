"""Forms without widgets: fields of schemas, drafts, what is wrong with them, what differs, ranges, suggestions."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Limit

from lovt_core.config.base import Section
from lovt_core.config.experiment import Experiment, PretrainExperiment
from lovt_core.config.loading import load_experiment, shipped_experiments, shipped_sweeps
from lovt_core.config.sweep_file import load_sweep
from lovt_core.config.training import TrainingConfig
from lovt_core.errors import ConfigError, InputError
from lovt_core.runs.workspace import find_workspace
from lovt_tui.forms.checking import check_experiment
from lovt_tui.forms.difference import compare
from lovt_tui.forms.drafts import Draft
from lovt_tui.forms.edits import apply_overrides, set_text, step, take_out
from lovt_tui.forms.fields import Field, list_fields
from lovt_tui.forms.groups import TITLES, find_group
from lovt_tui.forms.launching import RunLaunch
from lovt_tui.forms.lines import Heading, arrange, heading_cells, line_cells
from lovt_tui.forms.paths import MISSING, flatten, look_up, name_path, put
from lovt_tui.forms.shapes import read_shape
from lovt_tui.forms.starts import read_run, read_start
from lovt_tui.forms.suggestions import suggest
from lovt_tui.forms.values import parse_text, show_value
from lovt_tui.forms.views import build_view
from tests.tui.factories import make_row


class Cosine(Section):
    name: Literal["cosine"] = "cosine"
    warmup: Annotated[int, Limit(ge=0)] = 5
    rate: float = 0.1


class Steps(Section):
    name: Literal["steps"] = "steps"
    every: int = 3
    rate: float = 0.2


class Extended(TrainingConfig):
    """The schema of some later day: one more key, a section, a union, a mapping of sections."""

    brand_new: Annotated[int, Limit(ge=1, le=9)] = 3
    """A key that nobody has heard of."""
    plan: Annotated[Cosine | Steps, Limit(discriminator="name")] = Cosine()
    extras: Mapping[str, Cosine] = {}


def fields_of(schema, document):
    return {name_path(field.path): field for field in list_fields(schema, document, ("experiment",))}


def row_of(view, key, part="experiment"):
    return next(row for row in view.rows if row.key == key and row.field.path[0] == part)


@pytest.mark.parametrize("path", shipped_experiments(), ids=lambda path: path.stem)
def test_every_key_of_every_experiment_is_in_the_form(path):
    experiment = load_experiment(path)
    document = experiment.model_dump(mode="json", by_alias=True)
    fields = fields_of(Experiment, document)
    keys = {".".join(each) for each, _ in flatten(document)}
    assert keys <= set(fields)
    assert not [key for key, field in fields.items() if field.form == "unknown"]
    view = build_view(Draft(read_start(str(path))))
    assert view.problems == ()
    assert view.difference == ()
    assert not [row.key for row in view.rows if row.is_changed]
    assert view.asked == experiment
    assert {row.group for row in view.rows} <= set(TITLES)


@pytest.mark.parametrize("path", shipped_sweeps(), ids=lambda path: path.stem)
def test_every_sweep_opens_as_it_is(path):
    view = build_view(Draft(read_start(str(path))))
    assert view.problems == ()
    assert view.asked == load_sweep(path)
    searched = {row.key for row in view.rows if row.search}
    assert searched


def test_a_new_key_of_the_schema_appears_by_itself():
    class Later(PretrainExperiment):
        training: Extended = Extended()

    fields = fields_of(Later, {"kind": "pretrain", "name": "later", "data": {"name": "mimic-cxr"}})
    new = fields["training.brand_new"]
    assert (new.form, new.value, new.help) == ("number", 3, "A key that nobody has heard of.")
    assert new.wanted == "a whole number, at least 1, at most 9"
    assert find_group(new.path) == "optimiser and training"
    assert find_group(("experiment", "unheard", "of")) == "more"


def test_a_union_changes_the_keys_that_follow():
    assert set(fields_of(Extended, {})) >= {"plan.name", "plan.warmup", "plan.rate"}
    fields = fields_of(Extended, {"plan": {"name": "steps", "rate": 1.0}})
    assert fields["plan.name"].choices == ("cosine", "steps")
    assert "plan.warmup" not in fields
    assert (fields["plan.every"].value, fields["plan.rate"].value) == (3, 1.0)
    assert "plan.rate" not in fields_of(Extended, {"plan": {"name": "gone"}})


def test_several_sections_under_names():
    fields = fields_of(Extended, {"extras": {"one": {"name": "cosine", "warmup": 7}}})
    assert fields["extras.one.warmup"].value == 7


def test_an_optional_section_has_rows_while_it_is_on():
    document = {"kind": "selftest", "training": {"early_stopping": None}}
    assert "training.early_stopping.patience" not in fields_of(Experiment, document)
    assert "training.early_stopping.patience" in fields_of(Experiment, {"kind": "selftest"})


def test_defaults_of_a_section_are_those_of_whoever_holds_it():
    assert fields_of(Experiment, {"kind": "selftest"})["training.batch_size"].value == 8
    given = fields_of(Experiment, {"kind": "selftest", "training": {"max_epochs": 2}})
    assert given["training.batch_size"].value == 32


@pytest.mark.parametrize(
    "document", [{}, {"kind": "absent"}, {"kind": 3}, {"kind": "pretrain", "data": 3, "training": []}]
)
def test_what_does_not_validate_can_be_seen(document):
    fields = fields_of(Experiment, document)
    assert fields["kind"].choices == ("pretrain", "evaluate", "selftest")
    _, problems = check_experiment(document)
    assert problems


def test_unknown_keys_are_rows_that_can_be_taken_out(tmp_path):
    file = tmp_path / "old.yaml"
    file.write_text("kind: selftest\nname: old\ntraining: {batch_sise: 3, max_epochs: 0}\n")
    draft = Draft(read_start(str(file)))
    view = build_view(draft)
    row = row_of(view, "training.batch_sise")
    assert row.field.form == "unknown"
    assert "did you mean 'batch_size'?" in row.problem
    assert row_of(view, "training.max_epochs").problem == "must be at least 1, not 0"
    draft = take_out(draft, row)
    draft = set_text(draft, row_of(view, "training.max_epochs"), "2")
    repaired = build_view(draft)
    assert repaired.problems == ()
    assert repaired.asked.training.max_epochs == 2


def test_problems_use_the_words_of_the_command_line(tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "kind: pretrain\nname: A b\nseed: true\ndata: {name: x, train_fraction: 2}\nmethod: {padding: off}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_experiment(file)
    view = build_view(Draft(read_start(str(file))))
    said = {line.split(": ", 1)[1] for line in str(caught.value).splitlines()}
    assert {problem.text for problem in view.problems} == said


def test_a_problem_of_the_whole_stands_at_its_key():
    draft = apply_overrides(Draft(read_start("pretraining/lovt-30.yaml")), "training.batch_size=1")
    view = build_view(draft)
    assert "at least 2" in row_of(view, "training.batch_size").problem
    switched = build_view(apply_overrides(draft, "training.accumulate=true training.batch_size=8"))
    assert row_of(switched, "training.accumulate").problem == "must be a number, not true or false"


def test_a_file_whose_base_is_gone_still_opens(tmp_path):
    file = tmp_path / "child.yaml"
    file.write_text("base: absent.yaml\nkind: selftest\nname: child\n")
    view = build_view(Draft(read_start(str(file))))
    assert any("absent.yaml" in problem.text for problem in view.problems)
    assert view.asked is None
    assert row_of(view, "name").text == "child"


def test_bases_are_merged(tmp_path):
    (tmp_path / "base.yaml").write_text("kind: selftest\ntraining: {max_epochs: 7, batch_size: 4}\n")
    file = tmp_path / "child.yaml"
    file.write_text("base: base.yaml\nname: child\ntraining: {batch_size: 5}\n")
    view = build_view(Draft(read_start(str(file))))
    assert view.asked == load_experiment(file)


@pytest.mark.parametrize("text", ["", "absent.yaml"])
def test_no_file(text):
    with pytest.raises(InputError):
        read_start(text)


def test_a_run_that_is_gone(tmp_path):
    with pytest.raises(InputError, match="is gone"):
        read_run(find_workspace(tmp_path / "lovt-workspace"), "20260101-000000-x-0000")


def test_changes_can_be_put_back():
    draft = Draft(read_start("pretraining/lovt-30.yaml"))
    view = build_view(draft)
    row = row_of(view, "training.batch_size")
    changed = set_text(draft, row, "64")
    assert row_of(build_view(changed), "training.batch_size").is_changed
    assert changed.put_back(row.field.path) == draft
    assert set_text(changed, row, "32") == draft
    assert take_out(changed, row) == draft


def test_switching_a_section_off_and_on_is_no_change():
    draft = apply_overrides(Draft(read_start("pretraining/lovt-30.yaml")), "training.early_stopping.patience=3")
    view = build_view(draft)
    off = step(draft, row_of(view, "training.early_stopping"))
    view = build_view(off)
    assert view.asked.training.early_stopping is None
    assert row_of(view, "training.early_stopping").is_changed
    on = step(off, row_of(view, "training.early_stopping"))
    assert build_view(on).difference == ()


def test_stepping_goes_round_the_choices():
    draft = Draft(read_start("pretraining/lovt-30.yaml"))
    seen = []
    for _ in range(3):
        row = row_of(build_view(draft), "training.precision")
        seen.append(row.text)
        draft = step(draft, row)
    assert seen == ["bf16", "fp16", "fp32"]
    assert row_of(build_view(draft), "training.precision").text == "bf16"
    assert draft.changes == {}
    assert step(draft, row_of(build_view(draft), "seed")) is None


def test_another_kind_keeps_what_both_have():
    draft = Draft(read_start("pretraining/lovt-30.yaml"))
    other = set_text(draft, row_of(build_view(draft), "kind"), "selftest")
    view = build_view(other)
    assert view.problems == ()
    assert view.asked.kind == "selftest"
    assert view.asked.name == "lovt-30"


def test_the_difference_is_yaml_of_what_differs():
    before = {"seed": 1, "training": {"batch_size": 32, "device": "cpu", "stop": {"patience": 3}}, "on": 1}
    after = {"seed": 1, "training": {"batch_size": 64, "device": "cpu", "stop": None}, "on": True, "new": {"a": [1, 2]}}
    assert [f"{line.sign} {line.text}" for line in compare(before, after)] == [
        "  training:", "-   batch_size: 32", "+   batch_size: 64", "-   stop:", "-     patience: 3", "+   stop:",
        "- on: 1", "+ on: true", "+ new:", "+   a:", "+   - 1", "+   - 2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "optional", "text", "value"),
    [
        ("number", False, "1e-4", 1e-4), ("number", False, "x", "x"), ("number", True, "", None),
        ("number", True, "none", None), ("text", False, "007", "007"), ("text", True, "none", None),
        ("choice", False, "none", "none"), ("list", False, "a, b", ["a", "b"]), ("list", False, "[0.5, 1]", [0.5, 1]),
        ("list", False, "", []), ("yaml", False, "{a: 1}", {"a": 1}), ("yaml", False, "{a:", "{a:"),
    ],
)  # fmt: skip
def test_typed_text(form, optional, text, value):
    assert parse_text(Field(("experiment", "x"), form, 1, is_optional=optional), text) == value


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_value(text):
    for form in ("number", "list", "yaml", "text"):
        show_value(parse_text(Field(("experiment", "x"), form, 1), text))


def test_paths():
    document = {"a": {"b": [1, {"c": 2}]}}
    assert look_up(document, ("a", "b", 1, "c")) == 2
    assert look_up(document, ("a", "b", 5)) is MISSING
    assert put(document, ("a", "b", 1, "c"), 3) == {"a": {"b": [1, {"c": 3}]}}
    assert put(document, ("a", "b", 0), MISSING) == {"a": {"b": [{"c": 2}]}}
    assert put(document, ("a", "x", "y"), 1)["a"]["x"] == {"y": 1}
    assert put(document, ("a", "x", "y"), MISSING) == document
    assert put({"a": 3}, ("a", "b"), 1) == {"a": {"b": 1}}


def test_overrides_reach_the_launch_too():
    view = build_view(apply_overrides(Draft(read_start("tiny/lovt.yaml")), "repeats=2 tags=[tau] seed=7"))
    assert view.problems == ()
    assert (view.launch.repeats, view.launch.tags, view.asked.seed) == (2, ("tau",), 7)
    wrong = build_view(apply_overrides(Draft(read_start("tiny/lovt.yaml")), "repeats=0"))
    assert [problem.text for problem in wrong.problems] == ["repeats: must be at least 1, not 0"]


def test_keys_of_the_launch_are_none_of_an_experiment():
    own = {key for model in read_shape(Experiment).tags.values() for key in model.model_fields}
    assert not own & set(RunLaunch.model_fields)


@pytest.mark.parametrize("text", ["seed", "=3", 'name="a'])
def test_overrides_that_are_none(text):
    with pytest.raises(InputError):
        apply_overrides(Draft(read_start("tiny/lovt.yaml")), text)


def test_suggestions_know_runs_tasks_and_data(tmp_path, monkeypatch):
    monkeypatch.setenv("LOVT_PREPARED", str(tmp_path / "prepared"))
    workspace = find_workspace(tmp_path / "lovt-workspace")
    rows = (make_row("tau03"), make_row("waits", "queued", done=0), make_row("eval", kind="evaluate"))
    values = {}
    for path in (
        ("experiment", "encoder", "source"),
        ("experiment", "tasks"),
        ("experiment", "data", "name"),
        ("launch", "after"),
    ):
        values[path[-1]] = [each.value for each in suggest(Field(path, "text", ""), workspace, rows)]
    assert rows[0].id in values["source"]
    assert rows[1].id not in values["source"]
    assert {"last", "imagenet", "random"} <= set(values["source"])
    assert {"all", "paper-tuning", "rsna-linear-1"} <= set(values["tasks"])
    assert "mimic-cxr" in values["name"]
    assert "rsna" not in values["name"]
    assert values["after"] == [rows[1].id]
    assert suggest(Field(("experiment", "seed"), "number", 1), workspace, rows) == ()


@pytest.mark.parametrize("width", [10, 36, 76, 96, 130, 200])
def test_lines_are_as_wide_as_they_should_be(width):
    view = build_view(apply_overrides(Draft(read_start("sweeps/tiny.yaml")), "trials=0 training.batch_size=16"))
    for line in arrange(view.rows, (), ""):
        text = "".join(cell.text for cell in line_cells(line, width))
        assert len(text) == width or (isinstance(line, Heading) and width < 30)
    assert heading_cells(width)


def test_groups_fold_and_are_found():
    view = build_view(Draft(read_start("tiny/lovt.yaml")))
    lines = arrange(view.rows, {"data"}, "")
    data = next(line for line in lines if isinstance(line, Heading) and line.title == "data")
    assert data.is_folded
    assert not [line for line in lines if not isinstance(line, Heading) and line.group == "data"]
    found = arrange(view.rows, {"data"}, "data.NAME")
    assert [line.id for line in found] == ["#data", "experiment:data.name"]


def test_the_form_has_what_the_method_reads():
    view = build_view(Draft(read_start("pretraining/simclr-100.yaml")))
    shown = {row.key: row.field.value for row in view.rows}
    assert shown["augmentation.views.crop_area"] == [0.08, 1.0]
    assert not [key for key in shown if key.startswith(("augmentation.image", "augmentation.report"))]
    assert not view.difference
    odd = build_view(apply_overrides(view.draft, "augmentation.image.flip=0.1"))
    (row,) = [row for row in odd.rows if row.key.startswith("augmentation.image")]
    assert row.problem == "is not read by simclr, whose views are drawn as augmentation.views says: leave it out"
    supervised = build_view(Draft(read_start("pretraining/supervised-100.yaml")))
    assert any(row.key == "augmentation.image.flip" for row in supervised.rows)
