"""Simple feature pyramid: the strides that a head reads, from the ones that an encoder has.

Of a vision transformer's single map it makes finer and coarser ones (Li et al. 2022, "Exploring Plain Vision
Transformer Backbones for Object Detection", section 3); each from the encoder's own map, not from one another.

Shapes: B batch, D feature channels, h x w feature grid.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from timm.layers import LayerNorm2d
from torch import Tensor, nn

from lovt_core.errors import ConfigError

_SMALLEST_WIDTH: Final = 16


class FeaturePyramid(nn.Module):
    """Features of exactly the wanted strides.

    Those of the encoder pass through untouched. Others are derived from the nearest one there is: finer ones by
    transposed convolutions of kernel 2 and stride 2, each of which halves the width (at least 16), with layer norm and
    GELU between them; coarser ones by max pooling, which has no parameters.
    """

    def __init__(self, channels: Mapping[int, int], strides: Sequence[int]) -> None:
        """`channels`: stride -> feature width of the encoder; weights come from torch's global generator.

        Raises ConfigError as `find_sources` does.
        """
        super().__init__()
        self._sources = find_sources(channels, strides)
        self.channels: dict[int, int] = {}
        """Stride -> width of the features that come out."""
        self.steps = nn.ModuleDict()
        for stride, source in self._sources.items():
            self.channels[stride] = channels[source]
            if stride < source:
                widths = _halved_widths(channels[source], source // stride)
                self.steps[str(stride)] = _upwards(widths)
                self.channels[stride] = widths[-1]
            elif stride > source:
                self.steps[str(stride)] = nn.MaxPool2d(stride // source, ceil_mode=True)

    @property
    def derived(self) -> tuple[tuple[int, int], ...]:
        """(stride, stride of the encoder that it is made from) of all that the encoder does not have itself."""
        return tuple((stride, source) for stride, source in self._sources.items() if stride != source)

    def forward(self, features: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """Stride -> features (B, D, h, w) of the encoder -> the same of the wanted strides, in their order."""
        return {
            stride: features[source] if stride == source else self.steps[str(stride)](features[source])
            for stride, source in self._sources.items()
        }


def find_sources(channels: Mapping[int, int], strides: Sequence[int]) -> dict[int, int]:
    """Wanted stride -> stride of the encoder that its features come from; itself where there is one.

    The nearest is the one fewest halvings or doublings away, of two the finer. Raises ConfigError where a stride is no
    power of two times one of the encoder's.
    """
    return {stride: _nearest(stride, channels, strides) for stride in strides}


def _nearest(stride: int, channels: Mapping[int, int], strides: Sequence[int]) -> int:
    reachable = [source for source in sorted(channels) if _is_power_of_two(stride, source)]
    if not reachable:
        raise ConfigError(
            f"the head reads features of strides {_listed(strides)}, but the encoder has {_listed(channels) or 'none'} "
            f"and {stride} is not reached by powers of two: choose a convolutional backbone or one of patch size 16"
        )
    return min(reachable, key=lambda source: max(source, stride) // min(source, stride))


def _is_power_of_two(stride: int, source: int) -> bool:
    ratio, rest = divmod(max(stride, source), min(stride, source))
    return rest == 0 and ratio & (ratio - 1) == 0


def _listed(strides: Mapping[int, int] | Sequence[int]) -> str:
    return ", ".join(str(stride) for stride in sorted(strides))


def _halved_widths(width: int, factor: int) -> list[int]:
    """Widths before, between and after the doublings of the resolution that make up `factor`."""
    widths = [width]
    while factor > 1:
        widths.append(max(_SMALLEST_WIDTH, widths[-1] // 2))
        factor //= 2
    return widths


def _upwards(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for coarser, finer in pairwise(widths):
        if layers:
            layers += [LayerNorm2d(coarser), nn.GELU()]
        layers.append(nn.ConvTranspose2d(coarser, finer, 2, stride=2))
    return nn.Sequential(*layers)
