"""Pixels to cells of a terminal: two pixels a cell in half blocks, or shades and letters where there is no colour.

H and W are height and width of the picture as it is, h and w in pixels of the terminal; h is even.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from lovt_core.data.images.loading import load_image
from lovt_core.data.prepared import Bytes
from lovt_tui.pictures import Mark, draw_cells, fit_cells

HALF_BLOCK = "▀"
MAX_SIDE = 1024
"""Larger pictures are shrunk when they are read: no terminal has as many pixels."""


def load_pixels(path: Path) -> Bytes:
    """(H, W, 3) picture of any image file, its long side at most MAX_SIDE; raises DataError that names the file."""
    picture = load_image(path).convert("RGB")
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def draw_picture(
    pixels: Bytes, marks: Bytes | None, legend: Sequence[Mark], cells: tuple[int, int], *, colour: bool
) -> list[list[Segment]]:
    """Lines of a picture that fits (columns, lines) of cells and keeps its shape.

    `pixels` are (H, W) grey or (H, W, 3); `marks` (H, W) hold 0 for nothing, else i + 1 of entry i of `legend`. A mark
    is never lost by shrinking; where several fall together the largest number is seen.
    """
    shape = fit_cells(pixels.shape[:2], cells)
    shape = min(shape[0], 2 * cells[1]), shape[1]
    small = _shrink(pixels, shape)
    flags = np.zeros(shape, dtype=np.uint8) if marks is None else _shrink_marks(marks, shape)
    return _draw_blocks(small, flags, legend) if colour else _draw_shades(small, flags, legend)


def _shrink(pixels: Bytes, shape: tuple[int, int]) -> Bytes:
    """(h, w, 3), each pixel the mean of those it stands for."""
    picture = Image.fromarray(pixels).convert("RGB").resize(shape[::-1], Image.Resampling.BILINEAR)
    return np.array(picture)


def _shrink_marks(marks: Bytes, shape: tuple[int, int]) -> Bytes:
    """(h, w), each pixel the largest mark of those it stands for."""
    for axis, size in enumerate(shape):
        starts = np.arange(size) * marks.shape[axis] // size
        marks = np.maximum.reduceat(marks, starts, axis=axis)
    return marks


def _draw_blocks(pixels: Bytes, flags: Bytes, legend: Sequence[Mark]) -> list[list[Segment]]:
    for number, mark in enumerate(legend, start=1):
        pixels[flags == number] = mark.colour
    lines = []
    for upper, lower in zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True):
        runs = groupby((*above, *below) for above, below in zip(upper, lower, strict=True))
        lines.append([Segment(HALF_BLOCK * sum(1 for _ in run), _style(colours)) for colours, run in runs])
    return lines


@lru_cache(maxsize=1 << 14)
def _style(colours: tuple[int, ...]) -> Style:
    return Style(color=Color.from_rgb(*colours[:3]), bgcolor=Color.from_rgb(*colours[3:]))


def _draw_shades(pixels: Bytes, flags: Bytes, legend: Sequence[Mark]) -> list[list[Segment]]:
    shades = draw_cells(pixels, colour=False).plain.splitlines()
    lines = []
    for line, row in zip(shades, np.maximum(flags[::2], flags[1::2]).tolist(), strict=True):
        cells = (legend[flag - 1].letter if flag else shade for shade, flag in zip(line, row, strict=True))
        lines.append([Segment("".join(cells))])
    return lines
