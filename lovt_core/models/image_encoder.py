"""Image encoder: a timm backbone whose feature map gives the regions of an image (paper section 3.1, y^a).

Shapes: B batch, H x W pixels, R = h*w regions (row-major), D channels.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lovt_core.config.encoders import BackboneConfig
from lovt_core.errors import ConfigError
from lovt_core.models.encoder import Encoder
from lovt_core.models.image_weights import load_image_weights
from lovt_core.models.trunk import create_trunk

IMAGE_ENCODER_PREFIX = "image_encoder."
"""What stands before the names of the encoder's tensors in a checkpoint of a whole method."""


class ImageEncoder(Encoder):
    """The trunk alone: what pre-training hands on to the localized tasks."""

    def __init__(self, trunk: nn.Module, stride: int) -> None:
        """`trunk` is a timm `features_only` model that has features of `stride`."""
        super().__init__()
        self.trunk = trunk
        self.stride = stride
        info: Any = trunk.feature_info
        self._reductions: list[int] = info.reduction()
        self.channels: dict[int, int] = dict(zip(self._reductions, info.channels(), strict=True))
        """Feature width of each available stride."""

    @property
    def network(self) -> nn.Module:
        """The trunk."""
        return self.trunk

    @property
    def width(self) -> int:
        """D of the regions."""
        return self.channels[self.stride]

    @property
    def strides(self) -> tuple[int, ...]:
        """Strides of which `forward_features` gives feature maps, finest first."""
        return tuple(sorted(self.channels))

    def forward_features(self, images: Tensor) -> dict[int, Tensor]:
        """Grey images (B, 1, H, W) -> stride -> feature map (B, D, h, w); of equal strides the deepest.

        Raises ConfigError for images of a size that the backbone refuses: its patches must divide it, or it is fixed.
        """
        colour = images.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        maps = dict(zip(self._reductions, self._run_trunk(colour), strict=True))
        if any(maps[stride].shape[1] != width for stride, width in self.channels.items()):
            maps = {stride: features.permute(0, 3, 1, 2) for stride, features in maps.items()}
        return {stride: maps[stride] for stride in self.strides}

    def _run_trunk(self, colour: Tensor) -> list[Tensor]:
        try:
            maps: list[Tensor] = self.trunk(colour)
        except AssertionError as error:
            height, width = colour.shape[-2:]
            problem = str(error).rstrip(".")
            raise ConfigError(f"the backbone does not take images of {height} x {width} pixels: {problem}") from error
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Grey images (B, 1, H, W) -> feature map (B, D, h, w) whose cells are the regions."""
        return self.in_micro_batches(lambda rows: self.forward_features(images[rows])[self.stride], len(images))

    def region_features(self, images: Tensor) -> Tensor:
        """Grey images (B, 1, H, W) -> regions (B, R, D)."""
        return self.forward(images).flatten(2).transpose(1, 2)

    def fingerprint(self) -> str:
        """Hex sha256 over names, types, shapes and values of all tensors that the features depend on."""
        return fingerprint_tensors(self.state_dict())


def fingerprint_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Hex sha256 of named tensors, in the order of their names; counters of batch norms are left out."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.endswith("num_batches_tracked"):
            continue
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def build_image_encoder(config: BackboneConfig, pretrained: bool = True) -> ImageEncoder:
    """The encoder of a config; random weights (global generator) if `pretrained` is false or its weights are `random`.

    The trunk ends at `config.stride`: deeper layers would never be trained. Raises ConfigError for an unknown backbone
    or stride and MissingWeightsError for weights that are not on this machine.
    """
    encoder = ImageEncoder(create_trunk(config.backbone, config.stride), config.stride)
    if pretrained:
        load_image_weights(encoder.trunk, config)
    return encoder.to(memory_format=torch.channels_last)  # convolutions are two to three times faster so


def describe_image_encoder(config: BackboneConfig) -> dict[str, Any]:
    """What a checkpoint says about its encoder (JSON values): enough to build it again without its first weights."""
    return {"backbone": config.backbone, "stride": config.stride, "weights": config.weights}


def image_encoder_from(description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> ImageEncoder:
    """The encoder of a checkpoint: its description and its tensors, or those of the whole method around it.

    Raises ConfigError where they do not fit together.
    """
    config = BackboneConfig(backbone=description["backbone"], stride=description["stride"], weights="random")
    encoder = build_image_encoder(config, pretrained=False)
    own = {name.removeprefix(IMAGE_ENCODER_PREFIX): tensor for name, tensor in tensors.items() if _is_own(name)}
    wanted = encoder.state_dict()
    for name, tensor in wanted.items():
        if name not in own or own[name].shape != tensor.shape:
            raise ConfigError(f"the checkpoint does not hold a {config.backbone}: '{name}' is missing or misshapen")
    encoder.load_state_dict({name: own[name] for name in wanted})
    return encoder


def _is_own(name: str) -> bool:
    return name.startswith((IMAGE_ENCODER_PREFIX, "trunk."))
