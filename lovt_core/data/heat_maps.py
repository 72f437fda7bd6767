"""Values of regions as heat maps: enlarged to an image, coloured, laid over it.

Shapes: h x w regions (row by row), H x W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from lovt_core.data.images.transforms import EvaluationFrame
from lovt_core.data.prepared import Bytes

Map = npt.NDArray[np.float64]
Pixel = TypeVar("Pixel", np.uint8, np.float64)

_COLOURS = np.array([(0, 0, 20), (60, 15, 110), (150, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164)])
"""Dark to bright, evenly spaced; brightness grows all the way, so that it also reads in grey."""
_SHARE = 0.55
"""Of the colour, over the grey image."""
_BAR, _LINE = 10, 14
"""Pixels of the scale below a picture, and of a line of text."""


@dataclass(frozen=True)
class Scale:
    """Values that get the darkest and the brightest colour."""

    low: float
    high: float

    def shares(self, values: npt.ArrayLike) -> Map:
        """Each value's place between both, 0 to 1; all 0 where they are equal."""
        width = self.high - self.low
        shares: Map = (np.asarray(values, dtype=np.float64) - self.low) / (width if width > 0 else 1.0)
        return shares.clip(0, 1)


def scale_of(values: npt.ArrayLike) -> Scale:
    """From the smallest to the largest value."""
    array = np.asarray(values, dtype=np.float64)
    return Scale(float(array.min()), float(array.max()))


def enlarge(grid: npt.ArrayLike, shape: tuple[int, int]) -> Map:
    """(h, w) -> `shape` (H, W), bilinear with half-pixel centres; beyond the outermost centres their values stay."""
    values = np.asarray(grid, dtype=np.float64)
    rows, columns = (_weights(small, large) for small, large in zip(values.shape, shape, strict=True))
    enlarged: Map = rows @ values @ columns.T
    return enlarged


def _weights(small: int, large: int) -> Map:
    """(large, small) weight of each cell in each pixel."""
    places = ((np.arange(large) + 0.5) * small / large - 0.5).clip(0, small - 1)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, small - 1)
    weights = np.zeros((large, small))
    weights[np.arange(large), below] = 1 - (places - below)
    weights[np.arange(large), above] += places - below
    return weights


def enlarge_to_image(grid: npt.ArrayLike, height: int, width: int) -> Map:
    """(h, w) of the padded square that an encoder sees -> (height, width) of the image inside it."""
    frame = EvaluationFrame(height, width, size=1)
    across, down = frame.padding
    columns, rows = frame.padded
    return enlarge(grid, (rows, columns))[down : down + height, across : across + width]


def find_peak(heat: Map) -> tuple[int, int]:
    """(row, column) of the largest value; of several beside each other the middle one, else the first, row by row.

    Beyond the outermost centres values stay as they are: the largest one may fill the corner of an image.
    """
    row, column = (int(place) for place in np.unravel_index(int(heat.argmax()), heat.shape))
    return row + (_count_equal(heat[row:, column]) - 1) // 2, column + (_count_equal(heat[row, column:]) - 1) // 2


def _count_equal(line: Map) -> int:
    """How many values from the first on are equal to it."""
    differs = ~np.isclose(line, line[0], rtol=0, atol=1e-12)
    return int(differs.argmax()) if differs.any() else len(line)


def colour(shares: npt.ArrayLike) -> Bytes:
    """Values from 0 to 1 of any shape -> (..., 3) red, green, blue."""
    places = np.linspace(0, 1, len(_COLOURS))
    channels = [np.interp(np.asarray(shares), places, _COLOURS[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def lay_over(image: Bytes, heat: Map, scale: Scale) -> Bytes:
    """(H, W) grey and (H, W) values -> (H, W, 3)."""
    mixed = (1 - _SHARE) * image[..., None] + _SHARE * colour(scale.shares(heat))
    return mixed.round().astype(np.uint8)


def shrink(image: Bytes, shape: tuple[int, int]) -> Bytes:
    """(H, W) grey -> `shape`."""
    height, width = shape
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def draw_with_scale(pixels: Bytes, scale: Scale, title: str) -> Image.Image:
    """(H, W, 3) with a coloured bar, what its ends mean, and a title below."""
    height, width = pixels.shape[:2]
    picture = Image.new("RGB", (width, height + _BAR + 2 * _LINE + 4), (24, 24, 24))
    picture.paste(Image.fromarray(pixels), (0, 0))
    picture.paste(Image.fromarray(draw_bar(width)), (0, height + 2))
    pen = ImageDraw.Draw(picture)
    ends = f"{scale.low:.3f}", f"{scale.high:.3f}"
    top = height + _BAR + 3
    pen.text((1, top), ends[0], fill=(220, 220, 220))
    pen.text((width - 1 - pen.textlength(ends[1]), top), ends[1], fill=(220, 220, 220))
    pen.text((1, top + _LINE - 1), cut(title, width, pen), fill=(220, 220, 220))
    return picture


def cut(text: str, width: int, pen: ImageDraw.ImageDraw) -> str:
    """The text, its end left out where it is wider than `width` pixels; what the pen's font lacks becomes `?`."""
    plain = " ".join(text.split()).encode("ascii", "replace").decode()
    if pen.textlength(plain) <= width:
        return plain
    while plain and pen.textlength(f"{plain}...") > width:
        plain = plain[:-1]
    return f"{plain}..."


def wrap(text: str, width: int, pen: ImageDraw.ImageDraw) -> list[str]:
    """The text in lines of at most `width` pixels, a longer word cut; what the pen's font lacks becomes `?`."""
    lines: list[str] = []
    for word in cut(text, 1 << 30, pen).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.textlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(cut(word, width, pen))
    return lines


def draw_bar(width: int) -> Bytes:
    """(height, width, 3) all colours from the darkest to the brightest."""
    return colour(np.tile(np.linspace(0, 1, width), (_BAR, 1)))


def beside(pictures: Sequence[npt.NDArray[Pixel]], gap: int) -> npt.NDArray[Pixel]:
    """Pictures of one height side by side, with `gap` columns of zeros between."""
    empty = np.zeros_like(pictures[0][:, :1]).repeat(gap, axis=1)
    parts = [part for picture in pictures for part in (empty, picture)]
    return np.concatenate(parts[1:], axis=1)
