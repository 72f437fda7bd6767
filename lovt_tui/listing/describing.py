"""What happened to a run, as lines to read."""

import json
import time
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from lovt_tui.formatting import (
    Cell,
    clean,
    format_duration,
    format_number,
    format_progress,
    format_score,
    format_state,
    label_run,
)
from lovt_tui.reading.snapshot import RunDetail, Score
from lovt_tui.widgets.line_view import Line

if TYPE_CHECKING:
    from lovt_core.runs.records import EventRow, RunRow

EVENT_TONES = {
    "alarm": "warning", "failed": "error", "interrupted": "warning", "stopped": "warning", "finished": "good",
    "result": "strong", "progress": "dim", "note": "dim",
}  # fmt: skip
SHORT_CLOCK = "%H:%M:%S"
"""Where there is little room."""
SHOWN_TOGETHER = ("progress", "saved")
"""Kinds of which only the newest in a row is shown."""


def heading_cells(row: "RunRow") -> tuple[Line, Line]:
    """Two lines: which run and in what state; how far and where."""
    state = format_state(row)
    first = [
        state,
        Cell("  "),
        Cell(label_run(row), "strong"),
        Cell(f"  {clean(row.subject)}"),
        Cell(f"  {row.id}", "dim"),
    ]
    parts = [f"attempt {row.attempt}"] if row.attempt > 1 else []
    if row.total:
        parts.append(f"{row.unit} {row.done}/{row.total}")
    if row.epoch:
        parts.append(f"epoch {row.epoch:.2f}")
    if row.seconds_left is not None:
        parts.append(f"{format_duration(row.seconds_left)} left")
    if row.started and row.ended:
        parts.append(f"took {format_duration(row.ended - row.started)}")
    parts += [clean(text) for text in (row.slot, row.host) if text]
    bar = format_progress(row, 16)
    second = [Cell(f"{bar}  " if bar else ""), Cell(" · ".join(parts), "dim")]
    if row.note and not row.detail and (row.kind == "evaluate" or not row.done):
        second.append(Cell(f" · {clean(row.note)}", "dim"))
    return tuple(first), tuple(second)


def describe_reason(row: "RunRow") -> tuple[str, str]:
    """What is to be said of a run's state and its tone: why it ended or waits, else its newest alarm that holds."""
    if row.alarms and row.state not in ("failed", "lost", "queued"):
        return clean(f"! {row.alarms[-1].message}"), "warning"
    return clean(row.detail), format_state(row).tone


def event_lines(events: "tuple[EventRow, ...]", clock_format: str = "%d %b %H:%M:%S") -> tuple[Line, ...]:
    """Each event in its own line, a traceback below the one that carries it."""
    lines: list[Line] = []
    row: list[EventRow] = []
    for event, following in zip_longest(events, events[1:]):
        row.append(event)
        if event.kind in SHOWN_TOGETHER and following is not None and following.kind == event.kind:
            continue
        said, row = _event_text(event.kind, event.data) + _describe_row(row), []
        clock = time.strftime(clock_format, time.localtime(event.time))
        cells = [Cell(f"{clock}  ", "dim"), Cell(f"{clean(event.kind):<9} ", EVENT_TONES.get(event.kind, ""))]
        attempt = f"#{event.attempt} " if event.attempt > 1 else ""
        lines.append((*cells, Cell(attempt + said)))
        trace = str(event.data.get("traceback", "")).rstrip()
        lines += [(Cell("    " + clean(text), "dim"),) for text in trace.split("\n") if text]
    return tuple(lines)


def _describe_row(row: "list[EventRow]") -> str:
    """How many checkpoints were saved in a row, of which the newest is shown, and which of them was the best last."""
    if row[-1].kind != "saved" or len(row) == 1:
        return ""
    best = next((each.data.get("checkpoint") for each in reversed(row) if each.data.get("is_best")), None)
    named = f", best {best}" if best not in (None, row[-1].data.get("checkpoint")) else ""
    return clean(f"; {len(row)} in a row{named}")


