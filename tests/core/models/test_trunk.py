import pytest
import timm

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.errors import ConfigError
from lovt_core.models.image_encoder import build_image_encoder
from lovt_core.models.trunk import create_trunk, deepest_stride, find_strides
from tests.core.models.backbones import WIDTHS


@pytest.mark.parametrize(("backbone", "widths"), WIDTHS.items(), ids=list(WIDTHS))
def test_strides(backbone, widths):
    assert find_strides(backbone) == tuple(widths)
    assert deepest_stride(backbone) == max(widths)


@pytest.mark.parametrize(
    ("backbone", "limit", "deepest"),
    [("vit_base_patch32_224", 32, 32), ("levit_128s", 32, 32), ("vgg11", 32, 32), ("test_resnet", 16, 16)],
)
def test_deepest_stride_is_within_the_limit(backbone, limit, deepest):
    assert deepest_stride(backbone, limit) == deepest


def test_deepest_stride_that_is_no_power_of_two_is_refused():
    assert find_strides("vit_small_patch14_dinov2") == (14,)
    with pytest.raises(ConfigError, match=r"vit_small_patch14_dinov2 has features of stride 14: .* patch size 16"):
        deepest_stride("vit_small_patch14_dinov2")
    with pytest.raises(ConfigError, match=r"test_vit has features of stride 16: .* from 4 to 8"):
        deepest_stride("test_vit", 8)


FINDERS = [find_strides, deepest_stride, lambda backbone: create_trunk(backbone, 32)]


@pytest.mark.parametrize("find", FINDERS)
def test_unknown_backbone_is_named(find):
    with pytest.raises(ConfigError, match=r"unknown backbone 'resnet5O': .* did you mean 'resnet50'"):
        find("resnet5O")


@pytest.mark.parametrize("find", FINDERS)
def test_backbone_without_feature_maps_is_named(find, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("features_only not implemented")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(ConfigError, match=r"'test_vit2' does not offer feature maps \(timm: features_only not"):
        find("test_vit2")


@pytest.mark.parametrize("stride", [4, 8, 16, 32])
def test_trunk_ends_at_its_stride(stride):
    encoder = build_image_encoder(ImageEncoderConfig(backbone="test_resnet", weights="random", stride=stride))
    assert encoder.strides == tuple(each for each in (2, 4, 8, 16, 32) if each <= stride)


def test_stride_that_the_backbone_lacks_is_named():
    with pytest.raises(ConfigError, match="test_vit has no features of stride 32: it has 16"):
        create_trunk("test_vit", 32)
