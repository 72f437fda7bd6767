"""The table of the comparison: a cursor on a cell, labels that stay while columns scroll by."""

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from lovt_tui.comparing.grid import Grid, GridColumn, GridRow, Look
from lovt_tui.comparing.window import CURSOR as CELL_CURSOR
from lovt_tui.comparing.window import RULE, Window, build_window, fit_label, metric_cells
from lovt_tui.formatting import Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.line_table import CURSOR, HEADING_LINES, MARGIN, LineTable
from lovt_tui.widgets.painting import tone_styles

PIN = "p"
"""Left of the row with which the others are compared."""
RANK_LOOKS = {1: "comparison-table--best", 2: "comparison-table--second"}


class ComparisonTable(LineTable[GridRow]):
    """One line an encoder; headings of groups are passed over."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "open", "open", "all of this score: seeds, learning rates, run, protocol, data"),
        bind("left,h", "column(-1)", "column left", bar=False),
        bind("right,l", "column(1)", "column right", bar=False),
        bind("H,shift+left", "column(-999)", "first column", bar=False),
        bind("L,shift+right", "column(999)", "last column", bar=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "comparison-table--cell",
        "comparison-table--group",
        *RANK_LOOKS.values(),
    }

    @dataclass
    class CellChanged(Message):
        """The cursor stands in another column, or other columns are in sight."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._grid = Grid()
        self._column = 0
        self._first = 0

    @property
    def grid(self) -> Grid:
        """What is shown."""
        return self._grid

    @property
    def column(self) -> GridColumn | None:
        """The column under the cursor."""
        return self._grid.columns[self._column] if self._grid.columns else None

    @property
    def window(self) -> Window:
        """The columns in sight."""
        width = self.scrollable_content_region.width - MARGIN
        return build_window(self._grid, width, self._column, self._first)

    def show_grid(self, grid: Grid) -> None:
        """Show this from now on; the cursor stays with its row and its task."""
        before = self.column
        self._grid = grid
        if before is not None:
            same = [column.place for column in grid.columns if column.task == before.task]
            self._column = before.place if before.place in same or not same else same[0]
        self._column = max(0, min(self._column, len(grid.columns) - 1))
        self.show(grid.rows)
        if (row := self.selected) is not None and row.place is None:
            self._go_to(self._cursor)
        self.post_message(self.CellChanged())

    def go_to_column(self, place: int) -> None:
        """Put the cursor into a column."""
        place = max(0, min(place, len(self._grid.columns) - 1))
        if place != self._column:
            self._column = place
            self._first = self.window.num_left
            self.redraw()
            self.post_message(self.CellChanged())

    def action_column(self, columns: int) -> None:
        """Left or right."""
        self.go_to_column(self._column + columns)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without columns there is nowhere to go."""
        return bool(self._grid.columns) if action == "column" else super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        """The column that was clicked; LineTable finds the row."""
        if (place := self.window.column_at(event.x - MARGIN)) is not None:
            self.go_to_column(place)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """To the left."""
        event.stop()
        self.action_column(-1)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """To the right."""
        event.stop()
        self.action_column(1)

    def on_resize(self) -> None:
        """Other columns may be in sight."""
        self._first = self.window.num_left
        self.post_message(self.CellChanged())
        if self._entries:
            self.call_after_refresh(lambda: self._go_to(self._cursor))

    def key_of(self, entry: GridRow) -> str:
        """The label of the row."""
        return entry.key

    def heading(self, width: int) -> list[Cell]:
        """Metrics; on a low terminal, which has no other headings, the numbers of the tasks too."""
        return metric_cells(self.window, numbered=self.screen.has_class("-low"))

    def _go_to(self, number: int) -> None:
        """Past headings of groups; that of the topmost row comes into sight with it."""
        rows = self._entries
        if not rows:
            return
        number = max(0, min(number, len(rows) - 1))
        forward = range(number, len(rows))
        backward = range(number, -1, -1)
        ways = (forward, backward) if number >= self._cursor else (backward, forward)
        found = (place for way in ways for place in way if rows[place].place is not None)
        target = next(found, None)
        if target is None:
            return
        super()._go_to(target)
        if rows[target - 1].place is None and self.scroll_offset.y == target:
            self.scroll_to(y=target - 1, animate=False)

    def _draw(self, y: int) -> Strip:
        number = y - HEADING_LINES + self.scroll_offset.y
        if y < HEADING_LINES or number >= len(self._entries):
            return super()._draw(y)
        row, is_cursor = self._entries[number], number == self._cursor
        width = self.scrollable_content_region.width
        base = self.get_component_rich_style("line-table--cursor") if is_cursor else self.rich_style
        if row.place is None:
            style = base + self.get_component_rich_style("comparison-table--group", partial=True)
            return Strip([Segment(f"  {row.label}", style)]).adjust_cell_length(width, base)
        return Strip(self._paint_row(row, base, is_cursor)).adjust_cell_length(width, base)

    def _paint_row(self, row: GridRow, base: Style, is_cursor: bool) -> list[Segment]:
        tones, window = tone_styles(self), self.window
        label_style = base + tones["strong"] if is_cursor else base + tones["dim"] if row.is_published else base
        segments = [
            Segment((CURSOR if is_cursor else " ") + (PIN if row.is_pin else " "), base + tones["accent"]),
            Segment(fit_label(row.label, window.label_width), label_style),
        ]
        for column in window.columns:
            look = row.looks[column.place]
            is_here = is_cursor and column.place == window.cursor
            tone = look.tone or ("dim" if row.is_published else "")
            style = base + tones[tone] if tone else base
            if is_here:
                style += self.get_component_rich_style("comparison-table--cell", partial=True)
            segments += [
                Segment(RULE if column.is_first else " ", base + tones["dim"]),
                Segment(CELL_CURSOR if is_here else " ", base + tones["accent"]),
                *self._paint_look(look, style),
            ]
        return segments

    def _paint_look(self, look: Look, style: Style) -> list[Segment]:
        """Best and second stand out, but not the blanks around them."""
        if look.rank is None:
            return [Segment(look.text, style)]
        number = look.text.strip()
        left, _, right = look.text.partition(number)
        ranked = style + self.get_component_rich_style(RANK_LOOKS[look.rank], partial=True)
        return [Segment(left, style), Segment(number, ranked), Segment(right, style)]
