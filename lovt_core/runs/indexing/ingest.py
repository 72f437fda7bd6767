"""Taking complete lines of a run directory into the index, each exactly once."""

import json
import math
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lovt_core.config.metrics import find_direction
from lovt_core.runs.control import ControlRecord, read_labels
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.events import LAST_WORDS
from lovt_core.runs.indexing.point_store import PointStore
from lovt_core.runs.indexing.points import Batch, Column, read_number
from lovt_core.runs.lines import complete_lines
from lovt_core.runs.state import RunState
from lovt_core.runs.terms import read_terms

MAX_BYTES = 4 * 1024 * 1024
"""Most that one transaction takes in."""
MAX_ALARMS = 20
"""Newest ones of a run that are kept as such."""
POINT_EVENTS = ("metrics", "system")
"""Events whose values become points."""


@dataclass
class Facts:
    """Columns of one run's row, as they change while lines are read."""

    columns: dict[str, Any] = field(default_factory=dict)
    latest: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)
    alarms: list[list[Any]] = field(default_factory=list)
    """[time, message, topic] of those that still hold."""


@dataclass(frozen=True)
class Offset:
    """How far a file was taken in."""

    offset: int = 0
    size: int = 0
    """Bytes it was seen to have."""
    inode: int = 0


class Ingester:
    """Writes the rows of one run inside the caller's transaction, which is change number `change` of the index."""

    def __init__(self, connection: sqlite3.Connection, run: RunDirectory, change: int) -> None:
        self._connection = connection
        self._run = run
        self._change = change

    def begin(self) -> None:
        """Insert the row of a run that the index does not know, anew if one of its files was cut or replaced.

        Raises LovtError when the directory is damaged.
        """
        known = self._connection.execute("select 1 from runs where id = ?", (self._run.id,)).fetchone()
        if known is not None and any(_was_replaced(self._run.path / name, seen) for name, seen in self._files()):
            forget(self._connection, self._run.id)
            known = None
        if known is None:
            self._add_run()

    def _files(self) -> list[tuple[str, Offset]]:
        rows = self._connection.execute("select name, offset, size, inode from files where run = ?", (self._run.id,))
        return [(row["name"], Offset(row["offset"], row["size"], row["inode"])) for row in rows]

    def _add_run(self) -> None:
        origin = {**self._run.origin()}
        git = origin.get("git", {})
        origin["git"] = {"commit": git.get("commit"), "dirty": bool(git.get("patch"))}
        self._connection.execute(
            "insert into runs (id, created, state, attempt, stop_asked, stamp, detail, step, unit, epoch, note, tags,"
            " latest, best, alarms) values (?, ?, 'queued', 1, 0, '', '', 0, 'step', 0.0, '', '[]', '{}', '{}', '[]')",
            (self._run.id, self._run.created()),
        )
        self._connection.execute("insert into documents values (?, '{}', ?, -1)", (self._run.id, json.dumps(origin)))
        self._store_experiment()

    def _store_experiment(self) -> None:
        experiment = self._run.document()
        self._connection.execute(
            "update runs set kind = ?, name = ? where id = ?", (experiment["kind"], experiment["name"], self._run.id)
        )
        self._connection.execute(
            "update documents set experiment = ? where run = ?", (json.dumps(experiment), self._run.id)
        )

    def set_state(self, state: RunState, control: Sequence[ControlRecord], stamp: str) -> None:
        """Store the state and the labels as they were read, after the files of that stamp."""
        self._follow_control(control)
        labels = read_labels(control)
        document = self._connection.execute(
            "select experiment from documents where run = ?", (self._run.id,)
        ).fetchone()
        columns = {
            "name": labels.name or json.loads(document["experiment"])["name"],
            "tags": json.dumps(labels.tags),
            "remark": labels.note,
            "priority": labels.priority,
            "repeats": read_terms(control).group,
            "state": state.state,
            "attempt": state.attempt,
            "detail": state.detail,
            "cause": state.cause,
            "stop_asked": int(state.stop_asked),
            "stamp": stamp,
        }
        self._update(columns)

    def _follow_control(self, control: Sequence[ControlRecord]) -> None:
        """Read the experiment again where a later attempt may have been told to change it."""
        seen = self._connection.execute("select control_size from documents where run = ?", (self._run.id,)).fetchone()
        if seen["control_size"] != len(control):
            if seen["control_size"] >= 0 and read_terms(control).settings:
                self._store_experiment()
            self._connection.execute(
                "update documents set control_size = ? where run = ?", (len(control), self._run.id)
            )

    def take_in(self, num_attempts: int, is_active: bool) -> bool:
        """Take in what is new in the event files, at most MAX_BYTES; whether that was all there is."""
        left = MAX_BYTES
        for attempt in range(1, num_attempts + 1):
            left -= self._take_in_file(attempt, left, is_over=attempt < num_attempts or not is_active)
            if left <= 0:
                return False
        return True

    def _take_in_file(self, attempt: int, limit: int, is_over: bool) -> int:
        """Take in complete lines of one file from the offset read now, at most `limit` bytes; how many were read."""
        path = self._run.events(attempt)
        seen = next((seen for name, seen in self._files() if name == path.name), Offset())
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                file.seek(seen.offset)
                content = file.read(limit)
        except FileNotFoundError:
            return 0
        lines, length = complete_lines(content)
        if length == 0 and len(content) == limit:
            if limit < MAX_BYTES:
                return limit  # the line may fit into the next transaction
            length = limit  # no event is that long
        self._store(lines, attempt, seen.offset, pack_all=is_over or length < stat.st_size - seen.offset - MAX_BYTES)
        self._connection.execute(
            "insert or replace into files values (?, ?, ?, ?, ?)",
            (self._run.id, path.name, seen.offset + length, max(stat.st_size, seen.offset + len(content)), stat.st_ino),
        )
        return len(content)

    def _store(self, lines: list[dict[str, Any]], attempt: int, offset: int, pack_all: bool) -> None:
        """Points, events and facts of new lines; `offset` makes their numbers unique in the file."""
        facts, batch = self._load_facts(), Batch()
        events: list[tuple[Any, ...]] = []
        for number, line in enumerate(lines, offset):
            if line.get("event") in POINT_EVENTS:
                if batch.add(number, line) and line["event"] == "metrics":
                    _note_progress(facts, line)
            elif is_event(line):
                events.append((self._run.id, attempt, number, line["t"], line["event"], encode_data(line)))
                _note_event(facts, line, attempt)
        for name, column in batch.columns.items():
            _note_values(facts, name, column)
        PointStore(self._connection, self._run.id, attempt).add(batch, self._metric_ids(batch.columns), pack_all)
        self._connection.executemany("insert into events values (?, ?, ?, ?, ?, ?)", events)
        if lines:
            documents = {"latest": facts.latest, "best": facts.best, "alarms": facts.alarms}
            self._update({**facts.columns, **{name: json.dumps(each) for name, each in documents.items()}})

    def _metric_ids(self, names: "dict[str, Column]") -> dict[str, int]:
        """Ids of these metrics; new ones get theirs."""
        self._connection.executemany(
            "insert or ignore into metric_names (name) values (?)", [(name,) for name in sorted(names)]
        )
        return {row["name"]: row["id"] for row in self._connection.execute("select id, name from metric_names")}

    def _load_facts(self) -> Facts:
        row = self._connection.execute(
            "select latest, best, alarms, first_step from runs where id = ?", (self._run.id,)
        ).fetchone()
        documents = (json.loads(row[name]) for name in ("latest", "best", "alarms"))
        return Facts({"first_step": row["first_step"]}, *documents)

    def _update(self, columns: dict[str, Any]) -> None:
        names = ", ".join(f"{name} = ?" for name in (*columns, "changed"))
        self._connection.execute(
            f"update runs set {names} where id = ?",  # noqa: S608 - names are this file's own
            (*columns.values(), self._change, self._run.id),
        )


