"""Many lines of text, drawn only where they are seen: the log, the experiment, events."""

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Size
from textual.markup import escape
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS, Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.painting import paint, tone_styles

Line = tuple[Cell, ...]


def set_title(widget: Widget, title: str) -> None:
    """Set a border's title; one that is there already costs nothing."""
    text = escape(title)
    if widget.border_title != text:
        widget.border_title = text


@dataclass(frozen=True)
class Search:
    """A text looked for, whatever its case, and where it stands."""

    text: str
    hits: tuple[int, ...]
    """Numbers of the lines that have it."""


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """Scrolls freely, or follows the end until somebody scrolls up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("up,k", "scroll_up", "line up", bar=False),
        bind("down,j", "scroll_down", "line down", bar=False),
        bind("left,h", "scroll_left", "left", bar=False),
        bind("right,l", "scroll_right", "right", bar=False),
        bind("pageup", "page_up", "page up", bar=False),
        bind("pagedown", "page_down", "page down", bar=False),
        bind("home,g", "scroll_home", "first line", bar=False),
        bind("end,G", "scroll_end", "last line", bar=False),
    ]
    COMPONENT_CLASSES = COMPONENTS | {"line-view--hit"}

    @dataclass
    class FollowChanged(Message):
        """Following began or ended."""

    def __init__(self, id: str | None = None, *, follow: bool = False, focusable: bool = True) -> None:
        super().__init__(id=id)
        self.can_focus = focusable
        self.follow = follow
        self._lines: tuple[Line, ...] = ()
        self._search = Search("", ())
        self._place = 0

    @property
    def search(self) -> Search:
        """What is looked for."""
        return self._search

    def show(self, lines: tuple[Line, ...]) -> None:
        """Show these lines from now on."""
        if lines == self._lines:
            return
        self._lines = lines
        width = max((sum(len(cell.text) for cell in line) for line in lines), default=0)
        self.virtual_size = Size(width, len(lines))
        if self._search.text:
            self._search = self._find(self._search.text)
        self.refresh()
        if self.follow:
            self.scroll_end(animate=False)

    def set_follow(self, follow: bool) -> None:
        """Keep the newest line in sight, or stay."""
        self.follow = follow
        if follow:
            self.scroll_end(animate=False)
        self.post_message(self.FollowChanged())

    def look_for(self, text: str) -> Search:
        """Mark a text and go to its last place."""
        self._search = self._find(text)
        self._place = len(self._search.hits) - 1
        self._go_to_place()
        self.refresh()
        return self._search

    def step(self, direction: int) -> int | None:
        """Go to the next (1) or previous (-1) hit, round the ends; its position among the hits, from 0."""
        if not self._search.hits:
            return None
        self._place = (self._place + direction) % len(self._search.hits)
        self._go_to_place()
        return self._place

    def render_line(self, y: int) -> Strip:
        """A visible line."""
        base = self.rich_style
        number = y + self.scroll_offset.y
        width = self.size.width
        if number >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[number]
        left = self.scroll_offset.x
        strip = paint(line, tone_styles(self), base, max(self.virtual_size.width, width))
        if self._search.text and number in self._search.hits:
            strip = self._mark(strip, "".join(cell.text for cell in line))
        return strip.crop_extend(left, left + width, base)

    def on_resize(self) -> None:
        """What follows its end still does, also after it was hidden."""
        if self.follow:
            self.scroll_end(animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Going up, by whatever means, ends following."""
        super().watch_scroll_y(old_value, new_value)
        if self.follow and new_value < min(old_value, self.max_scroll_y):
            self.set_follow(False)

    def _find(self, text: str) -> Search:
        wanted = text.lower()
        if not wanted:
            return Search("", ())
        lines = enumerate(self._lines)
        return Search(text, tuple(n for n, line in lines if wanted in "".join(cell.text for cell in line).lower()))

    def _go_to_place(self) -> None:
        if self._search.hits:
            self.set_follow(False)
            self.scroll_to(y=max(0, self._search.hits[self._place] - self.size.height // 2), animate=False)

    def _mark(self, strip: Strip, text: str) -> Strip:
        style: Style = self.get_component_rich_style("line-view--hit")
        wanted, length = self._search.text.lower(), len(self._search.text)
        start = text.lower().find(wanted)
        while start >= 0:
            before, hit, after = strip.divide([start, start + length, strip.cell_length])
            strip = Strip.join([before, Strip([Segment(hit.text, style)]), after])
            start = text.lower().find(wanted, start + length)
        return strip
