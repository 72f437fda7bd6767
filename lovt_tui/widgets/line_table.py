"""A table of as many rows as you like, drawn only where they are seen, and only where they changed."""

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lovt_tui.formatting import COMPONENTS, Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.painting import paint, tone_styles

Entry = TypeVar("Entry")
CURSOR = "▸"
MARK = "*"
MARGIN = 2
"""Cells left of a row: the cursor, and the mark."""
HEADING_LINES = 1


class LineTable(ScrollView, Generic[Entry], can_focus=True, inherit_bindings=False):
    """The cursor stays with its entry, whatever happens to the rows around it. Subclasses say how an entry looks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("up,k", "move(-1)", "row up", bar=False),
        bind("down,j", "move(1)", "row down", bar=False),
        bind("pageup", "page(-1)", "page up", bar=False),
        bind("pagedown", "page(1)", "page down", bar=False),
        bind("home,g", "first", "first row", bar=False),
        bind("end,G", "last", "last row", bar=False),
    ]
    COMPONENT_CLASSES = COMPONENTS | {"line-table--cursor", "line-table--heading"}
    DEFAULT_CLASSES = "line-table"

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another entry, or on none."""

        table: "LineTable[Any]"
        key: str | None

        @property
        def control(self) -> "LineTable[Any]":
            """The table."""
            return self.table

    @dataclass
    class Opened(Message):
        """Somebody wants to see this entry: a second click, or enter where the table binds it to `open`."""

        table: "LineTable[Any]"
        key: str

        @property
        def control(self) -> "LineTable[Any]":
            """The table."""
            return self.table

    @dataclass
    class HeadingClicked(Message):
        """Somebody clicked the headings, at this cell right of the margin."""

        table: "LineTable[Any]"
        x: int

        @property
        def control(self) -> "LineTable[Any]":
            """The table."""
            return self.table

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: tuple[Entry, ...] = ()
        self._empty = ""
        self._cursor = 0
        self._marked: frozenset[str] = frozenset()
        self._targets: tuple[Entry, ...] | None = None
        self._drawn: dict[int, Strip] = {}

    def key_of(self, entry: Entry) -> str:
        """What an entry is known by."""
        raise NotImplementedError

    def heading(self, width: int) -> list[Cell]:
        """The line of headings."""
        raise NotImplementedError

    def cells(self, entry: Entry, width: int) -> list[Cell]:
        """The line of an entry."""
        raise NotImplementedError

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All rows."""
        return self._entries

    @property
    def selected(self) -> Entry | None:
        """The entry under the cursor."""
        return self._entries[self._cursor] if self._entries else None

    @property
    def targets(self) -> tuple[Entry, ...]:
        """The marked entries; without any the one under the cursor."""
        if not self._marked:
            return (self.selected,) if self.selected is not None else ()
        if self._targets is None:  # asked for by every key that is bound, whenever one of them may have changed
            self._targets = tuple(entry for entry in self._entries if self.key_of(entry) in self._marked)
        return self._targets

    @property
    def num_marked(self) -> int:
        """How many are marked."""
        return len(self._marked)

    def show(self, entries: tuple[Entry, ...], empty: str = "") -> None:
        """Show these rows, or where there are none say `empty`; only lines that look different are drawn again."""
        before, cursor = self._key(), self._cursor
        place = self._cursor if entries and entries is self._entries else self._find(before, entries)
        if entries is not self._entries:
            self._targets = None
            if self._marked:
                self._marked &= {self.key_of(entry) for entry in entries}
        self._entries, self._empty = entries, empty
        self._cursor = place if place is not None else min(self._cursor, max(0, len(entries) - 1))
        size = Size(self.size.width, len(entries) + HEADING_LINES)
        if size != self.virtual_size:
            was_seen = self._is_seen(cursor)
            self.virtual_size = size
            if was_seen and not self._is_seen(self._cursor):
                self._scroll_to_cursor()
        self.redraw()
        if place is None:
            self._tell(before)

    def redraw(self) -> None:
        """Draw the lines again that look different now."""
        for y in range(self.size.height):
            if self._draw(y) != self._drawn.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def select(self, key: str) -> bool:
        """Put the cursor on an entry; whether it is shown."""
        number = self._find(key, self._entries)
        if number is not None:
            self._go_to(number)
        return number is not None

    def toggle_mark(self) -> None:
        """Mark the entry under the cursor, or take its mark away, and go on to the next."""
        if (key := self._key()) is not None:
            self._marked ^= {key}
            self._targets = None
            self.refresh_lines(self._cursor + HEADING_LINES)
            self._go_to(self._cursor + 1)
            self.refresh_bindings()

    def clear_marks(self) -> None:
        """No marks any more."""
        self._marked = frozenset()
        self.redraw()
        self.refresh_bindings()

    def render_line(self, y: int) -> Strip:
        """A visible line; the headings stay on top."""
        strip = self._draw(y)
        self._drawn[y] = strip
        return strip

    def _draw(self, y: int) -> Strip:
        width = self.scrollable_content_region.width  # beside the scroll bar, where there is one
        inner = width - MARGIN
        if y < HEADING_LINES:
            base = self.get_component_rich_style("line-table--heading")
            return paint([Cell(" " * MARGIN), *self.heading(inner)], tone_styles(self), base, width)
        number = y - HEADING_LINES + self.scroll_offset.y
        if number >= len(self._entries):
            text = self._empty if not self._entries and number == 1 else ""
            return paint([Cell(" " * MARGIN), Cell(text)], tone_styles(self), self.rich_style, width)
        entry = self._entries[number]
        is_cursor = number == self._cursor
        base = self.get_component_rich_style("line-table--cursor") if is_cursor else self.rich_style
        signs = (CURSOR if is_cursor else " ") + (MARK if self.key_of(entry) in self._marked else " ")
        return paint([Cell(signs, "accent"), *self.cells(entry, inner)], tone_styles(self), base, width)

    def on_resize(self) -> None:
        """The cursor stays in sight."""
        if self._entries:
            self._scroll_to_cursor()

    def action_open(self) -> None:
        """Open the entry under the cursor."""
        if (key := self._key()) is not None:
            self.post_message(self.Opened(self, key))

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
        if event.y < HEADING_LINES:
            self.post_message(self.HeadingClicked(self, event.x - MARGIN))
            return
        number = event.y - HEADING_LINES + self.scroll_offset.y
        if number >= len(self._entries):
            return
        if number == self._cursor and event.chain > 1:
            self.action_open()
        self._go_to(number)

    def _find(self, key: str | None, entries: tuple[Entry, ...]) -> int | None:
        """Where an entry stands; most often where the cursor is."""
        if self._cursor < len(entries) and self.key_of(entries[self._cursor]) == key:
            return self._cursor
        return next((number for number, entry in enumerate(entries) if self.key_of(entry) == key), None)

    def _key(self) -> str | None:
        entry = self.selected
        return None if entry is None else self.key_of(entry)

    def _go_to(self, number: int) -> None:
        number = max(0, min(number, len(self._entries) - 1))
        before = self._key()
        old, self._cursor = self._cursor, number
        self.refresh_lines(old + HEADING_LINES)
        self.refresh_lines(number + HEADING_LINES)
        self._scroll_to_cursor()
        self._tell(before)

    def _is_seen(self, number: int) -> bool:
        return 0 <= number - self.scroll_offset.y < max(1, self.size.height - HEADING_LINES)

    def _scroll_to_cursor(self) -> None:
        if not self._is_seen(self._cursor):
            visible = max(1, self.size.height - HEADING_LINES)
            is_above = self._cursor < self.scroll_offset.y
            self.scroll_to(y=self._cursor if is_above else self._cursor - visible + 1, animate=False)

    def _tell(self, before: str | None) -> None:
        after = self._key()
        if before != after:
            self.post_message(self.Highlighted(self, after))
        if (before is None) != (after is None):
            self.refresh_bindings()
