"""`control.jsonl`: what managers asked of a run. Written under a lock, each record naming its attempt."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from lovt_core.errors import RecordError
from lovt_core.runs.lines import append_line, read_lines
from lovt_core.runs.locks import holding

Operation = Literal[
    "queued", "launch", "stop", "cancel", "kill", "exited", "take", "priority", "name", "tags", "note", "trial"
]  # fmt: skip


@dataclass(frozen=True)
class ControlRecord:
    """One line: `operation` on `attempt`, with details that depend on the operation."""

    operation: Operation
    attempt: int
    time: float
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The line as written."""
        return {"t": self.time, "op": self.operation, "attempt": self.attempt, **self.details}


def record(operation: Operation, attempt: int, **details: Any) -> ControlRecord:
    """A record of now."""
    return ControlRecord(operation, attempt, time.time(), details)


def read_control(path: Path) -> tuple[ControlRecord, ...]:
    """All complete records; operations of later versions are skipped."""
    records = []
    for line in read_lines(path):
        operation: Any = line.get("op")
        attempt = line.get("attempt")
        if operation in get_args(Operation) and isinstance(attempt, int):
            details = {key: value for key, value in line.items() if key not in ("t", "op", "attempt")}
            records.append(ControlRecord(operation, attempt, float(line.get("t", 0.0)), details))
    return tuple(records)


def append_control(path: Path, *records: ControlRecord) -> None:
    """Append records in one write; the caller holds the control lock. Raises RecordError when the disk refuses."""
    try:
        append_line(path, *(item.to_json() for item in records))
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def deciding(run: Path) -> Iterator[None]:
    """Hold a run's control lock: read again, decide, append."""
    with holding(run / "control.lock"):
        yield


@dataclass(frozen=True)
class Labels:
    """What people have written on a run since it was created; the newest word counts."""

    name: str | None = None
    """Another name than the experiment's."""
    tags: tuple[str, ...] = ()
    note: str = ""
    priority: int = 0
    """Runs of a higher one start first."""


def read_labels(records: Iterable[ControlRecord]) -> Labels:
    """The labels that control records leave."""
    labels = Labels()
    for item in records:
        match item.operation, item.details:
            case "name", {"name": str(name)}:
                labels = replace(labels, name=name)
            case "tags", {"tags": list(tags)}:
                labels = replace(labels, tags=tuple(str(tag) for tag in tags))
            case "note", {"note": str(note)}:
                labels = replace(labels, note=note)
            case "priority" | "queued", {"priority": int(priority)}:
                labels = replace(labels, priority=priority)
    return labels
