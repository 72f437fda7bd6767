"""For terminals and locales without Unicode: every character is drawn as one of ASCII, in the same place."""

import locale

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

BRAILLE = range(0x2800, 0x2900)
LOOKS = {
    "─": "-", "━": "-", "│": "|", "┃": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┌": "+", "┐": "+", "└": "+",
    "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+", "▸": ">", "▾": "v", "…": "~", "±": "~", "·": "-",
    "×": "x", "◆": "o", "◐": "q", "◔": "l", "●": "*", "✔": "+", "✘": "x", "■": "s", "▽": "v", "▲": "!", "○": "-",
    "█": "#", "▓": "#", "▒": "=", "░": ".", "▀": "^", "▄": "_", "▌": "|", "▐": "|", "↑": "^", "↓": "v", "←": "<",
    "→": ">", "∞": "8", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"', "µ": "u", "≤": "<", "≥": ">", "▔": "-",
    "▁": "_", "▎": "|", "▊": "|", "⭘": "o", "✕": "x", "▼": "v", "◉": "*", "⏎": "<", "†": "+",
    "◇": ".", "◀": "<", "▶": ">", "▂": "_", "▃": "_", "▅": "=", "▆": "#", "▇": "#", "▏": "|",
    "▍": "|", "▋": "|", "▉": "#", "▕": "|",
}  # fmt: skip


class AsciiFilter(LineFilter):
    """Draws every line in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, in the same width."""
        return [
            segment if segment.text.isascii() else Segment(to_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def to_ascii(text: str) -> str:
    """`text` in as many cells, all of them ASCII."""
    return "".join(map(_look, text))


def _look(character: str) -> str:
    if character.isascii():
        return character
    if (code := ord(character)) in BRAILLE:
        dots = (code - BRAILLE.start).bit_count()
        return " " if not dots else "." if dots < 3 else ":" if dots < 6 else "#"
    return LOOKS.get(character, "?" * cell_len(character))


def needs_ascii() -> bool:
    """Whether the locale has no Unicode."""
    return locale.nl_langinfo(locale.CODESET).lower().replace("-", "") != "utf8"
