"""Which columns of the comparison are seen, and where they stand: the labels stay, whole columns scroll beside them."""

from dataclasses import dataclass

from rich.cells import cell_len

from lovt_tui.comparing.grid import Grid, GridColumn
from lovt_tui.formatting import Cell, fit

GAP = 2
"""Before each column: a line where another data set begins, and the sign of the cursor."""
MIN_LABEL, MAX_LABEL = 14, 40
LABEL_SHARE = 0.3
"""Of the width, unless that is less than `MIN_LABEL`; more where all columns fit beside it."""
CURSOR, COLUMN_CURSOR, RULE = "▸", "▾", "│"


@dataclass(frozen=True)
class Window:
    """The columns in sight."""

    label_width: int
    columns: tuple[GridColumn, ...]
    cursor: int
    """Place of the column under the cursor among all."""
    num_left: int = 0
    num_right: int = 0
    """Columns out of sight on either side."""

    def column_at(self, x: int) -> int | None:
        """Place of the column at a cell right of the margin; None on the labels and beyond the last one."""
        start = self.label_width
        for column in self.columns:
            start += GAP + column.width
            if self.label_width <= x < start:
                return column.place
        return None


def build_window(grid: Grid, width: int, cursor: int, first: int) -> Window:
    """The columns from `first` on that fit into `width`, moved to have the cursor's in sight and no room wasted."""
    label_width = min(max(grid.label_width, MIN_LABEL), MAX_LABEL, max(MIN_LABEL, int(width * LABEL_SHARE)))
    slack = width - label_width - sum(GAP + column.width for column in grid.columns)
    label_width += max(0, min(slack, grid.label_width - label_width))
    room = width - label_width
    cursor = max(0, min(cursor, len(grid.columns) - 1))
    first = max(0, min(first, cursor))
    while first < cursor and cursor >= _find_end(grid, first, room):
        first += 1
    while first > 0 and _find_end(grid, first - 1, room) == len(grid.columns):
        first -= 1
    end = _find_end(grid, first, room)
    return Window(label_width, grid.columns[first:end], cursor, first, len(grid.columns) - end)


def _find_end(grid: Grid, first: int, room: int) -> int:
    """Place after the last column that fits whole; one stands there in any case."""
    used = 0
    for column in grid.columns[first:]:
        used += GAP + column.width
        if used > room:
            return max(column.place, first + 1)
    return len(grid.columns)


def fit_label(text: str, width: int) -> str:
    """A label in exactly `width` cells; a longer one loses its middle: ends of labels tell more than beginnings."""
    if cell_len(text) <= width or cell_len(text) != len(text):
        return fit(text, width)
    head = (width - 1) // 3
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def count_heading_lines(grid: Grid) -> int:
    """Lines above that of the metrics: the data sets, then as many as the longest heading has."""
    return 1 + max((len(column.heading) for column in grid.columns), default=0)


def heading_cells(grid: Grid, window: Window, line: int) -> list[Cell]:
    """A line of the headings above that of the metrics, the first one with the data sets."""
    if line == 0:
        return [Cell(fit(describe_extent(window), window.label_width), "dim"), *_data_cells(window)]
    num_lines = count_heading_lines(grid) - 1
    cells = [Cell(" " * window.label_width)]
    for column in window.columns:
        place = line - 1 - (num_lines - len(column.heading))
        text = column.heading[place] if place >= 0 else ""
        cells += [_gap(column), Cell(fit(text, column.width, "right"), _tone(column, window))]
    return cells


def metric_cells(window: Window, *, numbered: bool = False) -> list[Cell]:
    """The last line of the headings; `numbered` where it is the only one: with the task's number in the paper."""
    cells = [Cell(fit("encoder", window.label_width), "dim")]
    for column in window.columns:
        text = f"{column.number} {column.metric.removesuffix(' (%)')}".strip() if numbered else column.metric
        sign = COLUMN_CURSOR if column.place == window.cursor else " "
        tone = _tone(column, window)
        cells += [_gap(column, 1), Cell(sign, "accent"), Cell(fit(text, column.width, "right"), tone)]
    return cells


def describe_extent(window: Window) -> str:
    """How many columns are out of sight on either side."""
    left = f"← {window.num_left}" if window.num_left else ""
    right = f"{window.num_right} →" if window.num_right else ""
    return " · ".join(text for text in (left, right) if text) + (" more" if left or right else "")


def _data_cells(window: Window) -> list[Cell]:
    """Titles of data sets over all of their columns in sight."""
    cells: list[Cell] = []
    columns = list(window.columns)
    while columns:
        head = columns.pop(0)
        width, is_current = head.width, head.place == window.cursor
        while columns and not columns[0].is_first:
            column = columns.pop(0)
            width += GAP + column.width
            is_current |= column.place == window.cursor
        cells += [_gap(head), Cell(fit(head.data, width), "accent" if is_current else "strong")]
    return cells


def _gap(column: GridColumn, width: int = GAP) -> Cell:
    return Cell((RULE if column.is_first else " ").ljust(width), "dim")


def _tone(column: GridColumn, window: Window) -> str:
    return "accent" if column.place == window.cursor else "dim"
