"""Drawing with braille characters: each cell holds 2 by 4 dots (Unicode block U+2800)."""

BLANK = 0x2800
DOT_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bit of the dot in column x and row y of a cell."""
DOTS_ACROSS = 2
DOTS_DOWN = 4


class Canvas:
    """Dots on `width` by `height` cells; a cell has the tone of what was drawn into it last."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._bits = [[0] * width for _ in range(height)]
        self._tones = [[""] * width for _ in range(height)]

    @property
    def num_columns(self) -> int:
        """Dots across."""
        return self.width * DOTS_ACROSS

    @property
    def num_rows(self) -> int:
        """Dots down."""
        return self.height * DOTS_DOWN

    def dot(self, x: int, y: int, tone: str) -> None:
        """Set the dot at `x` from the left and `y` from the top; outside nothing happens."""
        if 0 <= x < self.num_columns and 0 <= y < self.num_rows:
            column, row = x // DOTS_ACROSS, y // DOTS_DOWN
            self._bits[row][column] |= DOT_BITS[x % DOTS_ACROSS][y % DOTS_DOWN]
            self._tones[row][column] = tone

    def column(self, x: int, top: int, bottom: int, tone: str) -> None:
        """A vertical line."""
        for y in range(max(0, min(top, bottom)), min(self.num_rows - 1, max(top, bottom)) + 1):
            self.dot(x, y, tone)

    def line(self, start: tuple[int, int], end: tuple[int, int], tone: str) -> None:
        """A straight line between two dots."""
        (x, y), (to_x, to_y) = start, end
        length = max(abs(to_x - x), abs(to_y - y))
        for index in range(length + 1):
            share = index / length if length else 0.0
            self.dot(x + round((to_x - x) * share), y + round((to_y - y) * share), tone)

    def row(self, y: int) -> list[tuple[str, str]]:
        """Characters and tones of a row of cells; an empty cell is a space."""
        return [
            (chr(BLANK + bits) if bits else " ", tone) for bits, tone in zip(self._bits[y], self._tones[y], strict=True)
        ]
