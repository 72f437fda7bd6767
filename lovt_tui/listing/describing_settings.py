"""What a run was to do and what it left behind, as lines to read."""

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from lovt_tui.formatting import Cell, clean, fit, format_bytes, format_duration, format_number, format_space, label_run
from lovt_tui.reading.snapshot import Gauge, RunDetail, RunFile
from lovt_tui.widgets.line_view import Line
from lovt_tui.widgets.wrapping import wrap_line

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

MAX_KEY_WIDTH = 40
MIN_VALUE_WIDTH = 12
"""Where two values have less room beside their key, they stand below it."""
INDENT = 2
TIMINGS = ("time/", "system/")
"""What begins the names of figures that are about the machine."""


def diff_lines(first: "RunRow", second: "RunRow", width: int) -> tuple[Line, ...]:
    """Settings and facts that differ, and all metrics, side by side in `width` cells."""
    from lovt_core.runs.indexing.differences import compare_runs

    found = compare_runs(first, second, (None, None))
    lines = _side_by_side("", (label_run(first), label_run(second)), width, "strong")
    for title, differences in (("settings", found.settings), ("metrics", found.metrics), ("facts", found.facts)):
        lines.append((Cell(title, "accent"),))
        for each in differences:
            lines += _side_by_side(each.key, (_value_text(each.first), _value_text(each.second)), width)
        if not differences:
            lines.append((Cell("  no difference", "dim"),))
    return tuple(lines)


def _side_by_side(key: str, values: tuple[str, str], width: int, tone: str = "") -> list[Line]:
    """A key and two values in columns; each goes on below itself."""
    key_width = min(MAX_KEY_WIDTH, width // 2)
    value_width = (width - INDENT - key_width - 1) // 2 - 1
    blank = Cell(" " * INDENT)
    if value_width >= MIN_VALUE_WIDTH:
        columns = [_column(key, key_width, "dim"), *(_column(value, value_width, tone) for value in values)]
        return [(blank, *cells) for cells in _beside(columns)]
    above = [(blank, cell) for cell in _column(key, width - INDENT - 1, "dim")] if key else []
    columns = [_column(value, width // 2 - INDENT - 1, tone) for value in values]
    return [*above, *((blank, blank, *cells) for cells in _beside(columns))]


def _column(text: str, width: int, tone: str) -> list[Cell]:
    """A text in as many cells below one another as it needs, each `width` wide and one more as a gap."""
    lines = wrap_line((Cell(clean(text)),), width)
    return [Cell(fit("".join(cell.text for cell in line), width) + " ", tone) for line in lines]


def _beside(columns: Sequence[list[Cell]]) -> list[Line]:
    """Columns as lines; where one has ended stand blanks."""
    blanks = [Cell(" " * cell_len(column[0].text)) for column in columns]
    rows = range(max(map(len, columns)))
    return [
        tuple(column[row] if row < len(column) else blank for column, blank in zip(columns, blanks, strict=True))
        for row in rows
    ]


def _value_text(value: Any) -> str:
    match value:
        case None:
            return "-"
        case float() if not math.isfinite(value) or abs(value) < 1e6:
            return format_number(value)
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def checkpoint_lines(detail: RunDetail) -> tuple[Line, ...]:
    """Checkpoints with what was said when they were saved, then all artifacts, with their sizes."""
    said = [event.data for event in detail.events if event.kind == "saved"]
    saved = {str(data.get("checkpoint")): data for data in said}
    newest = {mark: _find_newest(said, mark) for mark in ("last", "best")}
    lines: list[Line] = []
    for file in detail.files:
        folder, _, name = file.path.partition("/")
        if folder != "checkpoints":
            name = ""
        marks = [mark for mark, checkpoint in newest.items() if name and checkpoint == name]
        lines.append(_file_line(file, saved.get(name, {}), marks))
    total = sum(file.num_bytes for file in detail.files)
    if not lines:
        return ((Cell("Nothing is saved yet.", "dim"),),)
    return (*lines, (Cell(f"{format_space(total):>8}  in all", "dim"),))


def _find_newest(said: Sequence[dict[str, Any]], mark: str) -> str:
    """The checkpoint that was saved as `last` or `best` after all others; empty without one."""
    return next((str(data.get("checkpoint")) for data in reversed(said) if data.get(f"is_{mark}")), "")


def _file_line(file: RunFile, said: dict[str, Any], marks: Sequence[str]) -> Line:
    step = f"step {said['step']}" if "step" in said else ""
    size = f"{format_space(file.num_bytes):>8}  "
    about = "  " + " ".join((step, *marks))
    return (Cell(size, "dim"), Cell(clean(file.path)), Cell(about, "good" if marks else "dim"))


def system_lines(row: "RunRow", gauges: Sequence[Gauge]) -> tuple[Line, ...]:
    """Where it runs, how fast, and how busy the machine is."""
    lines = [_fact("host", row.host), _fact("device", row.slot), _fact("attempt", str(row.attempt))]
    if row.started is not None and row.updated is not None:
        lines.append(_fact("at work for", format_duration((row.ended or row.updated) - row.started)))
    if row.seconds_left is not None:
        lines.append(_fact("left", format_duration(row.seconds_left)))
    names = [name for name in sorted(row.latest) if name.startswith(TIMINGS) or name.startswith("train/learning")]
    lines += [_fact(name, format_number(row.latest[name])) for name in names]
    for gauge in gauges:
        load = "" if gauge.load_percent is None else f"{gauge.load_percent} % busy, "
        power = "" if gauge.power_watts is None else f", {gauge.power_watts} W"
        memory = f"{format_bytes(gauge.memory_used)} of {format_bytes(gauge.memory_total)} GB{power}"
        lines.append(_fact(f"{gauge.name} now", load + memory))
    return tuple(lines)


def metric_lines(row: "RunRow") -> tuple[Line, ...]:
    """Newest and best value of every metric."""
    width = max((len(name) for name in row.latest), default=0)
    lines: list[Line] = []
    for name in sorted(row.latest):
        best = f"  best {format_number(row.best[name])}" if name in row.best else ""
        newest = format_number(row.latest[name])
        lines.append((Cell(f"{clean(name):<{width}}  ", "dim"), Cell(newest), Cell(best, "good")))
    return tuple(lines) or ((Cell("No metrics yet.", "dim"),),)


def _fact(name: str, value: str) -> Line:
    return (Cell(f"{name:<26} ", "dim"), Cell(clean(value) or "-"))
