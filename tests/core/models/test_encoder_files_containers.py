"""What stands around the weights in a file."""

import argparse

import pytest
import timm
import torch

from lovt_core.errors import ConfigError
from lovt_core.models.encoder_files.opening import open_encoder_file
from lovt_core.models.encoder_files.tensors import read_tensors


@pytest.fixture(scope="module")
def state():
    return timm.create_model("resnet18").state_dict()


def check(content, state, path, is_zip=True):
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    opened = open_encoder_file(path, "resnet18")
    assert torch.equal(opened.trunk.state_dict()["conv1.weight"], state["conv1.weight"])


def test_tensors_beside_the_weights_do_not_hide_them(state, tmp_path):
    content = {"best_score": torch.tensor(0.5), "model": {"state_dict": state, "step": torch.tensor(3)}}
    check(content, state, tmp_path / "weights.pth")


@pytest.mark.parametrize("key", ["model", "state_dict"])
def test_content_that_contains_itself_is_refused(key, tmp_path):
    content = {}
    content[key] = {"encoder": content}
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(ConfigError, match="holds no tensors under names"):
        read_tensors(tmp_path / "weights.pth")


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_parameters_with_attributes_beside_foreign_objects(is_zip, state, tmp_path):
    marked = torch.nn.Parameter(state["conv1.weight"].clone())
    marked.is_shared = True
    content = {"settings": argparse.Namespace(), "state_dict": state | {"conv1.weight": marked}}
    check(content, state, tmp_path / "weights.pth", is_zip)


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.complex64, torch.uint16])
def test_numbers_of_unusual_types_do_not_spoil_a_file(dtype, state, tmp_path):
    content = {"settings": argparse.Namespace(), "other": [torch.zeros(2, dtype=dtype)], "state_dict": state}
    check(content, state, tmp_path / "weights.pth")


@pytest.mark.parametrize("kept", [0, 3, 4])
def test_older_files_that_end_inside_a_storage_are_refused(kept, tmp_path):
    """Even where one number is left, which would fill the others by broadcasting."""
    path = tmp_path / "weights.pth"
    torch.save({"settings": argparse.Namespace(), "w": torch.arange(5.0)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[: kept - 20])
    with pytest.raises(ConfigError, match=r"damaged .*cut short"):
        read_tensors(path)
