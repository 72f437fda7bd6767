"""Backbones of each kind that the encoder and its heads are tested with; never with loaded weights."""

import math

import torch

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.models.image_encoder import ImageEncoder, build_image_encoder
from lovt_core.models.trunk import create_trunk, deepest_stride

WIDTHS = {
    "resnet50": {2: 64, 4: 256, 8: 512, 16: 1024, 32: 2048},
    "resnet18": {2: 64, 4: 64, 8: 128, 16: 256, 32: 512},
    "efficientnet_lite0": {2: 16, 4: 24, 8: 40, 16: 112, 32: 320},
    "densenet121": {2: 64, 4: 256, 8: 512, 16: 1024, 32: 1024},
    "regnety_002": {2: 32, 4: 24, 8: 56, 16: 152, 32: 368},
    "convnext_tiny": {4: 96, 8: 192, 16: 384, 32: 768},
    "swin_tiny_patch4_window7_224": {4: 96, 8: 192, 16: 384, 32: 768},
    "vit_tiny_patch16_224": {16: 192},
    "test_resnet": {2: 32, 4: 32, 8: 48, 16: 192, 32: 96},
    "test_convnext": {4: 24, 8: 32, 16: 48, 32: 64},
    "test_vit": {16: 64},
}
"""Backbone -> stride -> feature width."""

BACKBONES = tuple(WIDTHS)
SMALL_BACKBONES = ("test_resnet", "test_convnext", "test_vit")


def build_encoder(backbone: str) -> ImageEncoder:
    """As deep as the backbone goes, with random weights."""
    config = ImageEncoderConfig(backbone=backbone, weights="random", stride=deepest_stride(backbone))
    return build_image_encoder(config)


def build_empty_encoder(backbone: str) -> ImageEncoder:
    """The same without values: costs no time, and nothing can be computed but shapes."""
    with torch.device("meta"):
        return ImageEncoder(create_trunk(backbone, deepest_stride(backbone)), deepest_stride(backbone))


def draw_features(widths: dict[int, int], side: int, batch: int = 2) -> dict[int, torch.Tensor]:
    """Random feature maps of an encoder that rounds up where a stride does not divide the side."""
    sides = {stride: math.ceil(side / stride) for stride in widths}
    return {stride: torch.randn(batch, width, sides[stride], sides[stride]) for stride, width in widths.items()}
