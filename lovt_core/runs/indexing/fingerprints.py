"""What an attempt has logged, boiled down: equal fingerprints mean the same points and events in the same order."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lovt_core.runs.indexing.ingest import POINT_EVENTS, encode_data, is_event
from lovt_core.runs.indexing.point_store import read_points
from lovt_core.runs.indexing.points import Batch, Points, is_metric_line, read_number

LINES_A_BATCH = 10_000


@dataclass
class Fingerprint:
    """Of a series: how long it is, and a digest of each of its columns."""

    count: int = 0
    digests: tuple[Any, ...] = field(default_factory=lambda: tuple(hashlib.blake2b(digest_size=16) for _ in range(4)))

    def add(self, points: Points) -> None:
        """Go on with these points."""
        self.count += len(points)
        for digest, numbers in zip(self.digests, points.arrays(), strict=True):
            digest.update(numbers.tobytes())

    def add_event(self, moment: float, kind: str, data: str) -> None:
        """Go on with this event."""
        self.count += 1
        self.digests[0].update(json.dumps([float(moment), kind, data]).encode())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and self._values() == other._values()

    def _values(self) -> tuple[object, ...]:
        return self.count, *(digest.digest() for digest in self.digests)


@dataclass
class FileContent:
    """What an event file says up to some byte, and what is wrong with its lines."""

    series: dict[str, Fingerprint] = field(default_factory=dict)
    """By metric; events under the empty name."""
    faults: list[str] = field(default_factory=list)
    complete_bytes: int = 0
    torn_bytes: int = 0
    """Behind the last complete line."""


def read_file(path: Path, taken: int) -> FileContent:
    """Look at all lines of a file, and at what those within its first `taken` bytes say."""
    content, batch = FileContent(), Batch()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                content.torn_bytes = len(line)
                break
            content.complete_bytes += len(line)
            record, fault = parse_line(line)
            if fault:
                content.faults.append(f"{path.name}:{number}: {fault}")
            if content.complete_bytes <= taken:
                _add(content, batch, number, record)
            if number % LINES_A_BATCH == 0:
                batch = _flush(content, batch)
    _flush(content, batch)
    return content


def parse_line(line: bytes) -> tuple[dict[str, Any], str]:
    """The record in a complete line of an event file, and what is wrong with it: nothing, or a few words."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}, "is not JSON"
    if not isinstance(record, dict):
        return {}, "is not a JSON object"
    if record.get("event") not in POINT_EVENTS:
        return record, "" if is_event(record) else "is no event: it needs a time and a kind"
    if not is_metric_line(record):
        return record, "is no metric line: it needs a time, a step and values"
    broken = [name for name, value in record["values"].items() if read_number(value) is None]
    return record, f"{broken[0]} is no number" if broken else ""


def _add(content: FileContent, batch: Batch, number: int, record: dict[str, Any]) -> None:
    if record.get("event") in POINT_EVENTS:
        batch.add(number, record)
    elif is_event(record):
        event = content.series.setdefault("", Fingerprint())
        event.add_event(record["t"], record["event"], encode_data(record))


def _flush(content: FileContent, batch: Batch) -> Batch:
    for name in batch.columns:
        points, _ = batch.points(name)
        if len(points):
            content.series.setdefault(name, Fingerprint()).add(points)
    return Batch()


def read_index(connection: sqlite3.Connection, run_id: str) -> dict[int, dict[str, Fingerprint]]:
    """What the index holds of a run, by attempt; series as in `FileContent`."""
    found: dict[int, dict[str, Fingerprint]] = {}
    for metric, name in _metrics(connection, run_id):
        for attempt, points in read_points(connection, run_id, metric).items():
            found.setdefault(attempt, {}).setdefault(name, Fingerprint()).add(points)
    query = "select attempt, time, kind, data from events where run = ? order by attempt, line"
    for attempt, moment, kind, data in connection.execute(query, (run_id,)):
        found.setdefault(attempt, {}).setdefault("", Fingerprint()).add_event(moment, kind, data)
    return found


def _metrics(connection: sqlite3.Connection, run_id: str) -> Iterator[tuple[int, str]]:
    used = "select metric from blocks where run = ? union select metric from points where run = ?"
    query = f"select id, name from metric_names where id in ({used}) order by id"  # noqa: S608 - this function's own
    return map(tuple, connection.execute(query, (run_id, run_id)).fetchall())
