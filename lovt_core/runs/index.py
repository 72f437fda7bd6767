"""The index: a SQLite cache of all run directories of a workspace, built from them by whoever reads.

Nothing is lost with it. `sync` takes in what is new; a busy index is served as it is.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from lovt_core.errors import InputError, LovtError
from lovt_core.runs.directory import RunDirectory, find_run, list_runs
from lovt_core.runs.ingest import Ingester, number
from lovt_core.runs.records import Curve, EventRow, RunRow, StoredResult
from lovt_core.runs.schema import discard, open_database
from lovt_core.runs.state import RunState, read_state
from lovt_core.runs.workspace import Workspace

T = TypeVar("T")


class Index:
    """One reader's view of the index; use it from one thread at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._connection = open_database(workspace.index)
        self._broken: dict[str, str] = {}

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    @property
    def broken(self) -> dict[str, str]:
        """Run directories that could not be read at the last sync, with the reason."""
        return dict(self._broken)

    def change(self) -> int:
        """A number that grows whenever anything in the index has changed."""
        return int(self._connection.execute("select value from meta where key = 'change'").fetchone()[0])

    def sync(self) -> bool:
        """Take in what is new in the run directories; whether anything was. Rebuilds a damaged index."""
        try:
            return self._sync()
        except sqlite3.OperationalError as error:
            if any(word in str(error) for word in ("locked", "busy", "readonly", "full")):
                return False
            self._rebuild()
        except sqlite3.DatabaseError:
            self._rebuild()
        return self._sync()

    def _rebuild(self) -> None:
        self._connection.close()
        discard(self.workspace.index)
        self._connection = open_database(self.workspace.index)

    def _sync(self) -> bool:
        known = {row["id"]: row for row in self._connection.execute("select id, state, attempt, stop_asked from runs")}
        offsets = self._offsets()
        runs = list_runs(self.workspace)
        self._broken = {}
        changed = False
        for run in runs:
            try:
                changed |= self._sync_run(run, known.get(run.id), offsets.get(run.id, {}))
            except FileNotFoundError:
                continue  # removed while we looked: the next sync forgets it
            except (LovtError, ValueError, KeyError) as error:
                self._broken[run.id] = str(error)
        for gone in known.keys() - {run.id for run in runs}:
            with self._writing():
                Ingester(self._connection, RunDirectory(self.workspace.runs / gone)).forget()
            changed = True
        return changed

    def _offsets(self) -> dict[str, dict[str, tuple[int, int]]]:
        offsets: dict[str, dict[str, tuple[int, int]]] = {}
        for row in self._connection.execute("select run, name, size, inode from files"):
            offsets.setdefault(row["run"], {})[row["name"]] = (row["size"], row["inode"])
        return offsets

    def _sync_run(self, run: RunDirectory, row: sqlite3.Row | None, offsets: dict[str, tuple[int, int]]) -> bool:
        control_size = run.control.stat().st_size
        settled = row is not None and row["state"] not in ("queued", "launched", "running")
        if (
            settled
            and offsets.get("control.jsonl", (0, 0))[0] == control_size
            and not self._has_news(run, row, offsets)
        ):
            return False
        state = read_state(run)
        news = row is None or _differs(row, state) or self._has_news(run, row, offsets)
        if not news:
            return False
        if any(_was_replaced(run.path / name, *seen) for name, seen in offsets.items() if name != "control.jsonl"):
            with self._writing():
                Ingester(self._connection, run).forget()
            row = None
        self._take_in(run, state, control_size, new=row is None)
        return True

    def _has_news(self, run: RunDirectory, row: sqlite3.Row | None, offsets: dict[str, tuple[int, int]]) -> bool:
        attempts = range(1, (row["attempt"] if row else 1) + 1)
        return any(_file_state(run.events(n)) != offsets.get(run.events(n).name, (0, 0)) for n in attempts)

    def _take_in(self, run: RunDirectory, state: RunState, control_size: int, new: bool) -> None:
        """Rows of one run in transactions of at most 4 MiB; the state comes with the last one."""
        with self._writing():
            known = self._connection.execute("select 1 from runs where id = ?", (run.id,)).fetchone()
            ingester = Ingester(self._connection, run)
            if known is None:
                ingester.add_run()
            elif new:
                return  # another reader was faster
        for attempt in range(1, state.attempt + 1):
            while self._take_in_some(run, attempt):
                pass
        with self._writing():
            ingester = Ingester(self._connection, run)
            ingester.set_state(state)
            self._connection.execute(
                "insert or replace into files values (?, 'control.jsonl', ?, ?, 0)",
                (run.id, control_size, control_size),
            )

    def _take_in_some(self, run: RunDirectory, attempt: int) -> bool:
        """One transaction on one event file, from the offset read inside it; whether more may be there."""
        path = run.events(attempt)
        if not path.exists():
            return False
        with self._writing():
            row = self._connection.execute(
                "select offset from files where run = ? and name = ?", (run.id, path.name)
            ).fetchone()
            offset = row["offset"] if row else 0
            return Ingester(self._connection, run).take_in(path, attempt, offset) > offset

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("begin immediate")
        try:
            yield
            self._connection.execute("update meta set value = value + 1 where key = 'change'")
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def runs(self) -> list[RunRow]:
        """All runs, newest first."""
        return [_run_row(row) for row in self._connection.execute("select * from runs order by created desc")]

    def run(self, text: str) -> RunRow:
        """The run of that id, prefix or name; raises InputError when there is none or several."""
        run_id = find_run(self.workspace, text).id
        row = self._connection.execute("select * from runs where id = ?", (run_id,)).fetchone()
        if row is None:
            raise InputError(f"run {run_id} cannot be read: {self._broken.get(run_id, 'not in the index yet')}")
        return _run_row(row)

    def metric_names(self, run_id: str) -> list[str]:
        """Names of all metrics of a run, sorted."""
        query = "select name from metric_names where id in (select distinct metric from points where run = ?)"
        return sorted(row["name"] for row in self._connection.execute(query, (run_id,)))

    def curve(self, run_id: str, metric: str) -> Curve:
        """A metric over steps: attempt k is cut where attempt k + 1 began.

        An attempt may begin with the validation that the one before it, stopped at the end of an epoch, had still to
        do: both have that step then, and of a metric that both have, the newer value counts.
        """
        query = (
            "select attempt, step, epoch, time, value from points where run = ? and metric ="
            " (select id from metric_names where name = ?) order by attempt desc, step desc"
        )
        kept: list[sqlite3.Row] = []
        first_of_next: dict[int, int] = self._first_steps(run_id)
        for row in self._connection.execute(query, (run_id, metric)):
            limit = min((step for attempt, step in first_of_next.items() if attempt > row["attempt"]), default=None)
            is_replaced = bool(kept) and row["step"] >= kept[-1]["step"]
            if not is_replaced and (limit is None or row["step"] <= limit):
                kept.append(row)
        kept.reverse()
        return Curve(
            metric,
            tuple(row["step"] for row in kept),
            tuple(row["epoch"] for row in kept),
            tuple(row["time"] for row in kept),
            tuple(number(row["value"]) for row in kept),
        )

    def _first_steps(self, run_id: str) -> dict[int, int]:
        query = "select attempt, min(step) as first from points where run = ? group by attempt"
        return {row["attempt"]: row["first"] for row in self._connection.execute(query, (run_id,))}

    def events(self, run_id: str, kind: str | None = None) -> list[EventRow]:
        """Events of a run other than metrics, in order; of one kind when given."""
        query = "select attempt, time, kind, data from events where run = ? and (? is null or kind = ?)"
        rows = self._connection.execute(f"{query} order by attempt, line", (run_id, kind, kind))
        return [EventRow(row["attempt"], row["time"], row["kind"], json.loads(row["data"])) for row in rows]

    def results(self, run_id: str | None = None) -> list[StoredResult]:
        """Results of one evaluation run, or of all, oldest first."""
        rows = self._connection.execute(
            "select events.run, runs.name, events.attempt, events.data from events join runs on runs.id = events.run"
            " where events.kind = 'result' and (? is null or events.run = ?)"
            " order by events.run, events.attempt, events.line",
            (run_id, run_id),
        )
        return [StoredResult(row["run"], row["name"], row["attempt"], json.loads(row["data"])["data"]) for row in rows]


def reading(workspace: Workspace, look: Callable[[Index], T]) -> T:
    """Open, sync, look and close."""
    index = Index(workspace)
    try:
        index.sync()
        return look(index)
    finally:
        index.close()


def _file_state(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (stat.st_size, stat.st_ino)


def _was_replaced(path: Path, seen: int, inode: int) -> bool:
    size, now = _file_state(path)
    return size < seen or (inode != 0 and now != inode)


def _differs(row: sqlite3.Row, state: RunState) -> bool:
    return (row["state"], row["attempt"], bool(row["stop_asked"])) != (state.state, state.attempt, state.stop_asked)


def _run_row(row: sqlite3.Row) -> RunRow:
    latest = {name: number(value) for name, value in json.loads(row["latest"]).items()}
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
        best=json.loads(row["best"]),
        experiment=json.loads(row["experiment"]),
        origin=json.loads(row["origin"]),
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
