import math

import pytest
import torch
from torch import nn

from lovt_core.errors import ConfigError
from lovt_core.models.heads.linear import LinearSegmentationHead
from lovt_core.models.heads.pyramid import FeaturePyramid, find_sources
from tests.core.models.backbones import BACKBONES, WIDTHS, build_encoder, draw_features

UNET = (2, 4, 8, 16, 32)
YOLO = (32, 16, 8)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("strides", [UNET, YOLO], ids=["unet", "yolo"])
def test_every_backbone_serves_every_head(backbone, strides):
    pyramid = FeaturePyramid(WIDTHS[backbone], strides)
    features = pyramid(draw_features(WIDTHS[backbone], 64))
    assert tuple(features) == tuple(pyramid.channels) == strides
    for stride, each in features.items():
        assert each.shape == (2, pyramid.channels[stride], 64 // stride, 64 // stride)


@pytest.mark.parametrize("backbone", ["resnet50", "resnet18", "efficientnet_lite0", "test_resnet"])
@pytest.mark.parametrize("strides", [UNET, YOLO], ids=["unet", "yolo"])
def test_features_that_exist_pass_untouched(backbone, strides):
    pyramid = FeaturePyramid(WIDTHS[backbone], strides)
    assert not pyramid.state_dict()
    assert pyramid.derived == ()
    features = draw_features(WIDTHS[backbone], 64)
    assert all(each is features[stride] for stride, each in pyramid(features).items())


def test_vision_transformer():
    """Widths are halved at each doubling of the resolution; coarser features keep theirs and cost no parameters."""
    pyramid = FeaturePyramid({16: 192}, UNET)
    assert pyramid.channels == {2: 24, 4: 48, 8: 96, 16: 192, 32: 192}
    assert pyramid.derived == ((2, 16), (4, 16), (8, 16), (32, 16))
    up = {8: 192 * 96 * 4 + 96}
    up[4] = up[8] + 2 * 96 + 96 * 48 * 4 + 48
    up[2] = up[4] + 2 * 48 + 48 * 24 * 4 + 24
    counts = {int(name): sum(each.numel() for each in step.parameters()) for name, step in pyramid.steps.items()}
    assert counts == up | {32: 0}


def test_upward_steps_are_of_kernel_2_with_norm_and_gelu_between():
    layers = FeaturePyramid({16: 64}, (4,)).steps["4"]
    assert [type(each).__name__ for each in layers] == ["ConvTranspose2d", "LayerNorm2d", "GELU", "ConvTranspose2d"]
    transposed = [each for each in layers if isinstance(each, nn.ConvTranspose2d)]
    assert {each.kernel_size for each in transposed} == {each.stride for each in transposed} == {(2, 2)}


def test_no_width_falls_below_16():
    assert FeaturePyramid({16: 64}, UNET).channels == {2: 16, 4: 16, 8: 32, 16: 64, 32: 64}
    assert FeaturePyramid({4: 24, 32: 64}, (2,)).channels == {2: 16}


@pytest.mark.parametrize(("side", "source", "coarser"), [(96, 16, 32), (112, 16, 32), (80, 16, 64), (48, 8, 32)])
def test_coarser_features_are_the_maximum_of_what_they_cover(side, source, coarser):
    """Grids of odd length are rounded up, as by an encoder's padded convolutions: the last cells cover fewer."""
    pyramid = FeaturePyramid({source: 20}, (coarser,))
    assert pyramid.derived == ((coarser, source),)
    assert not list(pyramid.parameters())
    given = draw_features({source: 20}, side)
    found, factor = pyramid(given)[coarser], coarser // source
    assert found.shape[-1] == math.ceil(side / coarser)
    for row in range(found.shape[-2]):
        for column in range(found.shape[-1]):
            rows, columns = (slice(each * factor, (each + 1) * factor) for each in (row, column))
            assert torch.equal(found[..., row, column], given[source][..., rows, columns].amax(dim=(-2, -1)))


@pytest.mark.parametrize(
    ("channels", "strides", "sources"),
    [
        ({4: 96, 8: 192, 16: 384, 32: 768}, UNET, {2: 4, 4: 4, 8: 8, 16: 16, 32: 32}),
        ({2: 64, 4: 256, 8: 512, 16: 1024}, UNET, {2: 2, 4: 4, 8: 8, 16: 16, 32: 16}),
        ({32: 768}, UNET, dict.fromkeys(UNET, 32)),
        ({16: 8, 4: 8}, (8,), {8: 4}),
        ({16: 128, 12: 64}, YOLO, {32: 16, 16: 16, 8: 16}),
    ],
)
def test_features_come_from_the_nearest_stride_of_two_the_finer(channels, strides, sources):
    assert find_sources(channels, strides) == sources
    assert FeaturePyramid(channels, strides).derived == tuple(pair for pair in sources.items() if pair[0] != pair[1])


@pytest.mark.parametrize("channels", [{14: 384}, {12: 128, 17: 256}, {}])
@pytest.mark.parametrize("build", [find_sources, FeaturePyramid])
def test_stride_out_of_reach_names_those_there_are_and_those_needed(channels, build):
    there = ", ".join(str(stride) for stride in channels) or "none"
    with pytest.raises(ConfigError, match=f"strides 8, 16, 32, but the encoder has {there} and 32 is not reached"):
        build(channels, YOLO)


@pytest.mark.parametrize("backbone", ["test_vit", "test_convnext"])
def test_gradients_reach_the_pyramid_and_the_encoder(backbone):
    encoder = build_encoder(backbone)
    pyramid = FeaturePyramid(encoder.channels, UNET)
    features = pyramid(encoder.forward_features(torch.randn(2, 1, 64, 64)))
    sum(each.pow(2).mean() for each in features.values()).backward()
    for module in (pyramid, encoder):
        assert all(parameter.grad is not None and parameter.grad.any() for parameter in module.parameters())


def test_each_image_is_treated_alone():
    """Nothing depends on the batch, in training neither: replicates of any batch size see the same."""
    pyramid = FeaturePyramid({16: 64}, UNET).train()
    features = draw_features({16: 64}, 64, batch=3)
    together, alone = pyramid(features), pyramid({16: features[16][1:2]})
    for stride in UNET:
        torch.testing.assert_close(together[stride][1:2], alone[stride])


@pytest.mark.parametrize("backbone", BACKBONES)
def test_linear_head_on_the_deepest_features(backbone):
    stride = max(WIDTHS[backbone])
    features = draw_features(WIDTHS[backbone], 64)[stride]
    head = LinearSegmentationHead(WIDTHS[backbone][stride], 8, [torch.Generator().manual_seed(0)])
    logits = head(features[None], (64, 64), [0])
    assert logits.shape == (1, 2, 8, 64, 64)
    logits.square().mean().backward()
    assert all(parameter.grad.any() for parameter in head.parameters())
