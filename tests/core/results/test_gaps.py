"""Which scores are missing, and which evaluations would bring exactly those."""

import pytest

from lovt_core.config.evaluation import EvaluationSettings
from lovt_core.results.cells import collect_cells
from lovt_core.results.gaps import find_gaps
from lovt_core.tasks import TASKS, expand_tasks
from tests.core.results.factories import encoder, evaluation, evaluation_run, scored_cell

COVID = expand_tasks(["covid"])
NAMES = tuple(task.id for task in COVID)
SMALL = EvaluationSettings(image_size=96)


def gaps(results, runs, tasks=COVID, is_prepared=lambda data, size: True):
    return find_gaps(runs, collect_cells(results).cells, tasks, is_prepared)


def states(found):
    return {(gap.task.id, gap.state, gap.run_id) for gap in found.gaps}


def test_lists_the_tasks_without_a_score_of_every_evaluated_encoder():
    first, second = evaluation(), evaluation("imagenet", NAMES)
    results = [scored_cell("1", "covid-linear", first), *(scored_cell("2", name, second) for name in NAMES)]
    runs = [evaluation_run("1", "finished", first), evaluation_run("2", "finished", second)]
    random, imagenet = gaps(results, runs)
    assert (random.label, imagenet.label) == ("random", "imagenet")
    assert states(random) == {(name, "not run", None) for name in NAMES if name != "covid-linear"}
    assert (imagenet.gaps, imagenet.evaluation) == ((), None)


def test_an_encoder_without_a_score_is_not_evaluated():
    assert gaps([], [evaluation_run("1", "failed", evaluation())]) == ()


def test_the_evaluation_is_the_newest_with_exactly_the_missing_tasks():
    old, new = evaluation(seed=1), evaluation(settings=SMALL, split="patient:2", seed=2)
    results = [
        scored_cell("1", "covid-unet-frozen", old),
        scored_cell("2", "covid-linear", new, data={"split": "patient:2"}),
    ]
    runs = [evaluation_run("1", "finished", old), evaluation_run("2", "finished", new)]
    (found,) = gaps(results, runs)
    expected = tuple(name for name in NAMES if name != "covid-linear")
    assert found.evaluation == new.model_copy(update={"tasks": expected})
    assert found.evaluation.seed == 2


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"split": "patient:7"}},
        {"encoder": encoder("mine", "older weights", source="mine", backbone="resnet50")},
    ],
)
def test_scores_under_another_split_or_of_older_weights_do_not_count(change):
    old, new = evaluation("mine", split="patient:7"), evaluation("mine", split="patient:0")
    results = [
        scored_cell("1", "covid-unet-frozen", old, **{"data": {"split": "patient:0"}, **change}),
        scored_cell("2", "covid-linear", new, data={"split": "patient:0"}),
    ]
    runs = [evaluation_run("1", "finished", old), evaluation_run("2", "finished", new)]
    (found,) = gaps(results, runs)
    assert ("covid-unet-frozen", "not run", None) in states(found)


def test_automatic_and_named_split_are_the_same_where_they_name_the_same():
    named, automatic = evaluation(split="published"), evaluation()
    results = [scored_cell("1", "covid-unet-frozen", named), scored_cell("2", "covid-linear", automatic)]
    runs = [evaluation_run("1", "finished", named), evaluation_run("2", "finished", automatic)]
    (found,) = gaps(results, runs)
    assert states(found) == {("covid-unet-finetuned", "not run", None)}


def test_what_waits_or_runs_is_listed_and_not_run_again():
    experiment = evaluation()
    runs = [
        evaluation_run("1", "finished", experiment),
        evaluation_run("2", "running", evaluation(tasks=("covid-unet-frozen",))),
        evaluation_run("3", "failed", evaluation(tasks=("covid-unet-finetuned",))),
        evaluation_run("4", "queued", evaluation(tasks=NAMES, settings=SMALL)),
    ]
    (found,) = gaps([scored_cell("1", "covid-linear", experiment)], runs)
    assert states(found) == {("covid-unet-frozen", "running", "2"), ("covid-unet-finetuned", "failed", "3")}
    assert found.evaluation.tasks == ("covid-unet-finetuned",)


def test_unprepared_data_is_listed_and_not_run():
    asked = []

    def is_prepared(data, size):
        asked.append((data, size))
        return data != "siim"

    experiment = evaluation(settings=SMALL)
    cell = scored_cell("1", "covid-linear", experiment)
    (found,) = gaps([cell], [evaluation_run("1", "finished", experiment)], TASKS, is_prepared)
    assert {gap.task.data for gap in found.gaps if gap.state == "not prepared"} == {"siim"}
    assert len(found.evaluation.tasks) == 18 - 1 - 2
    assert {size for _, size in asked} == {96}


def test_random_encoders_of_several_tasks_are_one():
    experiment = evaluation(tasks=NAMES[1:])
    results = [
        scored_cell("1", name, experiment, encoder=encoder("random", name, backbone="resnet50")) for name in NAMES[1:]
    ]
    (found,) = gaps(results, [evaluation_run("1", "finished", experiment)])
    assert states(found) == {(NAMES[0], "not run", None)}


def test_one_row_is_filled_once_though_it_was_evaluated_from_two_sources():
    first, second = evaluation("a.safetensors", label="mine"), evaluation("b.safetensors", label="mine")
    same = {"label": "mine", "fingerprint": "same"}
    results = [
        scored_cell(run, "covid-linear", each, encoder=encoder(**same, source=each.encoder.source, backbone="resnet50"))
        for run, each in (("1", first), ("2", second))
    ]
    (found,) = gaps(results, [evaluation_run("1", "finished", first), evaluation_run("2", "finished", second)])
    assert found.newest.encoder.source == "b.safetensors"
