"""Prepared images as pictures to look at: masks as tinted areas, boxes as outlines, several side by side with names.

Colours tell classes apart also for most colour-blind readers (Okabe and Ito's palette).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from lovt_core.data.prepared import PreparedData

COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (255, 255, 255),
)
_TINT = 0.4
"""Share of the colour where a mask lies."""
_MARGIN, _CAPTION = 4, 14
"""Pixels between pictures, and of the line under one."""


def colour_of(label: int) -> tuple[int, int, int]:
    """Red, green, blue of a class."""
    return COLOURS[label % len(COLOURS)]


def draw_overlay(data: PreparedData, row: int, side: int | None = None) -> Image.Image:
    """RGB picture of image `row` with its masks and boxes; its long side `side` pixels, or as prepared."""
    pixels = data.image(row)
    picture = Image.fromarray(_tint(pixels, data.mask(row)) if data.num_classes else pixels).convert("RGB")
    scale = 1.0 if side is None else side / max(pixels.shape)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(picture)
    for (left, top, across, down), label in zip(*data.boxes(row), strict=True):
        corners = [left * scale, top * scale, (left + across) * scale - 1, (top + down) * scale - 1]
        pen.rectangle(corners, outline=colour_of(int(label)))
    return picture


def draw_sheet(pictures: Sequence[tuple[Image.Image, str]], columns: int) -> Image.Image:
    """Pictures with a caption of one or more lines each, in rows of `columns`."""
    width, height = _measure_cell(pictures)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (width * min(columns, len(pictures)) + _MARGIN, height * rows + _MARGIN), (24, 24, 24))
    pen = ImageDraw.Draw(sheet)
    for (picture, caption), (left, top) in zip(pictures, place_on_sheet(pictures, columns), strict=True):
        sheet.paste(picture, (left, top))
        for number, line in enumerate(caption.split("\n")):
            below = top + picture.height + 1 + number * _CAPTION
            pen.text((left, below), _fit(pen, line, width - _MARGIN), fill=(220, 220, 220))
    return sheet


def place_on_sheet(pictures: Sequence[tuple[Image.Image, str]], columns: int) -> list[tuple[int, int]]:
    """(left, top) of each picture on the sheet that `draw_sheet` makes of them."""
    width, height = _measure_cell(pictures)
    places = (divmod(number, columns) for number in range(len(pictures)))
    return [(_MARGIN + column * width, _MARGIN + row * height) for row, column in places]


def _measure_cell(pictures: Sequence[tuple[Image.Image, str]]) -> tuple[int, int]:
    """Width and height of the largest picture with the longest caption and the margin on one side."""
    lines = max(caption.count("\n") + 1 for _, caption in pictures)
    width = max(picture.width for picture, _ in pictures) + _MARGIN
    return width, max(picture.height for picture, _ in pictures) + _MARGIN + lines * _CAPTION


def _tint(pixels: npt.NDArray[np.uint8], masks: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(height, width, 3): grey, mixed with the colours of the (classes, height, width) masks."""
    coloured = np.repeat(pixels[:, :, None], 3, axis=2).astype(np.float32)
    for label, mask in enumerate(masks):
        inside = mask.astype(bool)
        coloured[inside] += _TINT * (np.array(colour_of(label), dtype=np.float32) - coloured[inside])
    tinted: npt.NDArray[np.uint8] = coloured.astype(np.uint8)
    return tinted


def _fit(pen: ImageDraw.ImageDraw, text: str, width: int) -> str:
    """The text, its end cut off where it is wider than `width`; ids differ at their ends, so the beginning goes."""
    text = text.encode("ascii", "replace").decode()
    if pen.textlength(text) <= width:
        return text
    while text and pen.textlength(f"...{text}") > width:
        text = text[1:]
    return f"...{text}"
