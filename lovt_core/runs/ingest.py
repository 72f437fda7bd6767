"""Taking complete lines of a run directory into the index, each exactly once."""

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.events import LAST_WORDS
from lovt_core.runs.lines import complete_lines, decode_number
from lovt_core.runs.records import is_smaller_better
from lovt_core.runs.state import RunState

MAX_BYTES = 4 * 1024 * 1024
"""Most that one transaction takes in."""


@dataclass
class Facts:
    """Columns of one run's row, as they change while lines are read."""

    columns: dict[str, Any] = field(default_factory=dict)
    latest: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)


class Ingester:
    """Writes the rows of one run inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, run: RunDirectory) -> None:
        self._connection = connection
        self._run = run
        rows = connection.execute("select id, name from metric_names").fetchall()
        self._metrics = {row["name"]: row["id"] for row in rows}

    def add_run(self) -> None:
        """Insert the row of a run that the index does not know; raises LovtError when the directory is damaged."""
        experiment = self._run.experiment()
        origin = {**self._run.origin()}
        origin["git"] = {"commit": origin.get("git", {}).get("commit")}
        created = self._run.created()
        self._connection.execute(
            "insert into runs (id, name, kind, created, experiment, origin, state, attempt, detail, stop_asked,"
            " step, unit, epoch, note, tags, latest, best, changed) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                *(self._run.id, experiment.name, experiment.kind, created),
                *(experiment.model_dump_json(by_alias=True), json.dumps(origin), "queued", 1, "", 0),
                *(0, "step", 0.0, "", "[]", "{}", "{}", 0),
            ),
        )

    def forget(self) -> None:
        """Remove all rows of the run."""
        for table, column in (("runs", "id"), ("files", "run"), ("events", "run"), ("points", "run")):
            self._connection.execute(f"delete from {table} where {column} = ?", (self._run.id,))  # noqa: S608

    def set_state(self, state: RunState) -> None:
        """Store the state as it was read."""
        self._connection.execute(
            "update runs set state = ?, attempt = ?, detail = ?, stop_asked = ? where id = ?",
            (state.state, state.attempt, state.detail, int(state.stop_asked), self._run.id),
        )

    def take_in(self, path: Path, attempt: int, offset: int) -> int:
        """Take in complete lines from `offset`, at most MAX_BYTES; the new offset."""
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(MAX_BYTES)
            lines, length = complete_lines(content)
            if length == 0 and len(content) == MAX_BYTES:
                length = MAX_BYTES
            stat = path.stat()
        facts = self._load_facts()
        points: list[tuple[Any, ...]] = []
        events: list[tuple[Any, ...]] = []
        for number, line in enumerate(lines):
            if line.get("event") == "metrics":
                points.extend(self._points(line, attempt))
                _note_metrics(facts, line)
            else:
                events.append(self._event(line, attempt, offset + number))
                _note_event(facts, line, attempt)
        self._connection.executemany("insert or replace into points values (?,?,?,?,?,?,?)", points)
        self._connection.executemany("insert or replace into events values (?,?,?,?,?,?)", events)
        self._store_facts(facts)
        self._connection.execute(
            "insert or replace into files values (?,?,?,?,?)",
            (self._run.id, path.name, offset + length, offset + len(content), stat.st_ino),
        )
        return offset + length

    def _points(self, line: dict[str, Any], attempt: int) -> list[tuple[Any, ...]]:
        step, epoch, time = int(line["step"]), float(line.get("epoch", 0.0)), float(line["t"])
        return [
            # SQLite turns NaN into null: non-finite values stay the words they are written as.
            (self._run.id, self._metric(name), attempt, step, epoch, time, value)
            for name, value in line.get("values", {}).items()
        ]

    def _event(self, line: dict[str, Any], attempt: int, number: int) -> tuple[Any, ...]:
        data = {key: value for key, value in line.items() if key not in ("t", "event")}
        return (self._run.id, attempt, number, line.get("t"), line.get("event"), json.dumps(data))

    def _metric(self, name: str) -> int:
        if name not in self._metrics:
            cursor = self._connection.execute("insert into metric_names (name) values (?)", (name,))
            self._metrics[name] = cursor.lastrowid
        return int(self._metrics[name])

    def _load_facts(self) -> Facts:
        row = self._connection.execute(
            "select latest, best, first_step from runs where id = ?", (self._run.id,)
        ).fetchone()
        return Facts({"first_step": row["first_step"]}, json.loads(row["latest"]), json.loads(row["best"]))

    def _store_facts(self, facts: Facts) -> None:
        columns = {**facts.columns, "latest": json.dumps(facts.latest), "best": json.dumps(facts.best)}
        names = ", ".join(f"{name} = ?" for name in columns)
        self._connection.execute(
            f"update runs set {names} where id = ?",  # noqa: S608 - names are this file's own
            (*columns.values(), self._run.id),
        )


def _note_metrics(facts: Facts, line: dict[str, Any]) -> None:
    step, time = int(line["step"]), float(line["t"])
    if facts.columns["first_step"] is None:
        facts.columns.update(first_step=step, first_step_time=time)
    facts.columns.update(step=step, epoch=line.get("epoch", 0.0), updated=time, unit="step")
    if "total" in line:
        facts.columns["total"] = line["total"]
    for name, value in line.get("values", {}).items():
        facts.latest[name] = value
        if name.startswith("val/") and not isinstance(value, str):
            best = facts.best.get(name)
            if best is None or (value < best if is_smaller_better(name) else value > best):
                facts.best[name] = value


def _note_event(facts: Facts, line: dict[str, Any], attempt: int) -> None:
    time, kind = line.get("t"), line.get("event")
    facts.columns["updated"] = time
    match kind:
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
        case word if word in LAST_WORDS:
            facts.columns["ended"] = time


def number(value: float | str | None) -> float:
    """A stored metric value as a number."""
    return float("nan") if value is None else decode_number(value)