def score_lines(scores: tuple[Score, ...]) -> tuple[Line, ...]:
    """Finished tasks of an evaluation; the numbers first, for a narrow pane cuts the end of a line."""
    width = max((len(score.task) for score in scores), default=0)
    return tuple(
        (
            Cell(f"{format_score(score.mean, score.ci95):<15} ", "good"),
            Cell(f"{clean(score.task):<{width}}  "),
            Cell(clean(score.metric), "dim"),
        )
        for score in scores
    )


def fact_lines(row: "RunRow", scores: tuple[Score, ...], detail: RunDetail | None) -> tuple[Line, ...]:
    """A run that has no curves: its results, and what happened unless that stands beside in place of an empty log."""
    lines: list[Line] = [*score_lines(scores)]
    if detail is not None and detail.log:
        lines += event_lines(detail.events, SHORT_CLOCK)
    if not lines:
        waiting = {"queued": "waits for a free slot", "launched": "its worker is starting"}
        nothing = "no results yet" if row.kind == "evaluate" else "no metrics yet"
        lines.append((Cell(waiting.get(row.state, nothing), "dim"),))
    return tuple(lines)


def log_lines(detail: RunDetail) -> tuple[Line, ...]:
    """The log, and what of it was left out."""
    if not detail.log:
        return ((Cell("The worker has printed nothing so far.", "dim"),),)
    lines: tuple[Line, ...] = tuple((Cell(text),) for text in detail.log)
    if detail.log_cut_bytes:
        kilobytes = detail.log_cut_bytes // 1024
        return ((Cell(f"({kilobytes} kB before this are in log.txt)", "dim"),), *lines)
    return lines


def config_lines(text: str) -> tuple[Line, ...]:
    """YAML with its keys set off from its values."""
    return tuple(_config_line(line) for line in text.rstrip().split("\n"))


def _config_line(line: str) -> Line:
    line = clean(line)
    if line.lstrip().startswith("#"):
        return (Cell(line, "dim"),)
    key, colon, value = line.partition(":")
    return (Cell(key + colon, "accent"), Cell(value)) if colon else (Cell(line),)


def _event_text(kind: str, data: dict[str, Any]) -> str:
    match kind:
        case "started":
            versions = data.get("versions", {})
            torch = f", torch {versions['torch']}" if "torch" in versions else ""
            return clean(f"on {data.get('host', '')} {data.get('slot', '')}, process {data.get('pid')}{torch}")
        case "saved":
            marks = [name for name in ("last", "best") if data.get(f"is_{name}")]
            return clean(
                f"checkpoint {data.get('checkpoint')} at step {data.get('step')} ({', '.join(marks) or 'kept'})"
            )
        case "progress":
            total = f"/{data['total']}" if data.get("total") else ""
            return clean(f"{data.get('unit', '')} {data.get('done')}{total} {data.get('note', '')}")
        case "alarm" | "note":
            return clean(str(data.get("message", "")))
        case "result":
            return _result_text(data.get("data", {}))
        case "failed":
            return clean(str(data.get("error", "")))
        case "finished" | "stopped" | "pruned" | "interrupted":
            return ""
        case _:
            return clean(json.dumps(data, ensure_ascii=False))


def _result_text(data: dict[str, Any]) -> str:
    """The telling part of an evaluation's result, whatever its type."""
    match data:
        case {"type": "cell", "task": task, "metric": metric, "mean": float(mean)}:
            return clean(f"{task}: {metric} {format_score(mean, data.get('ci95'))}")
        case {"type": "replicate", "task": task, "replicate": replicate, "metric": metric, "value": float(value)}:
            return clean(f"{task}: replicate {replicate} {metric} {format_number(value)}")
        case {"type": "rate", "task": task, "learning_rate": rate, "validation": float(value)}:
            return clean(f"{task}: learning rate {rate} validation {format_number(value)}")
        case {"type": "search", "task": task, "chosen": rate}:
            return clean(f"{task}: learning rate {rate} chosen")
        case _:
            return clean(json.dumps(data, ensure_ascii=False))
