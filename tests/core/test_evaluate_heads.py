"""Whole evaluations with U-Net and YOLOv3 heads, frozen and fine-tuned, on tiny synthetic downloads."""

import json
from dataclasses import replace

import pytest

from lovt_core.config.evaluation import FeatureCacheConfig
from lovt_core.data.predictions import load_predictions
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.errors import ConfigError, InputError
from lovt_core.evaluate import evaluate
from lovt_core.values import Note, Result
from tests.core.evaluation.factories import SIZE, make_experiment, make_place, prepare_tiny, run_results

TASKS = ("covid-unet-finetuned", "covid-unet-frozen", "object-cxr-yolo-finetuned", "object-cxr-yolo-frozen")
SETTINGS = {"image_size": SIZE, "batch_size": 4, "warmup_steps": 3, "replicates": 2, "max_epochs": 2, "stride": 32}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Prepared synthetic COVID Rural and Object-CXR."""
    root = tmp_path_factory.mktemp("prepared")
    for name, count in (("covid-rural", 24), ("object-cxr", 30)):
        source = synthesize(
            tmp_path_factory.mktemp(name) / "download", Synthesis(name, count, 96, workers=1), lambda _: None
        )
        prepare_tiny(name, source, root)
    return root


def evaluate_tasks(root, scratch, tasks=TASKS, completed=(), **changes):
    """Results of an evaluation of fitted random encoders."""
    settings = SETTINGS | changes.pop("settings", {})
    experiment = make_experiment(tasks=tasks, settings=settings, **changes)
    return run_results(experiment, replace(make_place(root, scratch), completed=tuple(completed)))


@pytest.fixture(scope="module")
def finished(root, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    results = json.loads(json.dumps(evaluate_tasks(root, scratch)))
    return results, scratch


def replicates(results):
    return {(r["task"], r["replicate"]): r["value"] for r in results if r["type"] == "replicate"}


def test_every_head_is_searched_trained_and_judged(finished):
    results, _ = finished
    cells = {result["task"]: result for result in results if result["type"] == "cell"}
    assert tuple(cells) == TASKS
    for task, cell in cells.items():
        assert cell["metric"] == ("dice" if "unet" in task else "froc")
        assert len(cell["values"]) == 2
        assert cell["numbers"] == "fp32 on cpu"
    tests = [result["test"] for result in results if result["type"] == "replicate" and "yolo" in result["task"]]
    assert all({"map", "map_50", "froc", "num_boxes"} <= set(test) for test in tests)


@pytest.mark.parametrize("task", TASKS[1::2])
def test_scores_of_frozen_tasks_do_not_depend_on_what_is_kept(task, root, finished, tmp_path):
    """Stated tolerance: 1e-6 on a CPU; not kept, replicates of a given encoder train together."""
    uncached = evaluate_tasks(root, tmp_path, (task,), cache=FeatureCacheConfig(memory_gb=0))
    wanted = {key: value for key, value in replicates(finished[0]).items() if key[0] == task}
    assert replicates(uncached) == pytest.approx(wanted, abs=1e-6)


def test_features_in_files_give_the_same_scores_and_are_found_again(root, finished, tmp_path):
    cache = FeatureCacheConfig(memory_gb=0, disk_gb=1)
    place = replace(make_place(root, tmp_path), features=tmp_path / "features")
    experiment = make_experiment(tasks=("object-cxr-yolo-frozen",), settings=SETTINGS, cache=cache)
    results = [value.data for value in evaluate(experiment, place) if isinstance(value, Result)]
    wanted = {key: value for key, value in replicates(finished[0]).items() if key[0] == "object-cxr-yolo-frozen"}
    assert replicates(results) == pytest.approx(wanted, abs=1e-6)
    entries = {path.name for path in (tmp_path / "features").iterdir() if path.is_dir()}
    assert len(entries) >= 2, "each replicate has an encoder of its own"
    again = [value.data for value in evaluate(experiment, place) if isinstance(value, Result)]
    assert replicates(again) == replicates(results)


def test_goes_on_at_the_missing_rate_and_replicate(root, finished, tmp_path):
    results, _ = finished
    own = [result for result in results if result["task"] == "covid-unet-finetuned"]
    left = [r for r in own if r["type"] == "rate"][:1]
    rest = evaluate_tasks(root, tmp_path, ("covid-unet-finetuned",), completed=left)
    assert [result["type"] for result in rest] == ["rate", "search", "replicate", "replicate", "cell"]
    assert replicates(rest) == pytest.approx(replicates(own), abs=1e-6)


def test_predictions_are_kept_for_looking_at(finished):
    _, scratch = finished
    for task in TASKS:
        predictions = load_predictions(scratch / "artifacts" / "predictions" / f"{task}.npz")
        assert predictions.task == task
        ranks = [case.rank for case in predictions.cases]
        assert (ranks[0], ranks[-1]) == ("best", "worst")
        assert predictions.cases[0].score >= predictions.cases[-1].score


@pytest.mark.parametrize("backbone", ["test_vit", "test_convnext"])
def test_backbones_without_some_strides(backbone, root, tmp_path):
    settings = {"learning_rates": (1e-3,), "replicates": 1, "max_epochs": 1}
    tasks = ("covid-unet-frozen", "covid-linear", "object-cxr-yolo-frozen")
    results = evaluate_tasks(root, tmp_path, tasks, encoder={"backbone": backbone}, settings=settings)
    assert sum(result["type"] == "cell" for result in results) == 3


def test_a_backbone_that_no_power_of_two_fits_is_refused_before_anything_is_trained(root, tmp_path):
    with pytest.raises(ConfigError, match="stride"):
        evaluate_tasks(root, tmp_path, encoder={"backbone": "vit_small_patch14_dinov2"})


def test_boxes_without_area_are_said(root, tmp_path, monkeypatch):
    from lovt_core.evaluation.task_data import TaskData

    monkeypatch.setattr(TaskData, "count_flat_boxes", lambda self: 2)
    experiment = make_experiment(
        tasks=("object-cxr-yolo-frozen",),
        settings=SETTINGS | {"replicates": 1, "learning_rates": (1e-3,), "max_epochs": 1},
    )
    notes = [value.message for value in evaluate(experiment, make_place(root, tmp_path)) if isinstance(value, Note)]
    assert any("2 boxes of object-cxr have no area" in message for message in notes)


def test_a_coarse_encoder_cannot_serve_a_fine_linear_head(root, tmp_path):
    with pytest.raises(InputError, match=r"set settings\.stride"):
        evaluate_tasks(root, tmp_path, ("covid-linear",), encoder={"backbone": "test_vit"}, settings={"stride": 8})
