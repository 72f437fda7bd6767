"""Every shipped file of kind pretrain trains: two steps with tiny encoders on synthetic data."""

import math

import pytest

from lovt_core.config.loading import load_experiment, read_kind, shipped_experiments, shipped_folder
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.pretrain import pretrain
from lovt_core.values import CheckpointSaved, Metrics
from tests.core.evaluation.factories import make_place

SIZE = 64
FILES = [path for path in shipped_experiments() if read_kind(path) == "pretrain"]
SMALL = [
    f"data.image_size={SIZE}",
    "training.batch_size=4",
    "training.accumulate=1",
    "training.max_steps=2",
    "training.precision=fp32",
    "training.device=cpu",
    "method.image_encoder.backbone=test_resnet",
    "method.image_encoder.weights=random",
    "method.image_encoder.stride=16",
]
REPORTS = [
    "method.report_encoder.model=tiny",
    "method.report_encoder.tiny={width: 32, vocabulary_size: 128}",
    "method.report_encoder.frozen_layers=1",
    "method.report_encoder.max_tokens=128",
    "method.projection.hidden=32",
    "method.projection.size=16",
]
SMALLER = {
    "lovt": REPORTS,
    "simclr": ["method.hidden=32", "method.size=16"],
    "byol": ["method.hidden=32", "method.size=16"],
    "pixelpro": ["method.hidden=32", "method.size=16"],
    "supervised": [],
}


@pytest.fixture(scope="module")
def prepared_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    for name in ("mimic-cxr", "covid-chestxray"):
        synthesize(folder / name, Synthesis(name, 48, SIZE, workers=1), lambda progress: None)
        options = PrepareOptions(size=SIZE, workers=1)
        prepare(name, folder / name, folder / "prepared", options, lambda progress: None)
    return folder / "prepared"


def shrink(file):
    """The experiment of a file with everything that takes time made small, and nothing else changed."""
    return load_experiment(file, [*SMALL, *SMALLER[load_experiment(file).method.name]])


def expected_losses(method):
    """Names of the losses that an objective keeps."""
    objective = method.objective
    directions = {
        "global": (objective.global_, ("image_to_report", "report_to_image")),
        "regions": (objective.regions, ("local_to_attended", "attended_to_local")),
        "sentences": (objective.sentences, ("local_to_attended", "attended_to_local")),
    }
    return {f"{name}/{way}" for name, (part, ways) in directions.items() if part is not None for way in ways}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(shipped_folder())))
def test_trains_two_steps(prepared_root, tmp_path, file):
    experiment = shrink(file)
    values = list(pretrain(experiment, make_place(prepared_root, tmp_path)))
    metrics = [value for value in values if isinstance(value, Metrics)]
    assert {value.step for value in metrics} == {1, 2}
    losses = [value.values["train/loss"] for value in metrics if "train/loss" in value.values]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    assert any(isinstance(value, CheckpointSaved) and value.is_last for value in values)
    if experiment.method.name == "lovt":
        names = {name.removeprefix("train/") for value in metrics for name in value.values}
        wanted = ("global/", "regions/", "sentences/")
        assert {name for name in names if name.startswith(wanted)} == expected_losses(experiment.method)
