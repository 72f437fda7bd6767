"""Events in the index, read again."""

import json
import sqlite3

from lovt_core.runs.records import EventRow, StoredResult


def read_events(connection: sqlite3.Connection, run_id: str, kind: str | None) -> list[EventRow]:
    """Events of a run other than metrics, in order; of one kind when given."""
    rows = connection.execute(
        "select attempt, time, kind, data from events where run = ? and (? is null or kind = ?) order by attempt, line",
        (run_id, kind, kind),
    )
    return [EventRow(row["attempt"], row["time"], row["kind"], json.loads(row["data"])) for row in rows]


def read_results(connection: sqlite3.Connection, run_id: str | None) -> list[StoredResult]:
    """Results of one evaluation run, or of all, oldest first."""
    rows = connection.execute(
        "select events.run, runs.name, events.attempt, events.data from events join runs on runs.id = events.run"
        " where events.kind = 'result' and (? is null or events.run = ?)"
        " order by events.run, events.attempt, events.line",
        (run_id, run_id),
    )
    return [StoredResult(row["run"], row["name"], row["attempt"], json.loads(row["data"])["data"]) for row in rows]
