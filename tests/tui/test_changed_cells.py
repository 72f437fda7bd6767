"""What is sent to the terminal: only what differs, and always enough."""

import random
import re

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from lovt_tui.changed_cells import TerminalMemory

WIDTH, HEIGHT = 24, 5
STYLES = (None, Style(color="red"), Style(bold=True, bgcolor="blue"))
CODE = re.compile(r"\x1b\[(?P<numbers>[\d;]*)(?P<what>[HCm])|(?P<character>[^\x1b])")
WIDE = "漢"
CONSOLE = Console(color_system="256", force_terminal=True)


class Terminal:
    """As much of a terminal as the codes need."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}
        self._x = self._y = 0
        self._style = ""

    def write(self, codes: str) -> None:
        assert "".join(match[0] for match in CODE.finditer(codes)) == codes
        for match in CODE.finditer(codes):
            numbers = match["numbers"]
            match match["what"]:
                case "H":
                    row, column = map(int, numbers.split(";"))
                    self._y, self._x = row - 1, column - 1
                case "C":
                    self._x += int(numbers)
                case "m":
                    self._style = "" if numbers == "0" else numbers
                case _ if match["character"] != "\n":
                    self._put(match["character"])

    def _put(self, character: str) -> None:
        width = 2 if character == WIDE else 1
        for place in range(width):
            self.cells[self._x + place, self._y] = (character if place == 0 else "", self._style)
        self._x += width


def make_line(chance: random.Random) -> Strip:
    """A line of `WIDTH` cells."""
    segments, left = [], WIDTH
    while left:
        text = chance.choice(("a", "b", " ", "abc   d", WIDE, "⣿─"))
        text = text if Segment(text).cell_length <= left else "x" * left
        segments.append(Segment(text, chance.choice(STYLES)))
        left -= segments[-1].cell_length
    return Strip(segments)


def whole(lines: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[line] for line in lines], Region(0, 0, WIDTH, len(lines)))


def send(memory: TerminalMemory, update: LayoutUpdate | ChopsUpdate) -> str:
    return memory.narrow(update).render_segments(CONSOLE)


def test_terminal_shows_what_was_drawn() -> None:
    chance = random.Random(1)
    memory, narrow, wide = TerminalMemory(), Terminal(), Terminal()
    lines = [make_line(chance) for _ in range(HEIGHT)]
    for _ in range(200):
        for _ in range(chance.randrange(3)):
            lines[chance.randrange(HEIGHT)] = make_line(chance)
        narrow.write(send(memory, whole(lines)))
        wide.write(whole(lines).render_segments(CONSOLE))
        assert narrow.cells == wide.cells


def test_pieces_of_lines() -> None:
    chance = random.Random(2)
    memory, narrow, wide = TerminalMemory(), Terminal(), Terminal()
    for _ in range(200):
        text = "".join(chance.choice("abc ") for _ in range(WIDTH))
        parts = {0: Strip([Segment(text[:10], chance.choice(STYLES))]), 10: Strip([Segment(text[10:])])}
        start = chance.randrange(WIDTH - 1)
        spans = [(chance.randrange(HEIGHT), 0 if start < 10 else 10, chance.randrange(start + 1, WIDTH + 1))]
        update = ChopsUpdate([parts] * HEIGHT, spans, [[10, WIDTH]] * HEIGHT)
        narrow.write(send(memory, update))
        wide.write(update.render_segments(CONSOLE))
        assert narrow.cells == wide.cells


def test_nothing_is_sent_twice() -> None:
    memory = TerminalMemory()
    lines = [Strip([Segment("loss 0.5012  step 10", Style(color="red"))])]
    assert "loss 0.5012  step 10" in send(memory, whole(lines))
    assert send(memory, whole(lines)) == ""
    changed = send(memory, whole([Strip([Segment("loss 0.5013  step 10", Style(color="red"))])]))
    assert changed == "\x1b[1;11H\x1b[31m3\x1b[0m"


def test_far_changes_of_a_line_are_skipped_to() -> None:
    memory = TerminalMemory()
    send(memory, whole([Strip([Segment("a" + " " * 20 + "b")])]))
    assert send(memory, whole([Strip([Segment("c" + " " * 20 + "d")])])) == "\x1b[1;1Hc\x1b[20Cd"


def test_what_was_forgotten_is_sent_again() -> None:
    memory = TerminalMemory()
    lines = [Strip([Segment("all of it")])]
    sent = send(memory, whole(lines))
    memory.forget()
    assert send(memory, whole(lines)) == sent


def test_other_updates_are_left_alone() -> None:
    memory = TerminalMemory()
    assert memory.narrow("text") == "text"
    assert memory.narrow(None) is None