def forget(connection: sqlite3.Connection, run_id: str) -> None:
    """Remove all rows of a run, inside the caller's transaction."""
    connection.execute("delete from runs where id = ?", (run_id,))
    for table in ("documents", "files", "events", "points", "blocks"):
        connection.execute(f"delete from {table} where run = ?", (run_id,))  # noqa: S608


def encode_data(line: dict[str, Any]) -> str:
    """What an event tells beside its time and kind, as JSON."""
    return json.dumps({key: value for key, value in line.items() if key not in ("t", "event")})


def is_event(line: dict[str, Any]) -> bool:
    """Whether a record has a time and a kind, as all lines of an event file; a progress counts in whole numbers."""
    counts = [line.get("done", 0), line.get("total") or 0] if line.get("event") == "progress" else []
    return (
        isinstance(line.get("t"), int | float)
        and isinstance(line.get("event"), str)
        and all(type(count) is int for count in counts)
    )


def _was_replaced(path: Path, seen: Offset) -> bool:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return True
    return stat.st_size < seen.size or stat.st_ino != seen.inode


def _note_progress(facts: Facts, line: dict[str, Any]) -> None:
    columns = facts.columns
    if columns["first_step"] is None:
        columns["first_step"], columns["first_step_time"] = line["step"], line["t"]
    columns["step"], columns["epoch"], columns["updated"] = line["step"], line.get("epoch", 0.0), line["t"]
    columns["unit"] = "step"
    if type(line.get("total")) is int:
        columns["total"] = line["total"]


