import json
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from lovt_core.errors import ConfigError
from lovt_core.models.heads.linear import LinearSegmentationHead
from lovt_core.models.heads.pyramid import FeaturePyramid
from lovt_core.models.heads.unet import UNetHead
from lovt_core.objectives.dice import DiceLoss
from tests.core.models.backbones import (
    BACKBONES,
    SMALL_BACKBONES,
    WIDTHS,
    build_empty_encoder,
    build_encoder,
    draw_features,
)

FOLDER = Path(os.environ.get("LOVT_VECTORS", Path(__file__).parents[4] / "shared/reference/vectors"))
FILE = FOLDER / "10_unet.json"
PLAN = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
NUM_TARGETS = PLAN["segmentation_head"]["layers"]["out_channels"] if PLAN else 1
STRIDE_OF = {"conv1": 2, "conv2": 4, "conv3": 8, "conv4": 16, "conv5": 32}
COUNTS = {"one_target": 1, "eight_targets": 8}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def layers_of(module):
    return [layer for layer in module.modules() if not list(layer.children())]


def describe(layer):
    """As the plan writes it."""
    match layer:
        case nn.Conv2d() | nn.ConvTranspose2d():
            return {
                "type": type(layer).__name__,
                "in_channels": layer.in_channels,
                "out_channels": layer.out_channels,
                "kernel": list(layer.kernel_size),
                "stride": list(layer.stride),
                "padding": list(layer.padding),
                "bias": layer.bias is not None,
                "params": count(layer),
            }
        case nn.BatchNorm2d():
            return {
                "type": "BatchNorm2d",
                "channels": layer.num_features,
                "eps": layer.eps,
                "momentum": layer.momentum,
                "params": count(layer),
            }
        case nn.ReLU():
            return {"type": "ReLU"}
    raise AssertionError(f"unexpected layer {layer}")


@pytest.mark.vectors
@pytest.mark.skipif(not PLAN, reason=f"{FILE} is not there")
class TestPublishedHead:
    @pytest.fixture
    def head(self):
        with torch.device("meta"):
            return UNetHead(
                {stride: PLAN["feature_shapes"][name][1] for name, stride in STRIDE_OF.items()}, NUM_TARGETS
            )

    def test_bridge(self, head):
        assert [describe(layer) for layer in layers_of(head.bridge)] == list(PLAN["bridge"]["layers"].values())
        assert count(head.bridge) == PLAN["bridge"]["params"]

    def test_steps(self, head):
        assert len(head.steps) == len(PLAN["up_blocks"])
        for step, block in zip(head.steps, PLAN["up_blocks"], strict=True):
            assert [describe(layer) for layer in layers_of(step)] == list(block["layers"].values()), block["name"]
            assert count(step) == block["params"], block["name"]

    def test_last_layer(self, head):
        """The published one runs over the pixels in a row; it has the same weights."""
        wanted = PLAN["segmentation_head"]["layers"]
        found = describe(head.prediction)
        for key in ("in_channels", "out_channels", "bias", "params"):
            assert found[key] == wanted[key]
        assert found["kernel"] == 2 * wanted["kernel"]

    def test_totals(self, head):
        assert count(head) == PLAN["non_backbone_params_total"]
        assert count(head) - count(head.prediction) == PLAN["decoder_params_total"]
        encoder = build_empty_encoder("resnet50")
        assert count(encoder) == PLAN["backbone_params_total"]
        assert not list(FeaturePyramid(encoder.channels, UNetHead.strides).parameters())

    def test_shapes(self, head):
        shapes = PLAN["feature_shapes"]
        batch, _, height, width = shapes["input"]
        images = torch.empty(batch, 1, height, width, device="meta")
        features = build_empty_encoder("resnet50").forward_features(images)
        assert {name: list(features[stride].shape) for name, stride in STRIDE_OF.items()} == {
            name: shapes[name] for name in STRIDE_OF
        }
        seen = {}
        parts = {"bridge": head.bridge} | {
            block["name"]: step for block, step in zip(PLAN["up_blocks"], head.steps, strict=True)
        }
        for name, part in parts.items():
            part.register_forward_hook(lambda _, inputs, output, name=name: seen.update({name: list(output.shape)}))
        logits = head(features, images)
        assert seen == {name: shapes[name] for name in parts}
        assert list(logits.shape) == [batch, NUM_TARGETS, height, width]

    def test_skips(self, head):
        names = {STRIDE_OF.get(block["skip"], 1) for block in PLAN["up_blocks"]}
        assert names == {1, *UNetHead.strides} - {32}

    @pytest.mark.parametrize("name", PLAN.get("linear_head_conv5", {}))
    def test_linear_head(self, name):
        head = LinearSegmentationHead(WIDTHS["resnet50"][32], COUNTS[name], [torch.Generator()])
        assert count(head) == PLAN["linear_head_conv5"][name]


@pytest.mark.parametrize("index", range(5))
def test_each_step_reads_the_upsampled_map_before_the_skip(index):
    channels = WIDTHS["test_resnet"]
    head, features, images = UNetHead(channels, 1).eval(), draw_features(channels, 64), torch.randn(2, 1, 64, 64)
    step, seen = head.steps[index], {}
    step.upsample.register_forward_hook(lambda _, inputs, output: seen.update(upsampled=output))
    step.blocks.register_forward_pre_hook(lambda _, inputs: seen.update(both=inputs[0]))
    head(features, images)
    skip = features[(16, 8, 4, 2)[index]] if index < 4 else images.expand(-1, 3, -1, -1)
    assert torch.equal(seen["both"], torch.cat((seen["upsampled"], skip), dim=1))


