"""The rows of a form as lines: under headings that fold, or those that fit what is looked for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lovt_tui.formatting import Cell, clean, fit, plural

if TYPE_CHECKING:
    from lovt_tui.forms.views import Row

SIGN_WIDTH = 2
HELP_FROM = 96
"""Cells from which on there is room for what a key means."""
KEY_SHARE, MAX_KEY = 0.48, 52


@dataclass(frozen=True)
class Heading:
    """Above the rows of a group."""

    title: str
    num_rows: int
    num_changed: int
    num_problems: int
    is_folded: bool

    @property
    def id(self) -> str:
        """Unlike any row's."""
        return f"#{self.title}"


def arrange(rows: "Sequence[Row]", folded: Collection[str], wanted: str) -> "tuple[Heading | Row, ...]":
    """Headings with their rows, folded ones without; with `wanted` those whose key has it, folded or not."""
    lines: list[Heading | Row] = []
    for title, group in groupby(rows, key=lambda row: row.group):
        below = [row for row in group if wanted.lower() in f"{row.key} {row.group}".lower()]
        if not below:
            continue
        is_folded = title in folded and not wanted
        changed, wrong = sum(row.is_changed for row in below), sum(bool(row.problem) for row in below)
        lines.append(Heading(title, len(below), changed, wrong, is_folded))
        lines += [] if is_folded else below
    return tuple(lines)


def heading_cells(width: int) -> list[Cell]:
    """Titles of the columns."""
    key, value, help_width = _widths(width)
    titles = [fit("", SIGN_WIDTH), fit("key", key), " ", fit("value", value)]
    return [Cell("".join(titles), "dim"), Cell(f"  {fit('what it means', help_width)}" if help_width else "", "dim")]


def line_cells(line: "Heading | Row", width: int) -> list[Cell]:
    """A heading or a key, in exactly `width` cells."""
    return _heading_line(line, width) if isinstance(line, Heading) else _row_line(line, width)


def _heading_line(line: Heading, width: int) -> list[Cell]:
    told = [plural(line.num_rows, "key")] if line.is_folded else []
    told += [f"{line.num_changed} changed"] if line.num_changed else []
    told += [f"✘ {line.num_problems} wrong"] if line.num_problems else []
    title = f"{'▸' if line.is_folded else '▾'} {line.title}"
    rest = f"  {' · '.join(told)}" if told else ""
    tone = "error" if line.num_problems else "dim"
    return [Cell(title, "strong"), Cell(fit(rest, max(0, width - cell_len(title))), tone)]


def _row_line(row: "Row", width: int) -> list[Cell]:
    key, value, help_width = _widths(width)
    sign, tone = ("✘", "error") if row.problem else ("*", "accent") if row.is_changed else (" ", "")
    if row.search:
        text, value_tone = f"~ {row.search}", "good"
    else:
        text, value_tone = row.text, "accent" if row.is_changed else "dim" if row.field.value is None else ""
    note = row.problem or row.field.help or row.field.wanted
    if row.problem and not help_width:
        room = max(0, value - cell_len(clean(text)) - 1)
        told = fit(f" ✘ {clean(row.problem)}", room) if room > SIGN_WIDTH else fit("", room)
        cells = [Cell(fit(clean(text), min(value, cell_len(clean(text)) + 1)), value_tone), Cell(told, "error")]
    else:
        cells = [Cell(fit(clean(text), value), value_tone)]
    if help_width:
        shown = f"✘ {clean(note)}" if row.problem else clean(note)
        cells.append(Cell(f"  {fit(shown, help_width)}", "error" if row.problem else "dim"))
    return [Cell(fit(sign, SIGN_WIDTH), tone), Cell(f"{fit_end(clean(row.key), key)} "), *cells]


def _widths(width: int) -> tuple[int, int, int]:
    """Of key, value and meaning; the last is 0 where there is no room for it."""
    room = width - SIGN_WIDTH - 1
    if width < HELP_FROM:
        key = round(room * KEY_SHARE)
        return key, room - key, 0
    key = min(MAX_KEY, round(room * 0.36))
    value = min(44, round(room * 0.32))
    return key, value, room - key - value - 2


def fit_end(text: str, width: int) -> str:
    """`text` in exactly `width` cells; of what does not fit the end stays."""
    if cell_len(text) <= width:
        return fit(text, width)
    return "…" + text[len(text) - width + 1 :] if width > 0 else ""
