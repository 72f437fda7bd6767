"""Whole pre-trainings on images alone: data, steps, resume to the bit, what is best, evaluation, faults."""

import math
from dataclasses import replace
from itertools import islice

import pytest
import torch
from pydantic import ValidationError

from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.loading import load_experiment, shipped_folder
from lovt_core.config.training import ScheduleConfig
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.single_images import open_single_images
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.errors import ConfigError, DataError
from lovt_core.evaluate import evaluate
from lovt_core.pretrain import check, pretrain
from lovt_core.training.checkpoint import load_checkpoint
from lovt_core.training.schedule import Horizon, compute_learning_rate
from lovt_core.values import CheckpointSaved, Metrics, Note, Result
from tests.core.evaluation.factories import make_place
from tests.core.methods.image_methods import FOLLOWED, SIZE, TINY, make_experiment

METHODS = sorted(TINY)


@pytest.fixture(scope="module")
def prepared_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    for name, count in (("mimic-cxr", 64), ("covid-rural", 48), ("covid-chestxray", 40)):
        synthesize(folder / name, Synthesis(name, count, SIZE, workers=1), lambda progress: None)
        options = PrepareOptions(size=SIZE, workers=1)
        prepare(name, folder / name, folder / "prepared", options, lambda progress: None)
    return folder / "prepared"


@pytest.fixture(scope="module")
def unbroken(prepared_root, tmp_path_factory):
    """Method -> all values of a whole training, and where it worked."""
    made = {}

    def train(method):
        if method not in made:
            place = make_place(prepared_root, tmp_path_factory.mktemp(method))
            made[method] = list(pretrain(make_experiment(method), place)), place
        return made[method]

    return train


def losses_of(values):
    return {
        (value.step, name): number.hex()
        for value in values
        if isinstance(value, Metrics)
        for name, number in value.values.items()
        if not name.startswith("time/")
    }


def saved_in(values):
    return [value for value in values if isinstance(value, CheckpointSaved)]


@pytest.mark.parametrize("method", METHODS)
def test_trains_validates_and_says_which_weights_to_use(unbroken, method):
    values, place = unbroken(method)
    names = {name for value in values if isinstance(value, Metrics) for name in value.values}
    assert {"train/loss", "val/loss", "train/gradient_norm"} <= names
    saved = saved_in(values)
    scores = [
        value.values["val/auroc"] for value in values if isinstance(value, Metrics) and "val/auroc" in value.values
    ]
    best = [value.name for value in saved if value.is_best][-1]
    if method == "supervised":
        assert best == saved[scores.index(max(scores))].name
    else:
        assert scores == []
        assert best == saved[-1].name
    describe = load_checkpoint(place.checkpoints / best).describe
    assert describe["method"]["name"] == method
    assert describe["data"]["samples"] == "images"


@pytest.mark.parametrize("method", METHODS)
def test_broken_off_and_resumed_gives_the_same_losses_to_the_bit(unbroken, prepared_root, tmp_path, method):
    values, whole_place = unbroken(method)
    place = make_place(prepared_root, tmp_path)
    experiment = make_experiment(method, training={"checkpoint_every_steps": 1})
    first = list(islice(pretrain(experiment, place), 9))
    saved = saved_in(first)
    again = replace(
        place,
        attempt=2,
        last_checkpoint=saved[-1].name,
        best_checkpoint=next((value.name for value in reversed(saved) if value.is_best), None),
    )
    torch.manual_seed(999)  # what the process did before must not matter
    second = list(pretrain(experiment, again))
    assert losses_of(second)
    assert losses_of(first) | losses_of(second) == losses_of(values)
    end = load_checkpoint(place.checkpoints / saved_in(second)[-1].name).load_model()
    expected = load_checkpoint(whole_place.checkpoints / saved_in(values)[-1].name).load_model()
    assert end.keys() == expected.keys()
    assert all(torch.equal(end[name], expected[name]) for name in end)
    for copy in FOLLOWED.get(method, ()):
        assert any(name.startswith(copy) for name in end)


@pytest.mark.parametrize("method", METHODS)
def test_its_encoder_is_evaluated(unbroken, method):
    values, place = unbroken(method)
    best = [value.name for value in saved_in(values) if value.is_best][-1]
    judge = replace(place, find_checkpoint=lambda run, which: place.checkpoints / best)
    settings = {"image_size": SIZE, "stride": 16, "replicates": 2, "max_epochs": 2, "learning_rates": [1e-2]}
    experiment = EvaluateExperiment.model_validate(
        {"name": "judge", "encoder": {"source": "run"}, "tasks": ["covid-linear"], "settings": settings}
    )
    cell = [value.data for value in evaluate(experiment, judge) if isinstance(value, Result)][-1]
    assert cell["encoder"]["pretrained_on"] == ["mimic-cxr"]


