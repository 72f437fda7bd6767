"""How deep a file's encoder is, and files of larger models than the one asked for."""

import pytest
import timm
import torch

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.errors import ConfigError
from lovt_core.models.encoder_files.opening import open_encoder_file
from lovt_core.models.image_encoder import build_image_encoder


def save_model(path, backbone, leave_out=(), **changes):
    """State file of a whole model of timm, random weights."""
    torch.manual_seed(0)
    state = timm.create_model(backbone, num_classes=3).state_dict()
    kept = {name: tensor for name, tensor in state.items() if not name.startswith(tuple(leave_out))}
    torch.save({"state_dict": kept | changes}, path)
    return state


def from_config(path, backbone, stride=32):
    return build_image_encoder(ImageEncoderConfig(backbone=backbone, weights=str(path), stride=stride))


@pytest.mark.parametrize("read", [open_encoder_file, from_config])
@pytest.mark.parametrize(
    ("larger", "backbone", "surplus"),
    [
        ("resnet34", "resnet18", "layer1.2.conv1.weight"),
        ("resnet101", "resnet50", "layer3.6.conv1.weight"),
        ("seresnet18", "resnet18", "layer1.0.se.fc1.weight"),
    ],
)
def test_larger_models_are_not_cut_to_fit(read, larger, backbone, surplus, tmp_path):
    """All names of the smaller one are in the larger one, in the same shapes."""
    path = tmp_path / "weights.pth"
    if larger == "seresnet18":
        save_model(path, backbone, **{surplus: torch.zeros(4, 64, 1, 1)})
    else:
        save_model(path, larger)
    key = r"method.image_encoder.backbone" if read is from_config else r"--backbone \(encoder.backbone\)"
    surplus_told = f"is not of a {backbone}: that has no layer with a tensor '{surplus}'; {key} says which one it is"
    with pytest.raises(ConfigError, match=surplus_told):
        read(path, backbone)


@pytest.mark.parametrize("name", ["layer4.1.conv2.weight", "layer4.0", "layer3.1.bn1.running_mean"])
def test_a_stage_in_pieces_is_no_shallower_encoder(name, tmp_path):
    save_model(tmp_path / "weights.pth", "resnet18", leave_out=[name])
    with pytest.raises(ConfigError, match=rf"tensor '{name}.*missing"):
        open_encoder_file(tmp_path / "weights.pth", "resnet18")


def test_a_stage_that_is_wholly_absent_ends_the_encoder(tmp_path):
    path = tmp_path / "weights.pth"
    save_model(path, "resnet18", leave_out=["layer4", "fc"])
    assert open_encoder_file(path, "resnet18").strides == from_config(path, "resnet18", 16).strides == (2, 4, 8, 16)
    with pytest.raises(
        ConfigError, match=r"image_encoder.weights .* 'layer4.0.conv1.weight' and \d+ more of \d+ is mi"
    ):
        from_config(path, "resnet18", 32)


@pytest.mark.parametrize("backbone", ["test_convnext", "test_efficientnet", "test_vit"])
def test_a_pretraining_begins_from_whole_models_too(backbone, tmp_path):
    path = tmp_path / "weights.pth"
    save_model(path, backbone)
    opened = open_encoder_file(path, backbone)
    config = from_config(path, backbone, opened.stride)
    assert config.fingerprint() == opened.fingerprint()
    if backbone == "test_convnext":
        shallow = from_config(path, backbone, 16)
        assert shallow.strides == (4, 8, 16)
        assert all(torch.equal(t, config.state_dict()[name]) for name, t in shallow.state_dict().items())


def test_a_pretraining_does_not_begin_from_broken_weights(tmp_path):
    save_model(tmp_path / "weights.pth", "resnet18", **{"layer4.1.bn2.bias": torch.full((512,), torch.inf)})
    with pytest.raises(
        ConfigError, match=r"image_encoder.weights .*'layer4.1.bn2.bias' holds values that are not finite"
    ):
        from_config(tmp_path / "weights.pth", "resnet18")


def test_drawing_random_numbers_goes_on_as_without_a_file(tmp_path):
    """What is built after the encoder begins from the same numbers whether its weights are random or of a file."""
    save_model(tmp_path / "weights.pth", "resnet18")
    torch.manual_seed(5)
    build_image_encoder(ImageEncoderConfig(backbone="resnet18", weights="random"))
    wanted = torch.rand(3)
    torch.manual_seed(5)
    from_config(tmp_path / "weights.pth", "resnet18")
    assert torch.equal(torch.rand(3), wanted)


def test_heads_beside_the_encoder_are_left_alone(tmp_path):
    heads = {
        "projector.0.weight": torch.full((2, 2), torch.nan),
        "head.layers.0.weight": torch.zeros(1),
        "fc2.weight": torch.zeros(1),
    }
    state = save_model(tmp_path / "weights.pth", "resnet18", **heads)
    opened = open_encoder_file(tmp_path / "weights.pth", "resnet18")
    assert torch.equal(opened.trunk.state_dict()["layer4.1.bn2.weight"], state["layer4.1.bn2.weight"])


def test_unknown_layouts_are_told_which_are_known(tmp_path):
    state = timm.create_model("resnet18").state_dict()
    torch.save({f"visual.{name}": tensor for name, tensor in state.items()}, tmp_path / "weights.pth")
    with pytest.raises(ConfigError, match=r"it has 'visual.conv1.weight'; known layouts: lovt-tui, lovt, gloria, mgca"):
        open_encoder_file(tmp_path / "weights.pth", "resnet18")


def test_gloria_after_its_own_renaming(tmp_path):
    state = timm.create_model("resnet18").state_dict()
    heads = {"img_encoder.global_embedder.weight": torch.zeros(1), "text_encoder.model.x": torch.zeros(1)}
    torch.save({f"img_encoder.model.{name}": t for name, t in state.items()} | heads, tmp_path / "weights.pth")
    opened = open_encoder_file(tmp_path / "weights.pth", "resnet18")
    assert torch.equal(opened.trunk.state_dict()["conv1.weight"], state["conv1.weight"])


def test_mgca_with_a_vision_transformer(tmp_path):
    torch.manual_seed(1)
    state = timm.create_model("test_vit", num_classes=0).state_dict()
    heads = {"img_encoder_q.global_embed.head.0.weight": torch.zeros(1), "prototype_layer.weight": torch.zeros(1)}
    content = {f"img_encoder_q.model.{name}": tensor for name, tensor in state.items()} | heads
    torch.save({"state_dict": content}, tmp_path / "weights.ckpt")
    opened = open_encoder_file(tmp_path / "weights.ckpt", "test_vit")
    assert opened.strides == (16,)
    assert torch.equal(opened.trunk.state_dict()["model.blocks.0.attn.qkv.weight"], state["blocks.0.attn.qkv.weight"])
