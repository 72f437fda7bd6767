"""U-Net decoder for segmentation (PROTOCOL A.1, head "UNet"; vectors section 10).

Shapes: B batch, C classes, D feature channels, h x w feature grid, H x W pixels.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lovt_core.errors import ConfigError

_SMALLEST_WIDTH: Final = 16
_COLOURS: Final = 3


class UNetHead(nn.Module):
    """From the coarsest features up to full resolution; each step reads the next finer features, the last the image.

    Layers are those of the published head for a ResNet-50 (124,300,609 parameters with one class). The bridge is as
    wide as the stride-32 features, and each step half as wide as the one before, but at least 16.
    """

    strides: Final = (2, 4, 8, 16, 32)
    """Of the features that the head reads."""

    def __init__(self, channels: Mapping[int, int], num_classes: int) -> None:
        """`channels`: stride -> feature width of the encoder; weights come from torch's global generator.

        Raises ConfigError where a stride is missing.
        """
        super().__init__()
        missing = [stride for stride in self.strides if stride not in channels]
        if missing:
            raise ConfigError(
                f"a U-Net head reads features of strides 2, 4, 8, 16 and 32: stride {missing[0]} is missing"
            )
        coarsest, *self._skipped = reversed(self.strides)
        deepest = channels[coarsest]
        widths = [deepest, *(max(_SMALLEST_WIDTH, deepest // 2**step) for step in range(1, len(self.strides) + 1))]
        skips = [*(channels[stride] for stride in self._skipped), _COLOURS]
        self.bridge = _two_blocks(deepest, deepest)
        self.steps = nn.ModuleList(
            _Step(coarser, skip, finer) for (coarser, finer), skip in zip(pairwise(widths), skips, strict=True)
        )
        self.prediction = nn.Conv2d(widths[-1], num_classes, 1)

    def forward(self, features: Mapping[int, Tensor], images: Tensor) -> Tensor:
        """Stride -> features (B, D, h, w), and the normalised grey images (B, 1, H, W) -> logits (B, C, H, W)."""
        decoded = self.bridge(features[self.strides[-1]])
        colour = images.expand(-1, _COLOURS, -1, -1)
        for step, skip in zip(self.steps, (*(features[stride] for stride in self._skipped), colour), strict=True):
            decoded = step(decoded, skip)
        logits: Tensor = self.prediction(decoded)
        return logits


class _Step(nn.Module):
    """Twice the resolution: a transposed convolution, the skip beside it, two blocks."""

    def __init__(self, num_inputs: int, num_skipped: int, width: int) -> None:
        super().__init__()
        self.upsample = nn.ConvTranspose2d(num_inputs, width, 2, stride=2)
        self.blocks = _two_blocks(width + num_skipped, width)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        upsampled = _fit(self.upsample(coarse), skip)
        skip = skip.to(upsampled.dtype, memory_format=torch.channels_last)
        decoded: Tensor = self.blocks(torch.cat((upsampled, skip), dim=1))
        return decoded


def _two_blocks(num_inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(*_block(num_inputs, width), *_block(width, width))


def _block(num_inputs: int, width: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(num_inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)


def _fit(upsampled: Tensor, skip: Tensor) -> Tensor:
    """Cut, or filled with zeros, at the right and the bottom to the grid of the skip: every cell stays in its place.

    Grids differ where an image's side is no multiple of 32; encoders round up (padded convolutions) or down (patches).
    """
    rows, columns = (wanted - given for wanted, given in zip(skip.shape[-2:], upsampled.shape[-2:], strict=True))
    return F.pad(upsampled, (0, columns, 0, rows)) if rows or columns else upsampled
