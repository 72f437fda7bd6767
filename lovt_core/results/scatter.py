"""Points of an image and a report side in one picture: marks for the terminal, PNG.

Marks are (height, width) uint8: 0 nothing, 1 image, 2 report, 3 both.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

GROUPS: Final = ("image", "report")
COLOURS: Final = ((86, 180, 233), (230, 159, 0), (240, 228, 66))
"""Red, green, blue of image, report and both (of Okabe and Ito's palette)."""
MEANINGS: Final = ("image", "report", "both")
_BACKGROUND, _TEXT = (24, 24, 24), (220, 220, 220)
_MARGIN, _CAPTION = 6, 20

Marks = npt.NDArray[np.uint8]


def place_points(groups: Sequence[Sequence[Sequence[float]]], shape: tuple[int, int], radius: int = 0) -> Marks:
    """Marks of `shape`: points (x, y) of the image group, then of the report group, at one scale for both axes.

    All points lie inside; y grows upwards.
    """
    arrays = [np.asarray(group, dtype=np.float64).reshape(-1, 2) for group in groups]
    everything = np.concatenate(arrays)
    room = np.array(shape[::-1]) - 1 - 2 * radius
    low, high = everything.min(axis=0), everything.max(axis=0)
    spans = np.maximum(high - low, 1e-12)
    scale = float((room / spans).min())
    offset = (room - scale * (high - low)) / 2
    marks = np.zeros(shape, dtype=np.uint8)
    for number, points in enumerate(arrays):
        columns, rows = (offset + scale * (points - low)).round().astype(int).T
        for down in range(2 * radius + 1):
            for across in range(2 * radius + 1):
                marks[shape[0] - 1 - 2 * radius - rows + down, columns + across] |= 1 << number
    return marks


def draw_scatter(groups: Sequence[Sequence[Sequence[float]]], title: str, side: int = 640) -> Image.Image:
    """A square picture of the points with a title and what the colours mean."""
    marks = place_points(groups, (side, side), radius=1)
    pixels = np.full((side, side, 3), _BACKGROUND, dtype=np.uint8)
    for number, colour in enumerate(COLOURS, start=1):
        pixels[marks == number] = colour
    picture = Image.new("RGB", (side + 2 * _MARGIN, side + 2 * _MARGIN + 2 * _CAPTION), _BACKGROUND)
    picture.paste(Image.fromarray(pixels), (_MARGIN, _MARGIN + _CAPTION))
    pen = ImageDraw.Draw(picture)
    pen.text((_MARGIN, 4), title, fill=_TEXT)
    left = _MARGIN
    for colour, meaning in zip(COLOURS, MEANINGS, strict=True):
        top = side + 2 * _MARGIN + _CAPTION + 2
        pen.rectangle((left, top + 1, left + 9, top + 10), fill=colour)
        pen.text((left + 14, top), meaning, fill=_TEXT)
        left += round(pen.textlength(meaning)) + 30
    return picture
