import copy

import pytest
import torch
from torch.nn import functional

from lovt_core.errors import ConfigError
from tests.core.models.backbones import BACKBONES, SMALL_BACKBONES, WIDTHS, build_encoder

SIDE = 64


@pytest.mark.parametrize("backbone", BACKBONES)
def test_all_feature_maps_have_their_shapes_and_reach_the_whole_trunk(backbone):
    encoder = build_encoder(backbone)
    assert encoder.channels == WIDTHS[backbone]
    features = encoder.forward_features(torch.randn(2, 1, SIDE, SIDE))
    expected = {stride: (2, width, SIDE // stride, SIDE // stride) for stride, width in WIDTHS[backbone].items()}
    assert {stride: tuple(each.shape) for stride, each in features.items()} == expected
    assert encoder.strides == tuple(features)

    sum(each.pow(2).mean() for each in features.values()).backward()
    without = [name for name, parameter in encoder.named_parameters() if parameter.grad is None]
    assert not without
    assert all(torch.isfinite(parameter.grad).all() for parameter in encoder.parameters())


@pytest.mark.parametrize("backbone", ["test_resnet", "test_convnext", "test_vit", "vit_tiny_patch16_224"])
@pytest.mark.parametrize("size", [(224, 224), (160, 160), (96, 64)])
def test_other_sizes(backbone, size):
    encoder = build_encoder(backbone).eval()
    with torch.no_grad():
        features = encoder.forward_features(torch.randn(1, 1, *size))
    for stride, each in features.items():
        assert each.shape == (1, encoder.channels[stride], size[0] // stride, size[1] // stride)


def test_swin_transformers_own_size():
    encoder = build_encoder("swin_tiny_patch4_window7_224").eval()
    with torch.no_grad():
        features = encoder.forward_features(torch.randn(1, 1, 224, 224))
    assert [tuple(each.shape[1:]) for each in features.values()] == [
        (96, 56, 56),
        (192, 28, 28),
        (384, 14, 14),
        (768, 7, 7),
    ]


def test_channels_come_before_rows_where_the_backbone_puts_them_last():
    """A pixel of the image moves the features at its own row and column."""
    encoder = build_encoder("swin_tiny_patch4_window7_224").eval()
    images = torch.zeros(2, 1, SIDE, SIDE)
    images[1, 0, 4:8, 40:44] = 1
    with torch.no_grad():
        finest = encoder.forward_features(images)[4]
    change = (finest[1] - finest[0]).abs().sum(dim=0)
    assert divmod(int(change.argmax()), SIDE // 4) == (1, 10)


@pytest.mark.parametrize("backbone", ["test_vit", "vit_tiny_patch16_224"])
def test_size_that_the_patches_do_not_divide_is_refused(backbone):
    with pytest.raises(ConfigError, match=r"does not take images of 100 x 96 pixels: .*100.* divisible by patch size"):
        build_encoder(backbone)(torch.randn(1, 1, 100, 96))


def test_finest_features_of_a_resnet_come_before_its_max_pooling():
    encoder = build_encoder("resnet18").eval()
    images = torch.randn(1, 1, SIDE, SIDE)
    with torch.no_grad():
        features = encoder.forward_features(images)
        stem = encoder.trunk.bn1(encoder.trunk.conv1(images.expand(-1, 3, -1, -1)))
    torch.testing.assert_close(features[2], functional.relu(stem))


@pytest.mark.parametrize("backbone", SMALL_BACKBONES)
class TestCopy:
    def test_gives_the_same_features(self, backbone):
        encoder = build_encoder(backbone).eval()
        images = torch.randn(2, 1, SIDE, SIDE)
        twin = copy.deepcopy(encoder)
        assert twin.fingerprint() == encoder.fingerprint()
        own, others = encoder.forward_features(images), twin.forward_features(images)
        assert all(torch.equal(each, others[stride]) for stride, each in own.items())

    def test_is_trained_without_the_original(self, backbone):
        encoder = build_encoder(backbone).eval().requires_grad_(False)
        before = encoder.fingerprint()
        twin = copy.deepcopy(encoder).requires_grad_(True)
        twin.train()
        optimiser = torch.optim.SGD(twin.parameters(), lr=0.1)
        features = twin.forward_features(torch.randn(2, 1, SIDE, SIDE))
        sum(each.pow(2).mean() for each in features.values()).backward()
        optimiser.step()
        assert twin.fingerprint() != before
        assert encoder.fingerprint() == before
        assert not any(module.training for module in encoder.modules())


def test_evaluation_mode_reaches_the_batch_norm_of_the_trunk():
    encoder = build_encoder("test_resnet")
    images = torch.randn(2, 1, SIDE, SIDE)
    before = encoder.fingerprint()
    encoder.eval()(images)
    assert encoder.fingerprint() == before
    encoder.train()(images)
    assert encoder.fingerprint() != before
