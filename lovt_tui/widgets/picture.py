"""A picture in half blocks: an image file, or pixels with marks on them and a line that says what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS, Cell, clean, fit
from lovt_tui.widgets.painting import paint, tone_styles

if TYPE_CHECKING:
    from lovt_core.data.prepared import Bytes
    from lovt_tui.pictures import Mark

Stamp = tuple[Path, int, int]


@dataclass(frozen=True)
class _Content:
    pixels: "Bytes"
    marks: "Bytes | None" = None
    legend: "tuple[Mark, ...]" = ()


class Picture(Widget):
    """As large as fits, in its own shape, in the middle; drawn again when the size changes.

    numpy and Pillow are loaded with the first picture, files are read in a thread. Without colour, or in ASCII, shades
    stand for the brightness and letters for the marks.
    """

    COMPONENT_CLASSES = COMPONENTS

    @dataclass
    class FileRead(Message):
        """A file was read, or cannot be."""

        stamp: Stamp
        pixels: "Bytes | None"
        problem: str = ""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._content: _Content | None = None
        self._text = ""
        self._stamp: Stamp | None = None
        self._drawn: list[list[Segment]] = []
        self._drawn_for: object = None

    def show_file(self, path: Path) -> None:
        """Show an image file; the very same file as before is not read again. One that cannot be read says so."""
        try:
            stat = path.stat()
        except OSError as error:
            self.show_text(f"cannot read {path.name}: {error.strerror}")
            return
        stamp = (path, stat.st_mtime_ns, stat.st_size)
        if stamp == self._stamp:
            return
        if self._stamp is None or self._stamp[0] != path:
            self.show_text(f"reading {path.name} …")
        self._stamp = stamp
        self.run_worker(partial(self._read, stamp), thread=True, exclusive=True, group="picture")

    def show_pixels(self, pixels: "Bytes", marks: "Bytes | None" = None, legend: "Sequence[Mark]" = ()) -> None:
        """Show (H, W) grey or (H, W, 3) pixels; `marks` (H, W): 0 nothing, i + 1 what entry i of `legend` says."""
        self._stamp = None
        now = self._content
        if now is None or now.pixels is not pixels or now.marks is not marks or now.legend != tuple(legend):
            self._take(_Content(pixels, marks, tuple(legend)))

    def show_text(self, text: str) -> None:
        """Say this instead of a picture."""
        self._stamp = None
        if self._content is not None or clean(text) != self._text:
            self._take(None, text)

    def clear(self) -> None:
        """Show nothing."""
        self.show_text("")

    @property
    def text(self) -> str:
        """What is said instead of a picture; empty while one is shown."""
        return "" if self._content is not None else self._text

    def _read(self, stamp: Stamp) -> None:
        from lovt_core.errors import LovtError
        from lovt_tui.widgets.picture_drawing import load_pixels

        try:
            self.post_message(self.FileRead(stamp, load_pixels(stamp[0])))
        except (LovtError, OSError) as error:
            self.post_message(self.FileRead(stamp, None, str(error)))

    def on_picture_file_read(self, event: FileRead) -> None:
        """Show it, unless something else is wanted by now."""
        event.stop()
        if event.stamp == self._stamp:
            self._take(None if event.pixels is None else _Content(event.pixels), event.problem)

    def _take(self, content: _Content | None, text: str = "") -> None:
        self._content, self._text = content, clean(text)
        self._drawn_for = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """A line of the picture, or of its legend."""
        base, width = self.rich_style, self.size.width
        if self._content is None:
            return paint([Cell(fit(f" {self._text}", width) if not y else "", "dim")], tone_styles(self), base, width)
        lines = self._lines(self._content)
        legend = self._legend(self._content)
        if legend and y == self.size.height - 1:
            return Strip(legend).adjust_cell_length(width, base)
        top = (self.size.height - bool(legend) - len(lines)) // 2
        if not 0 <= y - top < len(lines):
            return Strip.blank(width, base)
        line = lines[y - top]
        left = (width - sum(len(segment.text) for segment in line)) // 2
        drawn = [Segment(segment.text, segment.style or base) for segment in line]
        return Strip([Segment(" " * left, base), *drawn]).adjust_cell_length(width, base)

    def _lines(self, content: _Content) -> list[list[Segment]]:
        colour = has_half_blocks(self.app)
        wanted = (self.size, colour)
        if wanted != self._drawn_for:
            from lovt_tui.widgets.picture_drawing import draw_picture

            cells = (self.size.width, max(1, self.size.height - bool(self._legend(content))))
            self._drawn = draw_picture(content.pixels, content.marks, content.legend, cells, colour=colour)
            self._drawn_for = wanted
        return self._drawn

    def _legend(self, content: _Content) -> list[Segment]:
        """What the marks mean; nothing where there is no room beside the picture."""
        if not content.legend or self.size.height < 4:
            return []
        base, colour = self.rich_style, has_half_blocks(self.app)
        segments = [Segment(" ", base)]
        for mark in content.legend:
            style = base + _style_of(mark) if colour else base
            segments += [Segment("█" if colour else mark.letter, style), Segment(f" {mark.meaning}   ", base)]
        return segments


def _style_of(mark: "Mark") -> Style:
    from rich.color import Color

    return Style(color=Color.from_rgb(*mark.colour))


def has_half_blocks(app: App[object]) -> bool:
    """Whether pictures are drawn in colours: not with NO_COLOR, nor where every character is drawn in ASCII."""
    return not app.no_color and not getattr(app, "is_ascii", False)
