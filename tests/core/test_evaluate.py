"""Whole evaluations on a tiny data set: what they yield, how they stop and go on."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from pydantic import ValidationError

from lovt_core.config.evaluation import FeatureCacheConfig
from lovt_core.errors import DataError, InputError
from lovt_core.evaluate import evaluate
from lovt_core.evaluation.cell import compute_cell
from lovt_core.values import Alarm, Ended, Note, Progress, Result
from tests.core.evaluation.factories import (
    make_experiment,
    make_place,
    prepare_tiny,
    run_results,
    write_covid_rural,
)


@pytest.fixture(scope="module")
def prepared_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("prepared")
    prepare_tiny("covid-rural", write_covid_rural(tmp_path_factory.mktemp("rural") / "download"), root)
    return root


@pytest.fixture
def place(prepared_root, tmp_path):
    return make_place(prepared_root, tmp_path)


@pytest.fixture(scope="module")
def finished(prepared_root, tmp_path_factory):
    """Results of a whole evaluation, as they come back from a file."""
    results = run_results(make_experiment(), make_place(prepared_root, tmp_path_factory.mktemp("scratch")))
    return json.loads(json.dumps(results))


def scores(results):
    return {result["replicate"]: result["value"] for result in results if result["type"] == "replicate"}


def test_yields_search_replicates_and_cell(finished):
    assert Counter(result["type"] for result in finished) == {"rate": 2, "search": 1, "replicate": 3, "cell": 1}
    search, cell = finished[2], finished[-1]
    assert search["validation"] == [result["validation"] for result in finished[:2]]
    assert search["chosen"] == search["learning_rates"][search["validation"].index(max(search["validation"]))]
    assert cell["values"] == [scores(finished)[number] for number in range(3)]
    assert cell["mean"] == pytest.approx(sum(cell["values"]) / 3)
    assert cell["metric"] == "dice"
    assert all(0.2 < value < 1 for value in cell["values"]), "heads learn something on spots"


def test_without_replicates_there_are_validation_scores_and_nothing_is_tested(place, finished):
    for rates in ((0.02, 0.01), (0.02,)):
        experiment = make_experiment(settings={"replicates": 0, "learning_rates": rates})
        values = list(evaluate(experiment, place))
        results = [dict(value.data) for value in values if isinstance(value, Result)]
        assert [result["type"] for result in results] == ["rate"] * len(rates) + ["search"]
        assert results[-1]["validation"] == [result["validation"] for result in results[:-1]]
        assert all(0 < score < 1 for score in results[-1]["validation"])
        last = [value for value in values if isinstance(value, Progress)][-1]
        assert last.done <= last.total == len(rates) * 6
        again = list(evaluate(experiment, replace(place, completed=tuple(json.loads(json.dumps(results))))))
        assert not [value for value in again if isinstance(value, Result)]


def test_replicates_have_their_own_seeds_and_random_ones_their_own_encoders(finished):
    replicates = [result for result in finished if result["type"] == "replicate"]
    assert len({result["seed"] for result in replicates}) == 3
    assert len({result["encoder"] for result in replicates}) == 3
    assert finished[-1]["encoder"]["fingerprint"] not in {result["encoder"] for result in replicates}


def test_cell_carries_its_identity(finished, prepared_root):
    cell = finished[-1]
    assert cell["encoder"]["label"] == cell["encoder"]["source"] == "random-fitted"
    assert cell["encoder"]["backbone"] == "test_resnet"
    assert cell["protocol"]["name"] == "quick"
    assert {"64 px", "stride 16", "6 epochs", "3 replicates"} < set(cell["protocol"]["marks"])
    assert cell["data"]["name"] == "covid-rural"
    assert cell["data"]["split"] == "patient:0"
    assert cell["data"]["genuine"] is False, "other images in the layout of COVID Rural"
    assert cell["overlap"] is None


def test_is_reproducible_and_follows_the_seed(finished, place):
    assert json.loads(json.dumps(run_results(make_experiment(), place))) == finished
    other = run_results(make_experiment(seed=1), place)
    assert scores(other) != scores(finished)


@pytest.mark.parametrize("memory_gb", [0, 1e-3, 2e-3])
def test_scores_do_not_depend_on_what_is_cached_or_trained_together(finished, place, memory_gb):
    """Stated tolerance: 1e-6 on a CPU. One encoder's features take 0.8 MB here."""
    experiment = make_experiment(cache=FeatureCacheConfig(memory_gb=memory_gb))
    values = list(evaluate(experiment, place))
    results = [value.data for value in values if isinstance(value, Result)]
    assert scores(results) == pytest.approx(scores(finished), abs=1e-6)
    alarms = [value.message for value in values if isinstance(value, Alarm)]
    assert any("computed anew in every epoch" in message for message in alarms) == (memory_gb == 0)