def _note_values(facts: Facts, name: str, column: Column) -> None:
    """Newest value of a metric, as it was written; best one of those that are validated."""
    newest = next((value for value in reversed(column.values) if read_number(value) is not None), None)
    if newest is None:
        return
    facts.latest[name] = newest
    direction = find_direction(name)
    if name.startswith("val/") and direction is not None:
        numbers = [number for value in column.values if (number := read_number(value)) is not None]
        numbers = [number for number in (*numbers, facts.best.get(name, math.nan)) if math.isfinite(number)]
        if numbers:
            facts.best[name] = min(numbers) if direction == "min" else max(numbers)


def _note_event(facts: Facts, line: dict[str, Any], attempt: int) -> None:
    time = line["t"]
    facts.columns["updated"] = time
    match line["event"]:
        case "started":
            facts.columns.update(
                host=line.get("host", ""), slot=line.get("slot", ""), first_step=None, first_step_time=None, ended=None
            )
            if attempt == 1:
                facts.columns["started"] = time
        case "progress":
            if facts.columns["first_step"] is None and line.get("total"):  # without a total it only says what goes on
                facts.columns.update(first_step=line.get("done", 0), first_step_time=time)
            facts.columns.update(
                step=line.get("done", 0), total=line.get("total"), unit=line.get("unit", ""), note=line.get("note", "")
            )
        case "alarm" if "topic" in line:  # older records call notes alarms too: those stay among the events
            _note_alarm(facts.alarms, line)
        case "note":
            facts.alarms[:] = [alarm for alarm in facts.alarms if not alarm[2] or alarm[2] != line.get("ends")]
        case word if word in LAST_WORDS:
            facts.columns["ended"] = time


def _note_alarm(alarms: list[list[Any]], line: dict[str, Any]) -> None:
    """Add an alarm, unless an earlier attempt has said the same."""
    message, topic = (str(line.get(name, "")) for name in ("message", "topic"))
    if all((message, topic) != tuple(alarm[1:]) for alarm in alarms):
        alarms.append([line["t"], message, topic])
        del alarms[:-MAX_ALARMS]
