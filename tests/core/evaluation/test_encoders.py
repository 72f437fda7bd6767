"""From the source in an experiment to an encoder, and what it has seen."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.config.evaluation import EncoderSource
from lovt_core.errors import ConfigError, InputError
from lovt_core.evaluation.encoders import Subject, load_encoder, row_label
from lovt_core.models.image_encoder import build_image_encoder, describe_image_encoder
from lovt_core.training.checkpoint import save_checkpoint
from tests.core.evaluation.factories import BACKBONE, make_experiment, prepare_tiny, run_results, write_covid_chestxray

CONFIG = ImageEncoderConfig(backbone=BACKBONE, weights="random", stride=16)


class Method(nn.Module):
    """What a pre-training saves: an encoder and more."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.image_encoder = build_image_encoder(CONFIG)
        self.projection = nn.Linear(2, 2)


def save_run(folder, **data):
    """A checkpoint of a pre-training on data that it describes; the model."""
    method = Method()
    describe = {"image_encoder": describe_image_encoder(CONFIG), "data": data}
    save_checkpoint(folder, method, {"step": 5, "epoch": 1, "describe": describe}, lambda path: None)
    return method


def test_run_is_loaded_from_its_checkpoint(tmp_path, place):
    method = save_run(tmp_path / "5-a1", name="covid-chestxray")
    asked = []
    place = replace(place, find_checkpoint=lambda run, which: (asked.append((run, which)), tmp_path / "5-a1")[1])
    given = load_encoder(EncoderSource(source="run-1", checkpoint="last"), place)
    assert asked == [("run-1", "last")]
    assert given.encoder.fingerprint() == method.image_encoder.fingerprint()
    assert (given.backbone, given.pretrained_on) == (BACKBONE, ("covid-chestxray",))


def test_file_gives_the_cell_of_the_run_that_wrote_it(tmp_path, place):
    save_run(tmp_path / "5-a1", name="elsewhere")
    place = replace(place, find_checkpoint=lambda run, which: tmp_path / "5-a1")
    settings = {"max_epochs": 2, "learning_rates": (1e-2,)}
    of_run = run_results(make_experiment("run-1", settings=settings), place)[-1]
    of_file = run_results(make_experiment(str(tmp_path / "5-a1/model.safetensors"), settings=settings), place)[-1]
    assert of_file["values"] == of_run["values"]
    assert of_file["encoder"]["fingerprint"] == of_run["encoder"]["fingerprint"]
    assert of_file["encoder"]["label"] == "5-a1/model.safetensors"
    assert of_run["encoder"]["pretrained_on"] == ["elsewhere"]


def test_replicates_of_a_given_encoder_share_it_and_differ_by_seed(tmp_path, place):
    save_run(tmp_path / "5-a1", name="elsewhere")
    file = str(tmp_path / "5-a1/model.safetensors")
    results = [result for result in run_results(make_experiment(file), place) if result["type"] == "replicate"]
    assert len({result["encoder"] for result in results}) == 1
    assert len({result["value"] for result in results}) == 3


def test_run_without_an_image_encoder_is_refused(tmp_path, place):
    save_checkpoint(tmp_path / "1-a1", nn.Linear(1, 1), {"step": 1, "epoch": 1, "describe": {}}, lambda path: None)
    place = replace(place, find_checkpoint=lambda run, which: tmp_path / "1-a1")
    with pytest.raises(InputError, match="run selftest has trained no image encoder"):
        load_encoder(EncoderSource(source="selftest"), place)


def test_file_of_another_network_is_refused(tmp_path, place):
    save_file({"conv.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ConfigError, match=BACKBONE):
        load_encoder(EncoderSource(source=str(tmp_path / "other.safetensors"), backbone=BACKBONE), place)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "covid-chestxray"}, {"data": ["covid-chestxray"], "num_images": 8, "num_test_images": 8}),
        ({"name": "covid-chestxray", "exclude_overlap_with": ["covid-rural"]}, None),
        (
            {"name": "covid-chestxray", "fingerprint": "0" * 64},
            {"data": ["covid-chestxray"], "num_images": None, "num_test_images": 8},
        ),
    ],
    ids=["seen", "left out", "not at hand"],
)
def test_test_images_seen_in_pretraining_are_counted(
    data, expected, tmp_path, place, prepared_root, covid_rural_source
):
    films = sorted((covid_rural_source / "jpgs").iterdir())
    root = tmp_path / "prepared"
    root.mkdir()
    (root / "covid-rural").symlink_to(prepared_root / "covid-rural")
    prepare_tiny("covid-chestxray", write_covid_chestxray(tmp_path / "pairs", films), root)
    save_run(tmp_path / "5-a1", **data)
    place = replace(place, prepared_root=root, find_checkpoint=lambda run, which: tmp_path / "5-a1")
    settings = {"max_epochs": 1, "learning_rates": (1e-2,), "replicates": 1}
    assert run_results(make_experiment("run-1", settings=settings), place)[-1]["overlap"] == expected


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ({"source": "imagenet"}, "imagenet"),
        ({"source": "random"}, "random"),
        ({"source": "20260101-120000-lovt-abcd"}, "20260101-120000-lovt-abcd"),
        ({"source": "20260101-120000-lovt-abcd", "checkpoint": "last"}, "20260101-120000-lovt-abcd (last)"),
        ({"source": "/a/b/encoder.safetensors"}, "b/encoder.safetensors"),
        ({"source": "imagenet", "label": "ImageNet, mine"}, "ImageNet, mine"),
    ],
)
def test_row_label(source, label):
    assert row_label(EncoderSource(**source)) == label


def test_fingerprint_of_random_encoders_is_of_what_they_are_drawn_from():
    """However many replicates there are, and whatever they are fitted to."""
    subjects = [
        Subject(EncoderSource(source=source, backbone=backbone), None, seed)
        for source, backbone, seed in (
            *(("random", "resnet50", 1), ("random", "resnet50", 1), ("random", "resnet50", 2)),
            *(("random-fitted", "resnet50", 1), ("random", "resnet18", 1)),
        )
    ]
    prints = [subject.fingerprint for subject in subjects]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 4
