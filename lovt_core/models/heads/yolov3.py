"""YOLOv3 detection head and the decoding of its maps (PROTOCOL A.1, head "YOLOv3"; vectors sections 8 and 9).

Shapes: B batch, C classes, D feature channels, h x w feature grid; three anchors at each stride.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lovt_core.errors import ConfigError

STRIDES: Final = (32, 16, 8)
"""Of the features that the head reads and of its maps, in their order."""

ANCHORS: Final[dict[int, tuple[tuple[float, float], ...]]] = {
    32: ((64.64, 48.6), (84.24, 106.92), (201.42, 176.04)),
    16: ((16.2, 32.94), (33.48, 24.3), (31.86, 64.26)),
    8: ((5.4, 7.02), (8.64, 16.2), (17.82, 12.42)),
}
"""Stride -> (width, height) in pixels of an image of `ANCHOR_SIDE`; the same for every data set."""

ANCHOR_SIDE: Final = 224
"""Pixels a side of the images that `ANCHORS` are meant for."""

_NUM_ANCHORS: Final = 3
_SMALLEST_WIDTH: Final = 16


class YoloHead(nn.Module):
    """Predictions at three strides; what is seen at a coarser one is handed on to the next finer one.

    Layers are those of the published head for a ResNet-50 (21,626,934 parameters with one class). For other encoders
    their widths are a quarter, an eighth and a sixteenth of the stride-32 features' width, and at least 16.
    """

    def __init__(self, channels: Mapping[int, int], num_classes: int) -> None:
        """`channels`: stride -> feature width of the encoder; weights come from torch's global generator.

        Raises ConfigError where a stride is missing.
        """
        super().__init__()
        missing = [stride for stride in STRIDES if stride not in channels]
        if missing:
            raise ConfigError(f"a YOLOv3 head reads features of strides 32, 16 and 8: stride {missing[0]} is missing")
        widths = [max(_SMALLEST_WIDTH, channels[STRIDES[0]] // share) for share in (4, 8, 16)]
        num_outputs = _NUM_ANCHORS * (5 + num_classes)
        handed_on = (0, *widths[1:])
        self.branches = nn.ModuleList(
            _Branch(extra + channels[stride], width, num_outputs)
            for stride, extra, width in zip(STRIDES, handed_on, widths, strict=True)
        )
        self.reductions = nn.ModuleList(_block(coarser, finer, 1) for coarser, finer in pairwise(widths))

    def forward(self, features: Mapping[int, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Stride -> features (B, D, h, w) -> raw maps (B, 3 * (5 + C), h, w) at strides 32, 16 and 8.

        A channel is anchor * (5 + C) + attribute; attributes are t_x, t_y, t_w, t_h, t_o and the class logits.
        """
        coarse, tap = self.branches[0](features[32])
        upsampled = _upsample(self.reductions[0](tap), features[16])
        middle, tap = self.branches[1](torch.cat((upsampled, features[16]), dim=1))
        upsampled = _upsample(self.reductions[1](tap), features[8])
        fine, _ = self.branches[2](torch.cat((upsampled, features[8]), dim=1))
        return coarse, middle, fine


class _Branch(nn.Module):
    """The layers of one stride: five blocks, and a sixth with the prediction."""

    def __init__(self, num_inputs: int, width: int, num_outputs: int) -> None:
        super().__init__()
        self.embedding = nn.Sequential(
            _block(num_inputs, width, 1),
            _block(width, 2 * width, 3),
            _block(2 * width, width, 1),
            _block(width, 2 * width, 3),
            _block(2 * width, width, 1),
        )
        self.prediction = nn.Sequential(_block(width, 2 * width, 3), nn.Conv2d(2 * width, num_outputs, 1))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The raw map, and the output of the fifth block, which the next finer branch reads."""
        tap = self.embedding(features)
        return self.prediction(tap), tap


def _block(num_inputs: int, num_outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(num_inputs, num_outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(num_outputs),
        nn.LeakyReLU(0.1, inplace=True),
    )


def _upsample(coarse: Tensor, finer: Tensor) -> Tensor:
    """Each cell twice along both axes, cut to the finer grid where that has an odd length."""
    return F.interpolate(coarse, size=finer.shape[-2:], mode="nearest")


def scaled_anchors(stride: int, side: int) -> tuple[tuple[float, float], ...]:
    """The three anchors of a stride, (width, height) in pixels of an image of that side.

    They keep their share of the image: at 224 pixels they are exactly the published ones.
    """
    scale = side / ANCHOR_SIDE
    return tuple((width * scale, height * scale) for width, height in ANCHORS[stride])


def decode(maps: Sequence[Tensor]) -> Tensor:
    """Raw maps of strides 32, 16 and 8 -> (B, 3 * sum of all h * w, 5 + C) float32: every prediction.

    One is centre x, centre y, width, height (pixels), objectness and class scores (0 to 1). They are ordered by scale,
    anchor, row, column.
    """
    return torch.cat([decode_map(each, stride) for each, stride in zip(maps, STRIDES, strict=True)], dim=1)


def decode_map(raw: Tensor, stride: int) -> Tensor:
    """One raw map (B, 3 * (5 + C), h, w) -> (B, 3 * h * w, 5 + C), as `decode`. The image's side is h * stride."""
    batch, _, height, width = raw.shape
    fields = raw.float().reshape(batch, _NUM_ANCHORS, -1, height, width).movedim(2, -1)
    rows, columns = (torch.arange(length, device=raw.device) for length in (height, width))
    cells = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    anchors = torch.tensor(scaled_anchors(stride, height * stride), device=raw.device)
    centres = (torch.sigmoid(fields[..., :2]) + cells) * stride
    sizes = torch.exp(fields[..., 2:4]) * anchors[:, None, None]
    return torch.cat((centres, sizes, torch.sigmoid(fields[..., 4:])), dim=-1).flatten(1, 3)
