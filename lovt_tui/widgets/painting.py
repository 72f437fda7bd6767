"""From cells with tones to strips of a widget."""

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import TONES, Cell

Palette = dict[str, Style]


def tone_styles(widget: Widget) -> Palette:
    """Style of each tone as the theme has it; the widget names `COMPONENTS` among its component classes."""
    return {tone: widget.get_component_rich_style(f"tone--{tone}", partial=True) for tone in TONES}


def paint(cells: Iterable[Cell], palette: Palette, base: Style, width: int) -> Strip:
    """One line of exactly `width` cells."""
    segments = [Segment(cell.text, base + palette[cell.tone] if cell.tone else base) for cell in cells]
    return Strip(segments).adjust_cell_length(width, base)
