"""Exported encoders, loaded by the tools that they are for."""

import pytest
import timm
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.errors import ConfigError, InputError
from lovt_core.export_encoder import export_encoder
from lovt_core.models.encoder_files.opening import open_encoder_file
from lovt_core.models.image_encoder import build_image_encoder, describe_image_encoder
from lovt_core.training.checkpoint import save_checkpoint


def save_run(folder, backbone, stride=32):
    """A checkpoint of a pre-training; its encoder."""
    config = ImageEncoderConfig(backbone=backbone, weights="random", stride=stride)
    torch.manual_seed(4)
    method = nn.Module()
    method.image_encoder = build_image_encoder(config).eval()
    for buffer in method.image_encoder.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    method.projection = nn.Linear(2, 2)
    describe = {"image_encoder": describe_image_encoder(config)}
    save_checkpoint(folder, method, {"step": 5, "epoch": 1, "describe": describe}, lambda path: None)
    return method.image_encoder


@pytest.fixture
def images():
    return torch.randn(2, 1, 160, 160, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_torchvision_sees_the_same(tmp_path, images):
    encoder = save_run(tmp_path / "5-a1", "resnet18")
    answer = export_encoder(tmp_path / "5-a1", "torchvision", tmp_path / "e.pth", "run-1")
    assert answer["missing"] == ["fc.weight", "fc.bias"]
    model = torchvision.models.resnet18().eval()
    left = model.load_state_dict(torch.load(tmp_path / "e.pth", weights_only=True), strict=False)
    assert left.unexpected_keys == []
    model.fc = nn.Identity()
    wanted = encoder.forward_features(images)[32].mean((2, 3))
    torch.testing.assert_close(model(images.expand(-1, 3, -1, -1)), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backbone", ["resnet18", "test_vit", "test_convnext", "test_efficientnet"])
@torch.no_grad()
def test_timm_sees_the_same(backbone, tmp_path, images):
    stride = 16 if backbone == "test_vit" else 32
    encoder = save_run(tmp_path / "5-a1", backbone, stride)
    answer = export_encoder(tmp_path / "5-a1", "timm", tmp_path / "e.pth", "run-1")
    model = timm.create_model(backbone, num_classes=0).eval()
    left = model.load_state_dict(torch.load(tmp_path / "e.pth", weights_only=True), strict=False)
    assert left.unexpected_keys == []
    assert {name for name in left.missing_keys if "num_batches" not in name} == set(answer["missing"])
    seen = model.forward_intermediates(images.expand(-1, 3, -1, -1), intermediates_only=True)[-1]
    torch.testing.assert_close(seen, encoder.forward_features(images)[stride], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_safetensors_hold_a_trunk_and_say_what_it_is(tmp_path, images):
    encoder = save_run(tmp_path / "5-a1", "test_resnet", 16)
    path = tmp_path / "e.safetensors"
    export_encoder(tmp_path / "5-a1", "safetensors", path, "run-1")
    with safe_open(path, "pt") as file:
        assert file.metadata() == {
            "backbone": "test_resnet",
            "stride": "16",
            "run": "run-1",
            "fingerprint": encoder.fingerprint(),
        }
    model = timm.create_model("test_resnet", features_only=True, out_indices=(0, 1, 2, 3)).eval()
    model.load_state_dict(load_file(path))
    seen = model(images.expand(-1, 3, -1, -1))[-1]
    torch.testing.assert_close(seen, encoder.forward_features(images)[16], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("file_format", ["timm", "torchvision", "safetensors"])
def test_an_exported_encoder_can_be_evaluated_again(file_format, tmp_path):
    encoder = save_run(tmp_path / "5-a1", "resnet18")
    path = tmp_path / f"e.{'safetensors' if file_format == 'safetensors' else 'pth'}"
    export_encoder(tmp_path / "5-a1", file_format, path, "run-1")
    assert open_encoder_file(path, "resnet18").fingerprint() == encoder.fingerprint()


def test_backbones_that_torchvision_lacks_are_refused(tmp_path):
    save_run(tmp_path / "5-a1", "test_resnet", 16)
    with pytest.raises(ConfigError, match="torchvision has no test_resnet: export it with --format timm"):
        export_encoder(tmp_path / "5-a1", "torchvision", tmp_path / "e.pth", "run-1")
    assert not (tmp_path / "e.pth").exists()


def test_runs_without_an_encoder_are_refused(tmp_path):
    save_checkpoint(tmp_path / "1-a1", nn.Linear(1, 1), {"step": 1, "epoch": 1, "describe": {}}, lambda path: None)
    with pytest.raises(InputError, match="run selftest has trained no image encoder"):
        export_encoder(tmp_path / "1-a1", "timm", tmp_path / "e.pth", "selftest")
