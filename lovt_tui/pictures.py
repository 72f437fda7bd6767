"""Pictures in a terminal: two pixels a character cell, the upper half block in one colour on another.

Where there is no colour (a pipe, NO_COLOR) four shades stand for the brightness, and letters for what is marked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style
from rich.text import Text

from lovt_core.data.prepared import Bytes

if TYPE_CHECKING:
    from lovt_core.data.heat_maps import Map

_SHADES = " ░▒▓█"
_SCALE_CELLS = 20


@dataclass(frozen=True)
class Mark:
    """What a marked pixel stands for."""

    letter: str
    """In its place where there is no colour; one column wide."""
    colour: tuple[int, int, int]
    """Red, green, blue."""
    meaning: str


def fit_cells(shape: tuple[int, ...], cells: tuple[int, int]) -> tuple[int, int]:
    """(even pixel rows, pixel columns) of a picture of `shape` (height, width) that fits (columns, lines) of cells."""
    (height, width), (columns, rows) = shape, cells
    scale = min(columns / width, 2 * rows / height)
    return max(2, 2 * round(height * scale / 2)), max(1, round(width * scale))


def draw_cells(pixels: Bytes, *, colour: bool) -> Text:
    """(even height, width, 3) red, green, blue as text: half as many lines as rows."""
    text = Text(no_wrap=True, end="")
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for above, below in zip(upper.tolist(), lower.tolist(), strict=True):
            if colour:
                text.append("▀", Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below)))
            else:
                text.append(_SHADES[(sum(above) + sum(below)) * len(_SHADES) // (6 * 256)])
        text.append("\n")
    return text


def draw_shades(shares: "Map") -> Text:
    """(even height, width) values from 0 to 1 as text without colour: half as many lines as rows."""
    text = Text(no_wrap=True, end="")
    for line in ((shares[::2] + shares[1::2]) / 2).tolist():
        text.append("".join(_SHADES[min(int(share * len(_SHADES)), len(_SHADES) - 1)] for share in line) + "\n")
    return text


def draw_scale(low: float, high: float, *, colour: bool) -> Text:
    """One line: the colours or shades of a heat map, between the values that get the first and the last of them."""
    from lovt_core.data.heat_maps import colour as colour_of

    text = Text(f"{low:.3f} ")
    for place in range(_SCALE_CELLS):
        share = place / (_SCALE_CELLS - 1)
        red, green, blue = colour_of(share).tolist()
        shade = _SHADES[min(int(share * len(_SHADES)), len(_SHADES) - 1)]
        text.append("█" if colour else shade, Style(color=Color.from_rgb(red, green, blue)) if colour else "")
    return text.append(f" {high:.3f}")


def draw_marked_cells(pixels: Bytes, marks: Bytes, legend: Sequence[Mark], *, colour: bool) -> Text:
    """Like `draw_cells`, with each marked pixel in its mark's colour, or the mark's letter in its cell.

    `marks` (height, width) are sums of two flags: 0 nothing, 1 and 2 either, 3 both; entry i of `legend` is of i + 1. A
    cell whose two pixels differ gets the letter of both flags.
    """
    if colour:
        painted = pixels.copy()
        for number, mark in enumerate(legend, start=1):
            painted[marks == number] = mark.colour
        return draw_cells(painted, colour=True)
    text = Text(no_wrap=True, end="")
    shades = draw_cells(pixels, colour=False).plain.splitlines()
    for line, flags in zip(shades, (marks[::2] | marks[1::2]).tolist(), strict=True):
        cells = (legend[flag - 1].letter if flag else shade for shade, flag in zip(line, flags, strict=True))
        text.append("".join(cells) + "\n")
    return text


def draw_legend(legend: Sequence[Mark], *, colour: bool) -> Text:
    """One line: each mark as it is drawn, and what it means."""
    text = Text()
    for number, mark in enumerate(legend):
        text.append("   " if number else "")
        text.append("█" if colour else mark.letter, Style(color=Color.from_rgb(*mark.colour)) if colour else "")
        text.append(f" {mark.meaning}")
    return text
