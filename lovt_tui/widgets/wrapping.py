"""Lines of cells broken where a width ends: between words, in the middle of those that are longer."""

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len, chop_cells

from lovt_tui.formatting import Cell
from lovt_tui.widgets.line_view import Line

PIECES = re.compile(r"\s+|\S+")
HANG = 2
"""Cells by which what goes on is indented more than the line's beginning."""


def wrap_lines(lines: Iterable[Line], width: int) -> tuple[Line, ...]:
    """The same lines, none of them wider than `width` cells."""
    return tuple(part for line in lines for part in wrap_line(line, width))


def wrap_line(line: Line, width: int) -> tuple[Line, ...]:
    """A line in as many as it needs; blanks at a break are dropped, tones stay."""
    text = "".join(cell.text for cell in line)
    if cell_len(text) <= width:
        return (line,)
    indent = min(len(text) - len(text.lstrip()) + HANG, width // 2)
    lines: list[list[Cell]] = [[]]
    used = 0
    for piece in _split(line, width - indent):
        size = cell_len(piece.text)
        if used + size > width and used > indent:
            lines.append([Cell(" " * indent)])
            used = indent
        if piece.text.isspace() and len(lines) > 1 and used == indent:
            continue
        lines[-1].append(piece)
        used += size
    return tuple(tuple(_join(each)) for each in lines)


def _split(line: Line, most: int) -> Iterator[Cell]:
    """Words and blanks; what is longer than `most` cells in parts."""
    for cell in line:
        for piece in PIECES.findall(cell.text):
            for part in chop_cells(piece, max(1, most)):
                yield Cell(part, cell.tone)


def _join(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Neighbours of the same tone as one."""
    last: Cell | None = None
    for cell in cells:
        if last is not None and last.tone == cell.tone:
            last = Cell(last.text + cell.text, cell.tone)
            continue
        if last is not None:
            yield last
        last = cell
    if last is not None:
        yield last
