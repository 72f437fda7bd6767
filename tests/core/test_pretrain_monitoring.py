"""What whole pre-trainings say of their embeddings, and that saying it changes nothing that is trained."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.data.training_data import open_training_data
from lovt_core.methods.building import build_training
from lovt_core.methods.observing import PROBES_FILE
from lovt_core.pretrain import pretrain
from lovt_core.training.checkpoint import load_checkpoint
from lovt_core.training.loop import train
from lovt_core.values import Alarm, CheckpointSaved, Metrics
from tests.core.evaluation.factories import make_place
from tests.core.methods.image_methods import SIZE
from tests.core.methods.image_methods import make_experiment as make_image_experiment
from tests.core.test_pretrain import losses_of
from tests.core.test_pretrain import make_experiment as make_paired_experiment

DATA = {"name": "mimic-cxr", "image_size": SIZE}
SIDES = {
    "lovt": {"image", "report", "regions", "sentences", "features", "alignment", "retrieval", "probe"},
    "simclr": {"image", "features", "alignment", "retrieval", "probe"},
    "byol": {"image", "features", "alignment", "retrieval", "probe"},
    "pixelpro": {"image", "regions", "features", "alignment", "retrieval", "probe"},
    "supervised": {"features"},
}
"""Groups of metrics that each method reports besides its losses, on data with labels."""
LOSS_NAMES = ("loss", "global", "local_to_attended", "attended_to_local", "accuracy", "share", "cells", "instances")


@pytest.fixture(scope="module")
def prepared_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    for name in ("mimic-cxr", "covid-chestxray"):
        synthesize(folder / name, Synthesis(name, 64, SIZE, workers=1), lambda progress: None)
        options = PrepareOptions(size=SIZE, workers=1)
        prepare(name, folder / name, folder / "prepared", options, lambda progress: None)
    return folder / "prepared"


def make(method, **changes):
    if method == "lovt":
        return make_paired_experiment(**{"data": DATA, **changes})
    return make_image_experiment(method, **changes)


def saved_names(values):
    return [value.name for value in values if isinstance(value, CheckpointSaved)]


def validated(values):
    return [
        {name.removeprefix("val/"): number for name, number in value.values.items() if name.startswith("val/")}
        for value in values
        if isinstance(value, Metrics) and "val/loss" in value.values
    ]


@pytest.fixture(scope="module")
def watched(prepared_root, tmp_path_factory):
    """Method -> all values of a whole training, and where it worked."""
    made = {}

    def run(method):
        if method not in made:
            place = make_place(prepared_root, tmp_path_factory.mktemp(method))
            made[method] = list(pretrain(make(method), place)), place
        return made[method]

    return run


def is_loss(name):
    return any(part in LOSS_NAMES for part in name.split("/")) or name == "deviation" or name.startswith("auroc")


@pytest.mark.parametrize("method", sorted(SIDES))
def test_validations_report_what_fits_the_method(watched, method):
    for values in validated(watched(method)[0]):
        beside = {name for name in values if not is_loss(name)}
        assert {name.split("/")[0] for name in beside} == SIDES[method]
        assert all(torch.isfinite(torch.tensor(values[name])) for name in beside)
        assert all(0 <= values[name] <= 1 for name in beside if name.startswith(("retrieval/", "probe/")))


@pytest.mark.parametrize("method", ["lovt", "simclr", "byol", "pixelpro"])
def test_monitoring_changes_nothing_that_is_trained(watched, prepared_root, tmp_path, method):
    values, place = watched(method)
    off = make(method, monitoring={"embeddings": False, "probe": False})
    elsewhere = make_place(prepared_root, tmp_path)
    bare = list(pretrain(off, elsewhere))
    assert not {name for each in validated(bare) for name in each if not is_loss(name)}
    expected = losses_of(bare)
    assert {key: number for key, number in losses_of(values).items() if key in expected} == expected
    name = saved_names(values)[-1]
    model, other = (load_checkpoint(each.checkpoints / name).load_model() for each in (place, elsewhere))
    assert model.keys() == other.keys()
    assert all(torch.equal(model[key], other[key]) for key in model)
    assert (place.checkpoints / name / PROBES_FILE).is_file()
    assert not (elsewhere.checkpoints / name / PROBES_FILE).exists()


@pytest.mark.parametrize("method", ["lovt", "byol"])
def test_a_resumed_training_goes_on_with_its_probes_to_the_bit(watched, prepared_root, tmp_path, method):
    expected = losses_of(watched(method)[0])
    assert any("probe/auroc_image" in name for _, name in expected)
    place = make_place(prepared_root, tmp_path)
    experiment = make(method, training={"checkpoint_every_steps": 1})
    first = list(islice(pretrain(experiment, place), 5))
    again = replace(place, attempt=2, last_checkpoint=saved_names(first)[-1])
    second = list(pretrain(experiment, again))
    assert losses_of(first) | losses_of(second) == expected


def test_data_without_labels_has_no_probe(prepared_root, tmp_path):
    place = make_place(prepared_root, tmp_path)
    values = list(pretrain(make_paired_experiment(), place))
    assert not {name for each in validated(values) for name in each if name.startswith("probe/")}
    assert not (place.checkpoints / saved_names(values)[-1] / PROBES_FILE).exists()


# Collapse


def build_collapsed(experiment, place, checkpoint=None):
    """Every image has the same projection, and keeps it."""
    data = open_training_data(experiment, place.prepared_root)
    training = build_training(experiment, data, place.device, checkpoint)
    with torch.no_grad():
        training.model.alignment.image_projection.projection_after.weight.zero_()
        training.model.alignment.image_projection.projection_after.bias.fill_(1.0)
    return training


def collapse_alarms(values):
    return [value.message for value in values if isinstance(value, Alarm) and "collapse" in value.message]


def test_a_collapsed_training_says_so_once_even_when_resumed(prepared_root, tmp_path):
    slow = {"max_epochs": 4, "optimiser": {"learning_rate": 1e-9}, "schedule": {"name": "constant"}}
    experiment = make("lovt", training=slow)
    place = make_place(prepared_root, tmp_path)
    values = []
    for value in train(build_collapsed(experiment, place), experiment.training, place):
        values.append(value)
        if len(validated(values)) == 3 and isinstance(value, CheckpointSaved):
            break
    assert len(collapse_alarms(values)) == 1
    assert collapse_alarms(values)[0].startswith(
        "embedding collapse since epoch 1: the standard deviation of image embeddings is "
    )
    last = saved_names(values)[-1]
    again = replace(place, attempt=2, last_checkpoint=last)
    resumed = build_collapsed(experiment, place, place.checkpoints / last)
    rest = list(train(resumed, experiment.training, again))
    assert len(validated(rest)) == 1
    assert collapse_alarms(rest) == []


@pytest.mark.parametrize("method", ["lovt", "simclr", "byol", "pixelpro"])
def test_a_healthy_training_raises_no_alarm(watched, method):
    assert collapse_alarms(watched(method)[0]) == []
