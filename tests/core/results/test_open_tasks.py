"""Entries without a score: what evaluation runs are still to do, or failed to do."""

import pytest

from lovt_core.config.evaluation import EvaluationSettings
from lovt_core.results.cells import collect_cells
from lovt_core.results.comparison import ComparisonOptions, Missing, Score, compare
from lovt_core.results.export import to_csv, to_json, to_markdown
from lovt_core.results.open_tasks import find_open_tasks
from lovt_core.results.published import load_published
from lovt_core.tasks import expand_tasks
from tests.core.results.factories import evaluation, evaluation_run, scored_cell

BOTH = ("covid-linear", "siim-unet-frozen")
QUICK = EvaluationSettings(protocol="quick")


def entries(results, runs, **options):
    """(label, task) -> entry, where each task has one column."""
    comparison = compare(collect_cells(results), runs=runs, options=ComparisonOptions(**options))
    assert len({column.task for column in comparison.columns}) == len(comparison.columns)
    return {
        (row.label, column.task): entry
        for row in comparison.rows
        for column, entry in zip(comparison.columns, row.scores, strict=True)
    }


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("queued", "queued"),
        ("launched", "running"),
        ("running", "running"),
        ("interrupted", "queued"),
        ("failed", "failed"),
        ("lost", "failed"),
    ],
)
def test_a_run_covers_its_tasks_until_it_has_a_cell_for_each(state, shown):
    experiment = evaluation(tasks=BOTH)
    found = entries([scored_cell("1", "covid-linear", experiment)], [evaluation_run("1", state, experiment)])
    assert isinstance(found["random", "covid-linear"], Score)
    assert found["random", "covid-linear"].notes == ()
    assert found["random", "siim-unet-frozen"] == Missing(shown, "1")


@pytest.mark.parametrize("state", ["stopped", "cancelled", "pruned", "finished"])
def test_what_the_user_ended_is_not_run(state):
    experiment = evaluation(tasks=BOTH)
    found = entries([scored_cell("1", "covid-linear", experiment)], [evaluation_run("1", state, experiment)])
    assert list(found) == [("random", "covid-linear")]


def test_a_run_waits_in_the_column_of_its_conditions_and_the_row_of_its_encoder():
    scored = [scored_cell(run, "covid-linear", evaluation(source)) for run, source in (("1", "random"), ("2", "mine"))]
    scored.append(scored_cell("1", "siim-unet-frozen", evaluation()))
    runs = [
        evaluation_run("1", "finished", evaluation(tasks=BOTH)),
        evaluation_run("2", "finished", evaluation("mine")),
        evaluation_run("3", "running", evaluation("mine", ("siim",), split="published")),
    ]
    found = entries(scored, runs, tasks=expand_tasks(["siim-unet-frozen"]))
    assert set(found) == {("random", "siim-unet-frozen"), ("mine", "siim-unet-frozen")}
    assert found["mine", "siim-unet-frozen"] == Missing("running", "3")


@pytest.mark.parametrize("split", ["auto", "published"])
def test_a_task_that_nobody_was_judged_on_waits_under_the_conditions_of_its_data_set(split):
    waiting = evaluation("mine", ("covid-unet-frozen",), split=split)
    runs = [evaluation_run("1", "finished", evaluation()), evaluation_run("2", "queued", waiting)]
    scored = [scored_cell("1", "covid-linear", evaluation())]
    comparison = compare(collect_cells(scored), load_published(), runs)
    assert [(column.task, column.marks, column.is_published) for column in comparison.columns] == [
        ("covid-unet-frozen", ("published split",), True),
        ("covid-linear", ("published split",), True),
    ]
    assert comparison.columns[0].key[2:] == comparison.columns[1].key[2:]
    narrow = ComparisonOptions(tasks=expand_tasks(["covid-unet-frozen"]))
    assert compare(collect_cells(scored), runs=runs, options=narrow).columns == comparison.columns[:1]


def test_another_size_is_other_data():
    small = evaluation("mine", ("covid-unet-frozen",), settings=EvaluationSettings(image_size=96))
    runs = [evaluation_run("1", "finished", evaluation()), evaluation_run("2", "queued", small)]
    comparison = compare(collect_cells([scored_cell("1", "covid-linear", evaluation())]), runs=runs)
    assert comparison.columns[0].marks == ("96 px", "auto split")


