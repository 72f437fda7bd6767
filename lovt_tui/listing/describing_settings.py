"""What a run was to do and what it left behind, as lines to read."""

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lovt_tui.formatting import Cell, clean, fit, format_bytes, format_duration, format_number, label_run
from lovt_tui.reading.snapshot import Gauge, RunDetail, RunFile
from lovt_tui.widgets.line_view import Line

if TYPE_CHECKING:
    from lovt_core.runs.indexing.differences import Difference
    from lovt_core.runs.records import RunRow

KEY_WIDTH = 40
VALUE_WIDTH = 28
TIMINGS = ("time/", "system/")
"""What begins the names of figures that are about the machine."""


def diff_lines(first: "RunRow", second: "RunRow") -> tuple[Line, ...]:
    """Settings and facts that differ, and all metrics, side by side."""
    from lovt_core.runs.indexing.differences import compare_runs

    found = compare_runs(first, second, (None, None))
    lines: list[Line] = [_side_by_side("", label_run(first), label_run(second), "strong")]
    for title, differences in (("settings", found.settings), ("metrics", found.metrics), ("facts", found.facts)):
        lines.append((Cell(title, "accent"),))
        lines += [_difference_line(each) for each in differences]
        if not differences:
            lines.append((Cell("  no difference", "dim"),))
    return tuple(lines)


def _difference_line(each: "Difference") -> Line:
    return _side_by_side(each.key, _value_text(each.first), _value_text(each.second))


def _side_by_side(key: str, first: str, second: str, tone: str = "") -> Line:
    return (
        Cell(f"  {fit(clean(key), KEY_WIDTH)} ", "dim"),
        Cell(fit(clean(first), VALUE_WIDTH) + " ", tone),
        Cell(clean(second), tone),
    )


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
    saved = {str(event.data.get("checkpoint")): event.data for event in detail.events if event.kind == "saved"}
    lines: list[Line] = []
    for file in detail.files:
        folder, _, name = file.path.partition("/")
        lines.append(_file_line(file, saved.get(name, {}) if folder == "checkpoints" else {}))
    total = sum(file.num_bytes for file in detail.files)
    if not lines:
        return ((Cell("Nothing is saved yet.", "dim"),),)
    return (*lines, (Cell(f"{format_bytes(total):>8} GB in all", "dim"),))


def _file_line(file: RunFile, said: dict[str, Any]) -> Line:
    marks = [name for name in ("last", "best") if said.get(f"is_{name}")]
    step = f"step {said['step']}" if "step" in said else ""
    size = f"{file.num_bytes / 2**20:8.1f} MB  "
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
