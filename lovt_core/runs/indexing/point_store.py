"""Metric points in the index: blocks of up to 1,024 of one run, metric and attempt, as little-endian arrays.

The newest points of a run that goes on stay plain rows until a block is full, so that a line a second does not write a
block a second. Both are in the order of the file that they come from.
"""

import math
import sqlite3
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lovt_core.runs.indexing.points import MAX_STEP, Batch, Points
from lovt_core.runs.records import Curve

BLOCK_POINTS = 1024
SYSTEM = "system/"
"""Metrics of that name tell of the machine; they come at the step of the moment and begin no attempt."""


class PointStore:
    """Reads and writes the points of one run's attempt, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, run_id: str, attempt: int) -> None:
        self._connection = connection
        self._run_id = run_id
        self._attempt = attempt

    def add(self, batch: Batch, ids: Mapping[str, int], pack_all: bool) -> None:
        """Append a batch; `ids` has the id of each of its metrics. With `pack_all` no plain row is left."""
        tails = self._tails()
        rows: list[tuple[Any, ...]] = []
        blocks: list[tuple[Any, ...]] = []
        for name in batch.columns:
            metric = ids[name]
            points, lines = batch.points(name)
            tail = tails.pop(metric, 0)
            if pack_all or tail + len(points) >= BLOCK_POINTS:
                points = self._join_tail(metric, points) if tail else points
                packed = len(points) if pack_all else len(points) - len(points) % BLOCK_POINTS
                blocks += self._pack(metric, points.part(0, packed))
                rest = len(points) - packed
                points, lines = points.part(packed, len(points)), lines[len(lines) - rest :]
            rows += self._rows(metric, points, lines)
        if pack_all:
            for metric in tails:
                blocks += self._pack(metric, self._join_tail(metric, Points()))
        self._connection.executemany("insert into blocks values (null,?,?,?,?,?,?,?,?,?,?,?,?)", blocks)
        self._connection.executemany("insert into points values (?,?,?,?,?,?,?,?)", rows)

    def _tails(self) -> dict[int, int]:
        """Number of plain rows of each metric."""
        query = "select metric, count(*) from points where run = ? and attempt = ? group by metric"
        return dict(map(tuple, self._connection.execute(query, (self._run_id, self._attempt))))

    def _join_tail(self, metric: int, points: Points) -> Points:
        """The metric's plain rows, which are removed, and those points behind them."""
        key = (self._run_id, metric, self._attempt)
        where = "from points where run = ? and metric = ? and attempt = ?"
        joined = _from_rows(self._connection.execute(f"select step, epoch, time, value {where} order by line", key))
        self._connection.execute(f"delete {where}", key)
        joined.extend(points)
        return joined

    def _rows(self, metric: int, points: Points, lines: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        for line, step, epoch, time, value in zip(lines, *points.arrays(), strict=True):
            yield self._run_id, metric, self._attempt, line, step, epoch, time, value

    def _pack(self, metric: int, points: Points) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(points), BLOCK_POINTS):
            part = points.part(start, start + BLOCK_POINTS)
            low, high = _limits(part.values)
            facts = (min(part.steps), max(part.steps), len(part), low, high)
            yield (self._run_id, metric, self._attempt, *facts, *map(_to_bytes, part.arrays()))


def _limits(values: "array[float]") -> tuple[float | None, float | None]:
    """Smallest and largest finite value."""
    low, high = min(values), max(values)
    if math.isfinite(low + high + sum(values)):
        return low, high
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else (None, None)


def _to_bytes(numbers: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _add_bytes(numbers: "array[Any]", content: bytes) -> None:
    if sys.byteorder == "big":
        part = array(numbers.typecode, content)
        part.byteswap()
        content = part.tobytes()
    numbers.frombytes(content)


def _from_rows(rows: Iterable[Sequence[Any]]) -> Points:
    """Plain rows as points; SQLite keeps a NaN as null."""
    steps, epochs, times, values = tuple(zip(*rows, strict=True)) or ((), (), (), ())
    return Points(
        array("q", steps),
        array("d", epochs),
        array("d", times),
        array("d", [math.nan if value is None else value for value in values]),
    )


def read_points(connection: sqlite3.Connection, run_id: str, metric: int) -> dict[int, Points]:
    """All points of a metric by attempt, each attempt as it was written."""
    found: dict[int, Points] = {}
    key = (run_id, metric)
    query = (
        "select attempt, steps, epochs, times, numbers from blocks where run = ? and metric = ? order by attempt, id"
    )
    for attempt, *contents in connection.execute(query, key):
        points = found.setdefault(attempt, Points())
        for numbers, content in zip(points.arrays(), contents, strict=True):
            _add_bytes(numbers, content)
    rows: dict[int, list[Sequence[Any]]] = {}
    query = "select attempt, step, epoch, time, value from points where run = ? and metric = ? order by attempt, line"
    for attempt, *row in connection.execute(query, key):
        rows.setdefault(attempt, []).append(row)
    for attempt, tail in rows.items():
        found.setdefault(attempt, Points()).extend(_from_rows(tail))
    return found


def read_curve(connection: sqlite3.Connection, run_id: str, name: str) -> Curve:
    """A metric over rising steps: attempt k is cut where attempt k + 1 began.

    An attempt may begin with the validation that the one before it, stopped at the end of an epoch, had still to do:
    both have that step then, and of a metric that both have, the newer value counts.
    """
    row = connection.execute("select id from metric_names where name = ?", (name,)).fetchone()
    attempts = read_points(connection, run_id, row[0]) if row else {}
    firsts = _first_steps(connection, run_id) if len(attempts) > 1 or 1 not in attempts else {}
    parts: list[Points] = []
    for attempt in sorted(attempts, reverse=True):
        points = _sorted(attempts[attempt])
        end = min((first for later, first in firsts.items() if later > attempt), default=MAX_STEP)
        end = bisect_right(points.steps, end)
        if parts:
            end = min(end, bisect_left(points.steps, parts[-1].steps[0]))
        start = bisect_left(points.steps, firsts.get(attempt, 0)) if attempt > 1 else 0
        if start < end:
            parts.append(points if (start, end) == (0, len(points)) else points.part(start, end))
    joined = parts.pop() if parts else Points()
    for part in reversed(parts):
        joined.extend(part)
    return Curve(name, *joined.arrays())


def _first_steps(connection: sqlite3.Connection, run_id: str) -> dict[int, int]:
    """With which step each attempt began, of those that have a metric of the training."""
    query = f"""
        with learned as (select id from metric_names where name not like '{SYSTEM}%'),
        firsts as (
            select attempt, first_step as first from blocks where run = ? and metric in learned
            union all select attempt, step from points where run = ? and metric in learned
        )
        select attempt, min(first) as first from firsts group by attempt"""  # noqa: S608 - a name of this file's own
    return {row["attempt"]: row["first"] for row in connection.execute(query, (run_id, run_id))}


def _sorted(points: Points) -> Points:
    """By rising steps, of equal ones the newest."""
    if points.is_rising():
        return points
    newest = {step: place for place, step in enumerate(points.steps)}
    places = [newest[step] for step in sorted(newest)]
    return Points(*(array(each.typecode, [each[place] for place in places]) for each in points.arrays()))