def test_goes_on_at_the_missing_replicate(finished, place):
    left = [result for result in finished if result["type"] != "cell" and result.get("replicate") != 1]
    values = list(evaluate(make_experiment(), replace(place, completed=tuple(left))))
    results = [value.data for value in values if isinstance(value, Result)]
    assert [(result["type"], result.get("replicate")) for result in results] == [("replicate", 1), ("cell", None)]
    assert results[0]["value"] == pytest.approx(scores(finished)[1], abs=1e-6)
    assert results[1]["values"] == pytest.approx(finished[-1]["values"], abs=1e-6)
    notes = {value.note for value in values if isinstance(value, Progress)}
    assert not any("learning rates" in note for note in notes)


def test_finished_evaluation_has_nothing_left_to_do(finished, place):
    assert list(evaluate(make_experiment(), replace(place, completed=tuple(finished)))) == []


def test_pieces_of_another_protocol_are_done_again(finished, place):
    experiment = make_experiment(settings={"max_epochs": 2})
    values = list(evaluate(experiment, replace(place, completed=tuple(finished))))
    assert sum(isinstance(value, Result) for value in values) == 7
    assert any(isinstance(value, Note) and "7 finished pieces" in value.message for value in values)


@pytest.mark.parametrize(
    "change", [{"seed": 7}, {"precision": "bf16"}, {"split": "patient:1"}, {"encoder": {"backbone": "test_byobnet"}}]
)
def test_pieces_of_another_seed_number_format_split_or_backbone_are_done_again(finished, place, change):
    experiment = make_experiment(**change, settings={"max_epochs": 6})
    values = evaluate(experiment, replace(place, completed=tuple(finished)))
    first = next(value for value in values if isinstance(value, Note))
    assert first.message.startswith("7 finished pieces of covid-linear are of another")


@pytest.mark.parametrize("num_questions", [1, 4, 9, 14, 20])
def test_stopped_anywhere_and_resumed_gives_the_same_cell(finished, place, num_questions):
    asked = iter([None] * num_questions)
    stopping = replace(place, stop_requested=lambda: next(asked, "interrupted"))
    values = list(evaluate(make_experiment(), stopping))
    assert values[-1] == Ended("interrupted")
    assert isinstance(values[-2], Progress)
    done = [json.loads(json.dumps(value.data)) for value in values if isinstance(value, Result)]
    rest = run_results(make_experiment(), replace(place, completed=tuple(done)))
    assert len(done) + len(rest) == len(finished)
    assert rest[-1]["values"] == pytest.approx(finished[-1]["values"], abs=1e-6)


def test_progress_is_that_of_all_tasks_and_never_falls(place):
    values = [value for value in evaluate(make_experiment(), place) if isinstance(value, Progress)]
    assert {(value.unit, value.total) for value in values} == {("epoch", values[0].total)}
    done = [value.done for value in values]
    assert done == sorted(done)
    assert 0 <= done[0] <= done[-1] <= values[0].total
    assert any("encoding, " in value.note and value.note.endswith("images") for value in values)


def test_single_learning_rate_is_not_searched(place):
    results = run_results(make_experiment(settings={"learning_rates": (0.02,)}), place)
    assert results[0]["type"] == "search"
    assert (results[0]["validation"], results[0]["chosen"]) == ([], 0.02)


def test_single_replicate_has_no_interval(place):
    cell = run_results(make_experiment(settings={"replicates": 1, "learning_rates": (0.02,)}), place)[-1]
    assert cell["ci95"] is None
    assert cell["values"] == [cell["mean"]]


def test_equal_scores_are_flagged():
    cell = compute_cell([{"value": value, "seed": 1} for value in (0.5, 0.4, 0.5)], "dice")
    assert cell["duplicates"] == [[0, 2]]


def test_unknown_task_is_named(place):
    with pytest.raises(InputError, match=r"'covid-liner'.*covid-linear"):
        list(evaluate(make_experiment(tasks=("covid-liner",)), place))


def test_unprepared_data_names_the_command(place):
    with pytest.raises(DataError, match="lovt data prepare covid-rural --source DIR"):
        list(evaluate(make_experiment(settings={"image_size": 96}), place))


def test_unknown_split_is_refused():
    with pytest.raises(ValidationError, match="patient:SEED"):
        make_experiment(split="fold:1")


def test_too_few_training_images_are_refused(tmp_path):
    prepare_tiny("covid-rural", write_covid_rural(tmp_path / "download", num_patients=5), tmp_path / "prepared")
    with pytest.raises(DataError, match="6 training images for covid-linear, fewer than one batch of 8"):
        list(evaluate(make_experiment(), make_place(tmp_path / "prepared", tmp_path)))
