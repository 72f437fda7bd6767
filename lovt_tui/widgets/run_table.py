"""The table of runs: as many rows as you like, drawn only where they are seen, and only where they changed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lovt_tui.formatting import COMPONENTS, Cell
from lovt_tui.widgets.painting import paint, tone_styles
from lovt_tui.widgets.run_columns import Entry, choose_columns, entry_cells, heading_cells

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

CURSOR = "▸ "
HEADING_LINES = 1


class RunTable(ScrollView, can_focus=True, inherit_bindings=False):
    """The cursor stays with its run, whatever happens to the rows around it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", tooltip="open the run: curves, log, config, events"),
        Binding("up,k", "move(-1)", "row up", show=False),
        Binding("down,j", "move(1)", "row down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "first", "first row", show=False),
        Binding("end,G", "last", "last row", show=False),
    ]
    COMPONENT_CLASSES = COMPONENTS | {"run-table--cursor", "run-table--heading"}

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another run, or on none."""

        run_id: str | None

    @dataclass
    class Opened(Message):
        """Somebody wants to see this run."""

        run_id: str

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: tuple[Entry, ...] = ()
        self._empty = ""
        self._cursor = 0
        self._drawn: dict[int, Strip] = {}

    @property
    def selected(self) -> "RunRow | None":
        """The run under the cursor."""
        return self._entries[self._cursor].row if self._entries else None

    def show(self, entries: tuple[Entry, ...], empty: str) -> None:
        """Show these runs, or where there are none say `empty`; only lines that look different are drawn again."""
        before = self.selected
        place = next((n for n, entry in enumerate(entries) if before and entry.row.id == before.id), None)
        self._entries, self._empty = entries, empty
        self._cursor = place if place is not None else min(self._cursor, max(0, len(entries) - 1))
        self.virtual_size = Size(self.size.width, len(entries) + HEADING_LINES)
        for y in range(self.size.height):
            if self._draw(y) != self._drawn.get(y):
                self.refresh(Region(0, y, self.size.width, 1))
        if place is None:
            self._tell(before)

    def select(self, run_id: str) -> bool:
        """Put the cursor on a run; whether it is shown."""
        for number, entry in enumerate(self._entries):
            if entry.row.id == run_id:
                self._go_to(number)
                return True
        return False

    def render_line(self, y: int) -> Strip:
        """A visible line; the headings stay on top."""
        strip = self._draw(y)
        self._drawn[y] = strip
        return strip

    def _draw(self, y: int) -> Strip:
        width = self.scrollable_content_region.width  # beside the scroll bar, where there is one
        columns = choose_columns(width - len(CURSOR))
        if y < HEADING_LINES:
            base = self.get_component_rich_style("run-table--heading")
            return paint([Cell(" " * len(CURSOR)), *heading_cells(columns)], tone_styles(self), base, width)
        number = y - HEADING_LINES + self.scroll_offset.y
        if number >= len(self._entries):
            text = self._empty if not self._entries and number == 1 else ""
            return paint([Cell(" " * len(CURSOR)), Cell(text)], tone_styles(self), self.rich_style, width)
        is_cursor = number == self._cursor
        base = self.get_component_rich_style("run-table--cursor") if is_cursor else self.rich_style
        mark = Cell(CURSOR if is_cursor else " " * len(CURSOR), "accent")
        return paint([mark, *entry_cells(self._entries[number], columns)], tone_styles(self), base, width)

    def action_open(self) -> None:
        """Open the run under the cursor."""
        if (row := self.selected) is not None:
            self.post_message(self.Opened(row.id))

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self._go_to(self._cursor + rows)

    def action_page(self, direction: int) -> None:
        """Move the cursor by what is seen."""
        self._go_to(self._cursor + direction * max(1, self.size.height - HEADING_LINES))

    def action_first(self) -> None:
        """To the first row."""
        self._go_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self._go_to(len(self._entries) - 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without rows there is nowhere to go."""
        return bool(self._entries) or action not in ("open", "move", "page", "first", "last")

    def on_click(self, event: events.Click) -> None:
        """A click selects, a second one opens."""
        number = event.y - HEADING_LINES + self.scroll_offset.y
        if event.y < HEADING_LINES or number >= len(self._entries):
            return
        if number == self._cursor and event.chain > 1:
            self.action_open()
        self._go_to(number)

    def _go_to(self, number: int) -> None:
        number = max(0, min(number, len(self._entries) - 1))
        before = self.selected
        old, self._cursor = self._cursor, number
        self.refresh_lines(old + HEADING_LINES)
        self.refresh_lines(number + HEADING_LINES)
        visible = max(1, self.size.height - HEADING_LINES)
        top = self.scroll_offset.y
        if number < top:
            self.scroll_to(y=number, animate=False)
        elif number >= top + visible:
            self.scroll_to(y=number - visible + 1, animate=False)
        self._tell(before)

    def _tell(self, before: "RunRow | None") -> None:
        after = self.selected
        if (before.id if before else None) != (after.id if after else None):
            self.post_message(self.Highlighted(after.id if after else None))
        if (before is None) != (after is None):
            self.refresh_bindings()
