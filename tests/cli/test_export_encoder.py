"""`lovt export encoder`: a real checkpoint goes out through a process of its own."""

import json

import pytest
import torch
import torchvision
from safetensors.torch import load_file
from torch import nn

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.config.experiment import PretrainExperiment
from lovt_core.models.image_encoder import build_image_encoder, describe_image_encoder
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.workspace import find_workspace
from lovt_core.training.checkpoint import save_checkpoint
from lovt_core.values import CheckpointSaved


@pytest.fixture
def run(tmp_path):
    """A finished pre-training of a ResNet-18."""
    place = find_workspace(tmp_path / "lovt-workspace")
    experiment = PretrainExperiment.model_validate({"name": "mine", "data": {"name": "covid-chestxray"}})
    run = create_run(place, experiment)
    append_control(run.control, record("launch", 1))
    config = ImageEncoderConfig(backbone="resnet18", weights="random")
    method = nn.Module()
    method.image_encoder = build_image_encoder(config)
    run.checkpoints.mkdir(parents=True)
    describe = {"image_encoder": describe_image_encoder(config)}
    save_checkpoint(run.checkpoints / "3-a1", method, {"step": 3, "epoch": 1, "describe": describe}, lambda path: None)
    writer = EventWriter(run.events(1))
    writer.write(*encode_value(CheckpointSaved("3-a1", 3, is_last=True, is_best=True)))
    writer.write_last_word("finished")
    writer.close()
    return run


def test_file_is_written_and_how_to_load_it_is_said(lovt, run, tmp_path):
    answer = lovt("export", "encoder", "last", "--format", "torchvision", "--out", "encoder.pth")
    assert (answer.code, answer.err) == (0, "")
    assert f"encoder.pth: resnet18 of {run.id}" in answer.out
    assert "model = torchvision.models.resnet18()" in answer.out
    assert "fc.weight, fc.bias" in answer.out
    model = torchvision.models.resnet18()
    left = model.load_state_dict(torch.load(tmp_path / "encoder.pth", weights_only=True), strict=False)
    assert left.unexpected_keys == []


def test_nothing_is_replaced_unasked(lovt, run, tmp_path):
    answer = lovt("export", "encoder", run.id, "--json")
    assert json.loads(answer.out)["file"] == "mine-encoder.safetensors"
    assert json.loads(answer.out)["run"] == run.id
    before = load_file(tmp_path / "mine-encoder.safetensors")
    again = lovt("export", "encoder", run.id)
    assert (again.code, again.out) == (2, "")
    assert "exists: give --force" in again.err
    assert lovt("export", "encoder", run.id, "--force").code == 0
    after = load_file(tmp_path / "mine-encoder.safetensors")
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "'nothing' is no file and none of"),
        (["random"], "no run 'random'"),
        (["last", "--checkpoint", "newest"], "newest"),
        (["last", "--out", "nowhere/e.pth"], "there is no folder nowhere"),
    ],
)
def test_bad_input(lovt, run, arguments, message):
    answer = lovt("export", "encoder", *arguments)
    assert answer.code == 2
    assert message in answer.err