@pytest.mark.parametrize(
    ("backbone", "widths"),
    [
        ("resnet50", [2048, 1024, 512, 256, 128, 64]),
        ("efficientnet_lite0", [320, 160, 80, 40, 20, 16]),
        ("resnet18", [512, 256, 128, 64, 32, 16]),
        ("test_resnet", [96, 48, 24, 16, 16, 16]),
    ],
)
def test_widths_are_in_proportion_to_the_encoder(backbone, widths):
    with torch.device("meta"):
        head = UNetHead(WIDTHS[backbone], 1)
    assert [head.bridge[0].out_channels, *(step.upsample.out_channels for step in head.steps)] == widths


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone(backbone):
    encoder = build_empty_encoder(backbone)
    with torch.device("meta"):
        pyramid = FeaturePyramid(encoder.channels, UNetHead.strides)
        head = UNetHead(pyramid.channels, 8)
    images = torch.empty(2, 1, 224, 224, device="meta")
    assert head(pyramid(encoder.forward_features(images)), images).shape == (2, 8, 224, 224)


@pytest.mark.parametrize("backbone", [*SMALL_BACKBONES, "efficientnet_lite0", "vit_tiny_patch16_224"])
def test_gradients_reach_everything(backbone):
    encoder = build_encoder(backbone)
    pyramid = FeaturePyramid(encoder.channels, UNetHead.strides)
    head = UNetHead(pyramid.channels, 2)
    images = torch.randn(2, 1, 64, 64)
    head(pyramid(encoder.forward_features(images)), images).square().mean().backward()
    for module in (encoder, pyramid, head):
        without = [
            name for name, each in module.named_parameters() if each.grad is None or not each.grad.isfinite().all()
        ]
        assert not without


@pytest.mark.parametrize("backbone", ["test_resnet", "test_convnext", "densenet121"])
@pytest.mark.parametrize("size", [(100, 100), (65, 90), (96, 70)])
def test_sides_that_32_does_not_divide(backbone, size):
    encoder = build_encoder(backbone).eval()
    pyramid = FeaturePyramid(encoder.channels, UNetHead.strides)
    images = torch.randn(2, 1, *size)
    with torch.no_grad():
        logits = UNetHead(pyramid.channels, 1)(pyramid(encoder.forward_features(images)), images)
    assert logits.shape == (2, 1, *size)
    assert torch.isfinite(logits).all()


def test_odd_grids_keep_cells_in_their_place():
    """What the decoder sees of a pixel's surroundings does not depend on whether the image goes on far away."""
    channels = WIDTHS["test_resnet"]
    head = UNetHead(channels, 1).eval()
    features, images = draw_features(channels, 288), torch.randn(2, 1, 288, 288)
    cut = {stride: each[..., : -(-260 // stride), : -(-260 // stride)] for stride, each in features.items()}
    with torch.no_grad():
        whole, part = head(features, images), head(cut, images[..., :260, :260])
    torch.testing.assert_close(part[..., :100, :100], whole[..., :100, :100], rtol=1e-4, atol=1e-5)


def test_grids_that_were_rounded_down_are_filled_at_the_end():
    """Patches leave out the last rows of an odd grid, so that twice the coarser grid is too short."""
    channels = WIDTHS["test_convnext"] | {2: 16}
    head, seen = UNetHead(channels, 1).eval(), {}
    features = {n: torch.randn(2, width, 100 // n, 100 // n) for n, width in channels.items()}
    step = head.steps[2]
    step.upsample.register_forward_hook(lambda _, inputs, output: seen.update(upsampled=output))
    step.blocks.register_forward_pre_hook(lambda _, inputs: seen.update(both=inputs[0]))
    head(features, torch.randn(2, 1, 100, 100))
    width = seen["upsampled"].shape[1]
    assert seen["upsampled"].shape[-2:] == (24, 24)
    assert torch.equal(seen["both"][:, :width, :24, :24], seen["upsampled"])
    assert not seen["both"][:, :width, 24:].any()
    assert not seen["both"][:, :width, :, 24:].any()


@pytest.mark.parametrize("stride", UNetHead.strides)
def test_a_missing_stride_is_named(stride):
    channels = {key: width for key, width in WIDTHS["resnet50"].items() if key != stride}
    with pytest.raises(ConfigError, match=f"stride {stride} is missing"), torch.device("meta"):
        UNetHead(channels, 1)


def test_memory_format_changes_no_logits():
    channels = WIDTHS["test_resnet"]
    head, features, images = UNetHead(channels, 2).eval(), draw_features(channels, 64), torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        expected = head(features, images)
        last = {stride: each.contiguous(memory_format=torch.channels_last) for stride, each in features.items()}
        found = head.to(memory_format=torch.channels_last)(last, images)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_mixed_precision_keeps_the_maps_narrow():
    """The image is of the wider type: beside the features it must not widen them."""
    channels = WIDTHS["test_resnet"]
    head, seen = UNetHead(channels, 1), []
    for step in head.steps:
        step.blocks.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        logits = head(draw_features(channels, 64), torch.randn(2, 1, 64, 64))
    assert set(seen) == {torch.bfloat16}
    logits.float().mean().backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


@pytest.mark.parametrize("backbone", SMALL_BACKBONES)
def test_overfits_one_batch(backbone):
    torch.manual_seed(0)
    encoder = build_encoder(backbone)
    pyramid = FeaturePyramid(encoder.channels, UNetHead.strides)
    head = UNetHead(pyramid.channels, 1)
    images = torch.randn(2, 1, 64, 64)
    targets = torch.zeros(2, 1, 64, 64)
    targets[0, 0, 8:30, 16:48] = 1
    targets[1, 0, 30:60, 5:25] = 1
    model = nn.ModuleList([encoder, pyramid, head]).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        loss = DiceLoss()(head(pyramid(encoder.forward_features(images)), images), targets)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1
