"""From rows of the index to the frozen values that readers get."""

import json
import sqlite3
from sys import intern

from lovt_core.runs.indexing.documents import DocumentReader
from lovt_core.runs.indexing.points import read_number
from lovt_core.runs.records import RunRow, StandingAlarm

RUN_QUERY = "select runs.*, experiment, origin from runs join documents on documents.run = runs.id"


def build_row(row: sqlite3.Row, documents: DocumentReader) -> RunRow:
    """The run of one row of `RUN_QUERY`; raises ValueError when the row is damaged."""
    latest = {
        intern(name): number
        for name, value in json.loads(row["latest"]).items()
        if (number := read_number(value)) is not None
    }
    return RunRow(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        state=row["state"],
        attempt=row["attempt"],
        detail=row["detail"],
        stop_asked=bool(row["stop_asked"]),
        created=row["created"],
        started=row["started"],
        ended=row["ended"],
        updated=row["updated"],
        done=row["step"],
        total=row["total"],
        unit=row["unit"],
        note=row["note"],
        epoch=row["epoch"],
        seconds_left=_seconds_left(row),
        host=row["host"] or "",
        slot=row["slot"] or "",
        tags=tuple(json.loads(row["tags"])),
        latest=latest,
        best={intern(name): value for name, value in json.loads(row["best"]).items()},
        experiment=documents.read(row["experiment"]),
        origin=documents.read(row["origin"]),
        cause=row["cause"] or "",
        remark=row["remark"] or "",
        priority=row["priority"] or 0,
        group=row["repeats"] or "",
        alarms=tuple(StandingAlarm(*each) for each in json.loads(row["alarms"])),
    )


def _seconds_left(row: sqlite3.Row) -> float | None:
    """From the pace of the current attempt; None where nothing is known."""
    if row["state"] != "running" or not row["total"] or row["first_step"] is None or row["updated"] is None:
        return None
    steps = row["step"] - row["first_step"]
    if steps <= 0:
        return None
    pace: float = (row["updated"] - row["first_step_time"]) / steps
    left: float = (row["total"] - row["step"]) * pace
    return max(0.0, left)