def test_another_protocol_or_split_waits_in_a_column_of_its_own():
    experiment = evaluation()
    changed = [evaluation(settings=QUICK), evaluation(split="patient:3")]
    runs = [evaluation_run(str(number), "queued", each) for number, each in enumerate(changed, start=2)]
    comparison = compare(collect_cells([scored_cell("1", "covid-linear", experiment)]), runs=runs)
    shown = list(zip(comparison.columns, comparison.rows[0].scores, strict=True))
    waiting = {column.marks for column, entry in shown if entry == Missing("queued", "2")}
    assert [(marks[0], marks[-1]) for marks in waiting] == [("quick", "published split")]
    assert [column.marks for column, entry in shown if entry == Missing("queued", "3")] == [("patient:3 split",)]
    assert [column.marks for column, entry in shown if isinstance(entry, Score)] == [("published split",)]


def test_an_encoder_without_any_score_has_a_row():
    runs = [
        evaluation_run("1", "queued", evaluation("/weights/mine/model.safetensors")),
        evaluation_run("2", "failed", evaluation("20240101-000000-lovt-abcd", checkpoint="last")),
        evaluation_run("3", "running", evaluation(label="baseline")),
        evaluation_run("4", "queued", evaluation("timm:hf-hub:someone/model")),
    ]
    found = entries([], runs)
    assert {label: entry.state for (label, _), entry in found.items()} == {
        "mine/model.safetensors": "queued",
        "20240101-000000-lovt-abcd (last)": "failed",
        "baseline": "running",
        "timm:hf-hub:someone/model": "queued",
    }


def test_a_backbone_of_its_own_is_a_row_of_its_own():
    runs = [evaluation_run("2", "queued", evaluation("imagenet", backbone="efficientnet_lite0"))]
    done = evaluation_run("1", "finished", evaluation("imagenet"))
    found = entries([scored_cell("1", "covid-linear", evaluation("imagenet"))], [done, *runs])
    assert [label for label, _ in found] == ["imagenet (resnet50)", "imagenet (efficientnet_lite0)"]


@pytest.mark.parametrize(
    ("state", "note"),
    [("failed", "a newer evaluation has failed"), ("running", "a newer evaluation is running")],
)
def test_a_score_stays_until_a_newer_one_replaces_it(state, note):
    experiment = evaluation()
    runs = [evaluation_run("1", "finished", experiment), evaluation_run("2", state, experiment)]
    score = entries([scored_cell("1", "covid-linear", experiment)], runs)["random", "covid-linear"]
    assert (score.mean, score.notes) == (0.32, (note,))


def test_a_failed_run_with_a_newer_score_shows_the_score_alone():
    experiment = evaluation()
    runs = [evaluation_run("1", "failed", experiment), evaluation_run("2", "finished", experiment)]
    score = entries([scored_cell("2", "covid-linear", experiment)], runs)["random", "covid-linear"]
    assert score.notes == ()


def test_running_counts_before_queued_before_failed():
    experiment = evaluation()
    states = {"1": "running", "2": "queued", "3": "failed"}
    runs = [evaluation_run(run, state, experiment) for run, state in states.items()]
    assert entries([], runs)["random", "covid-linear"] == Missing("running", "1")
    assert entries([], runs[1:])["random", "covid-linear"] == Missing("queued", "2")


def test_runs_that_cannot_be_read_and_other_kinds_are_passed_over():
    from dataclasses import replace

    run = evaluation_run("1", "queued", evaluation())
    others = [
        replace(run, kind="pretrain"),
        replace(run, experiment={"kind": "evaluate", "of": "later versions"}),
        replace(run, experiment={**run.experiment, "tasks": ["a-task-of-later-versions"]}),
    ]
    assert find_open_tasks(others, ()) == ()


def test_published_rows_do_not_wait():
    comparison = compare(collect_cells([]), load_published(), [evaluation_run("1", "queued", evaluation())])
    assert [column.marks for column in comparison.columns] == [("auto split",), ("published split",)]
    assert {
        entry for row in comparison.rows if row.is_published for entry in row.scores if isinstance(entry, Missing)
    } == {Missing("not run")}


def test_states_are_exported():
    comparison = compare(collect_cells([]), runs=[evaluation_run("1", "queued", evaluation())])
    assert "| random | queued |" in to_markdown(comparison)
    assert to_csv(comparison).splitlines()[1].startswith("random,general initialisation,False,covid-linear,dice,queued")
    assert to_json(comparison)["rows"][0]["scores"] == [{"state": "queued", "run": "1"}]