@pytest.mark.parametrize(
    ("file", "batch", "rate", "decay"),
    [
        ("byol-30", 64, 3e-5, 1e-4),
        ("byol-100", 64, 1e-4, 1e-4),
        ("simclr-30", 128, 3e-4, 1e-4),
        ("simclr-100", 128, 3e-4, 1e-4),
        ("pixelpro-30", 64, 1e-3, 1e-5),
        ("pixelpro-100", 64, 1e-3, 1e-5),
        ("supervised-30", 64, 1e-4, 1e-6),
        ("supervised-100", 64, 3e-4, 1e-6),
    ],
)
def test_shipped_settings_are_those_of_the_protocol(file, batch, rate, decay):
    experiment = load_experiment(shipped_folder() / "pretraining" / f"{file}.yaml")
    training = experiment.training
    assert experiment.name == file
    assert experiment.data.train_fraction == int(file.partition("-")[2]) / 100
    assert (training.batch_size, training.accumulate, training.max_epochs) == (batch, 1, 100)
    assert (training.optimiser.name, training.optimiser.learning_rate) == ("adam", rate)
    assert training.optimiser.weight_decay == decay
    assert (experiment.method.image_encoder.backbone, experiment.method.image_encoder.weights) == (
        "resnet50",
        "imagenet",
    )


def test_rate_is_zero_in_the_first_epoch_and_then_falls_once_an_epoch():
    config = ScheduleConfig(name="cosine-epochs", warmup_epochs=1)
    rates = [compute_learning_rate(config, 1.0, step, Horizon(3, 30)) for step in range(30)]
    assert rates[:6] == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    assert rates[6] == rates[8] == pytest.approx((1 + math.cos(math.pi / 9)) / 2)
    assert rates == rates[:3] + sorted(rates[3:], reverse=True)
    assert 0 < rates[-1] < 0.05


def test_a_share_is_one_of_the_list_of_images(prepared_root):
    whole = open_single_images(make_experiment("simclr").data, prepared_root)
    third = open_single_images(make_experiment("simclr", data={"train_fraction": 0.3}).data, prepared_root)
    assert third.train == whole.train[: round(0.3 * len(whole.train))]
    assert third.validation == whole.validation
    assert third.statistics == whole.statistics
    studies = [sample for sample in whole.prepared.samples if set(sample.images) & set(whole.train)]
    assert sorted(whole.train) == sorted(image for sample in studies for image in sample.images)
    half = open_single_images(make_experiment("simclr", data={"normalisation": "half"}).data, prepared_root)
    assert half.statistics == (0.5, 0.5)


def test_labels_that_nothing_has_are_named(unbroken):
    notes = [value.message for value in unbroken("supervised")[0] if isinstance(value, Note)]
    assert any("no training image has the label 'Consolidation'" in note for note in notes)


def test_check_counts_the_copies_as_frozen(prepared_root, tmp_path):
    place = make_place(prepared_root, tmp_path)
    (report,) = [value.data for value in check(make_experiment("byol"), place) if isinstance(value, Result)]
    assert 0 < report["frozen_parameters"] < report["trainable_parameters"]


@pytest.mark.parametrize(
    ("method", "changes", "error", "words"),
    [
        (
            "supervised",
            {"data": {"name": "covid-chestxray"}},
            DataError,
            "has none of the labels .*: mimic-cxr has labels where",
        ),
        ("supervised", {"data": {"name": "covid-rural"}}, DataError, "'covid-rural' has none of the labels"),
        ("byol", {"data": {"validation_fraction": 0.01}}, DataError, "leaves one validation image, which has no"),
        (
            "supervised",
            {"data": {"validation_fraction": 0.01}},
            DataError,
            r"the validation images of mimic-cxr \(1\) cannot judge any of the labels \(Cardiomegaly, ",
        ),
        (
            "supervised",
            {"method": TINY["supervised"] | {"labels": ["Foo"]}},
            DataError,
            "has none of the labels that the supervised method learns .Foo.: its training images have .*Cardiomegaly",
        ),
        ("simclr", {"training": {"batch_size": 512}}, ConfigError, r"training images that are left \(\d+\): lower it"),
        ("simclr", {"training": {"batch_size": 1}}, ValidationError, "other images of a batch are the negatives"),
        ("byol", {"training": {"batch_size": 1}}, ValidationError, "batch norms of the projections"),
        ("pixelpro", {"training": {"batch_size": 1}}, ValidationError, "batch norms of the projections"),
        ("supervised", {"augmentation": {"views": {}}}, ValidationError, "supervised compares no views"),
        (
            "supervised",
            {"method": TINY["supervised"] | {"labels": ["Edema", "Edema"]}},
            ValidationError,
            "stands twice",
        ),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_sentence(prepared_root, tmp_path, method, changes, error, words):
    with pytest.raises(error, match=words):
        list(pretrain(make_experiment(method, **changes), make_place(prepared_root, tmp_path)))


@pytest.mark.parametrize("method", ["simclr", "byol", "pixelpro"])
def test_images_without_reports_are_enough(prepared_root, tmp_path, method):
    experiment = make_experiment(method, data={"name": "covid-rural"}, training={"max_steps": 1, "accumulate": 1})
    values = list(pretrain(experiment, make_place(prepared_root, tmp_path)))
    assert [value for value in values if isinstance(value, CheckpointSaved)]
    images = open_single_images(experiment.data, prepared_root)
    assert images.prepared.meta.kind == "localized"
    assert not set(images.train) & set(images.validation)
