"""What the terminal shows, so that only cells that look different now are sent to it."""

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Look = tuple[str, str]
"""A cell: its character with what combines with it (empty: the right half of a wide one), and its style's codes."""
Piece = tuple[int, int, Iterable[Segment]]
"""Column and row of a piece of a line, and its text."""
MAX_GAP = 8
"""Cells sent again rather than skipped: as many bytes as it takes to move the cursor."""
PLACE = "\0"


class TerminalMemory:
    """Remembers every cell that was sent; a cell that is not known is always sent."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Look | None]] = {}
        self._codes: dict[Style | None, str] = {None: PLACE}

    def forget(self) -> None:
        """The terminal may show anything: it was resized, or somebody else wrote to it."""
        self._rows = {}

    def narrow(self, update: "RenderableType | None") -> "RenderableType | None":
        """The same update, of which only what has changed is sent; what is not of the compositor is left as it is."""
        return ChangedCells(update, self) if isinstance(update, (LayoutUpdate, ChopsUpdate)) else update

    def send(self, pieces: Iterable[Piece], console: Console) -> str:
        """What makes the terminal show these pieces of lines."""
        system = console._color_system or ColorSystem.TRUECOLOR
        sent: list[str] = []
        for x, y, segments in pieces:
            looks = self._look_at(segments, system)
            row = self._rows.setdefault(y, [])
            row += [None] * (x + len(looks) - len(row))
            before = row[x : x + len(looks)]
            if before != looks:
                sent += _write_changes(looks, before, x, y)
                row[x : x + len(looks)] = looks
        return "".join(sent)

    def _look_at(self, segments: Iterable[Segment], system: ColorSystem) -> list[Look]:
        """Cell by cell."""
        looks: list[Look] = []
        for text, style, _ in segments:
            codes = self._codes.get(style)
            if codes is None:
                codes = self._codes[style] = Strip.render_style(style, PLACE, system)  # type: ignore[arg-type]
            if text.isascii():
                looks += [(character, codes) for character in text]
            else:
                _add_wide(looks, text, codes)
        return looks


class ChangedCells(CompositorUpdate):
    """An update of the compositor, compared with what the terminal shows at the moment when it is sent."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, memory: TerminalMemory) -> None:
        self._update = update
        self._memory = memory

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The whole update."""
        yield self._update

    def render_segments(self, console: Console) -> str:
        """The codes to send."""
        update = self._update
        pieces = _layout_pieces(update) if isinstance(update, LayoutUpdate) else _chops_pieces(update)
        return self._memory.send(pieces, console)


def _add_wide(looks: list[Look], text: str, codes: str) -> None:
    for character in text:
        width = cell_len(character)
        if width == 0 and looks:
            before, style = looks[-1]
            looks[-1] = before + character, style
        elif width:
            looks += [(character, codes), *[("", codes)] * (width - 1)]


def _write_changes(looks: list[Look], before: "list[Look | None]", x: int, y: int) -> Iterator[str]:
    """Runs of one style from their first to their last changed cell, unless a wide gap lies between."""
    cursor = -1
    for start, end in _find_spans(looks, before):
        if start != cursor:
            yield f"\x1b[{y + 1};{x + start + 1}H" if cursor < 0 else f"\x1b[{start - cursor}C"
        text = "".join(character for character, _ in looks[start:end])
        yield looks[start][1].replace(PLACE, text)
        cursor = end


def _find_spans(looks: list[Look], before: "list[Look | None]") -> list[tuple[int, int]]:
    """Where each run starts and ends; a wide character is in it as a whole."""
    spans: list[tuple[int, int]] = []
    for place, (new, old) in enumerate(zip(looks, before, strict=True)):
        if new == old:
            continue
        first, end = place, place + 1
        while first > 0 and not looks[first][0]:
            first -= 1
        while end < len(looks) and not looks[end][0]:
            end += 1
        if spans and _is_one_run(looks, spans[-1], first):
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        else:
            spans.append((first, end))
    return spans


def _is_one_run(looks: list[Look], span: tuple[int, int], first: int) -> bool:
    """Whether a changed cell stands near enough behind a run, in its style, as all between them."""
    start, end = span
    return first - end <= MAX_GAP and all(style == looks[first][1] for _, style in (looks[start], *looks[end:first]))


def _layout_pieces(update: LayoutUpdate) -> Iterator[Piece]:
    for y, line in enumerate(update.strips, update.region.y):
        yield update.region.x, y, [segment for strip in line for segment in strip]


def _chops_pieces(update: ChopsUpdate) -> Iterator[Piece]:
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=True):
            if strip is not None and x <= x2 and end > x1:
                yield x, y, strip.crop(0, min(end, x2) - x)
