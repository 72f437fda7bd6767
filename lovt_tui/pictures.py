"""Pictures in a terminal: two pixels a character cell, the upper half block in one colour on another.

Where there is no colour (a pipe, NO_COLOR) four shades stand for the brightness.
"""

from rich.color import Color
from rich.style import Style
from rich.text import Text

from lovt_core.data.prepared import Bytes

_SHADES = " ░▒▓█"


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
