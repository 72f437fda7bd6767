"""The index: a SQLite cache of all run directories of a workspace, built from them by whoever reads.

Nothing is lost with it. `sync` takes in what is new; a busy index, or one on a full disk, is served as it is. One that
was removed or damaged while it was open is built again.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lovt_core.errors import InputError, LovtError
from lovt_core.runs.indexing.documents import DocumentReader
from lovt_core.runs.indexing.event_rows import read_events, read_results
from lovt_core.runs.indexing.known import UNKNOWN, Known, read_known, read_known_active
from lovt_core.runs.indexing.point_store import read_curve
from lovt_core.runs.indexing.run_rows import RUN_QUERY, build_row
from lovt_core.runs.indexing.schema import discard, inode_of, is_damage, open_database
from lovt_core.runs.indexing.stamps import list_names, read_change_time, take_stamp
from lovt_core.runs.records import Curve, EventRow, RunRow, StoredResult
from lovt_core.runs.states import State
from lovt_core.runs.workspace import Workspace

if TYPE_CHECKING:
    from lovt_core.runs.control import ControlRecord
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.state import RunState

T = TypeVar("T")
DAMAGED_RUN = (LovtError, ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What a run directory raises that cannot be read; it is named in `Index.broken`, the others are served."""
AT_WORK: tuple[State, ...] = ("launched", "running")
"""States that end with a lock that is set free, which no file shows."""
ROWS_A_QUERY = 500
Progress = Callable[[int, int], object]
"""Is told how many of how many runs were looked at."""


class Index:
    """One reader's view of the index; use it from one thread at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._broken: dict[str, str] = {}
        self._rows: dict[str, tuple[int, RunRow]] = {}
        self._build_row = partial(build_row, documents=DocumentReader())
        self._folder_time: int | None = None
        self._active: tuple[int, dict[str, Known]] = (-1, {})
        self._open()

    def _open(self) -> None:
        path = self.workspace.index
        self._connection = open_database(path)
        is_file = self._connection.execute("pragma database_list").fetchone()["file"] != ""
        self._path: Path | None = path if is_file else None
        self._inode = inode_of(path)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    @property
    def broken(self) -> dict[str, str]:
        """Run directories that could not be read at the last sync, with the reason."""
        return dict(self._broken)

    def change(self) -> int:
        """A number that is another one whenever anything in the index has changed."""
        return int(self._all("select value from meta where key = 'change'")[0]["value"])

    def sync(self, on_progress: Progress | None = None) -> bool:
        """Take in what is new in the run directories; whether anything was. Newest runs come first."""
        try:
            self._reopen_if_replaced()
            return self._sync(on_progress)
        except sqlite3.Error as error:
            if not is_damage(error):
                return False
        self.rebuild()
        try:
            return self._sync(on_progress)
        except sqlite3.Error as error:
            if is_damage(error):
                raise
            return False

    def sync_active(self) -> bool:
        """As `sync`, of the runs only that were not at their end last time; of all where a directory came or went.

        What is written on an ended run (a tag, a request to go on) waits for the next `sync`. On thousands of runs this
        costs a hundredth.
        """
        try:
            self._reopen_if_replaced()
            if read_change_time(self.workspace.runs) != self._folder_time:
                return self._sync(None)
            known = self._read_active()
            broken = {name: reason for name, reason in self._broken.items() if name not in known}
            changed, found = self._sync_runs(known, known, None)
            self._broken = broken | found
            return changed
        except sqlite3.Error as error:
            return is_damage(error) and self.sync()

    def _read_active(self) -> dict[str, Known]:
        """What is known of the runs that were not at their end; kept while nothing in the index has changed."""
        change = self._connection.execute("select value from meta where key = 'change'").fetchone()["value"]
        if change != self._active[0]:
            self._active = change, read_known_active(self._connection)
        return self._active[1]

    def rebuild(self) -> None:
        """Throw the index away, for all who have it open; the next `sync` builds it."""
        if self._path is not None:
            discard(self._path, self._inode)
        self._reopen()

    def _reopen_if_replaced(self) -> None:
        if self._path is not None:
            self._connection.execute("pragma shrink_memory")  # what is cached would hide that the file was overwritten
            if inode_of(self._path) != self._inode:
                self._reopen()

    def _reopen(self) -> None:
        self._connection.close()
        self._rows = {}
        self._folder_time = None
        self._active = -1, {}
        self._open()

    def _sync(self, on_progress: Progress | None) -> bool:
        folder_time = read_change_time(self.workspace.runs)
        known = read_known(self._connection)
        names = sorted(list_names(self.workspace.runs), reverse=True)
        changed, self._broken = self._sync_runs(names, known, on_progress)
        for gone in known.keys() - set(names):
            changed |= self._forget(gone)
        self._folder_time = folder_time
        return changed

    def _sync_runs(
        self, names: Collection[str], known: Mapping[str, Known], on_progress: Progress | None
    ) -> tuple[bool, dict[str, str]]:
        """Take in those of which there may be news; whether there were any, and which cannot be read."""
        folder = str(self.workspace.runs)
        broken: dict[str, str] = {}
        changed = False
        for number, name in enumerate(names, 1):
            seen = known.get(name, UNKNOWN)
            if seen.state in AT_WORK or seen.stamp != take_stamp(folder, name, seen.attempt):
                try:
                    changed |= self._sync_run(name, seen)
                except FileNotFoundError:
                    continue  # removed while we looked: the next sync forgets it
                except DAMAGED_RUN as error:
                    broken[name] = str(error)
            if on_progress is not None:
                on_progress(number, len(names))
        return changed, broken

    def _sync_run(self, name: str, seen: Known) -> bool:
        """Take in a directory of which there may be news; whether there were any."""
        from lovt_core.runs.directory import ID, RunDirectory  # reads pydantic, which a listing can do without
        from lovt_core.runs.state import compute_state, read_evidence

        run = RunDirectory(self.workspace.runs / name)
        if not ID.fullmatch(name) or not (run.path / "experiment.yaml").exists():
            return self._forget(name)
        state, attempt = None, seen.attempt
        while state is None or state.attempt != attempt:
            attempt = state.attempt if state else attempt
            stamp = take_stamp(str(self.workspace.runs), name, attempt)  # before anything is read: later news show
            evidence = read_evidence(run)
            state = compute_state(evidence)
        if seen == Known(stamp, state.state, attempt, state.stop_asked, state.detail):
            return False
        self._take_in(run, state, evidence.control, stamp)
        return True

    def _take_in(self, run: "RunDirectory", state: "RunState", control: "Sequence[ControlRecord]", stamp: str) -> None:
        """Rows of one run in transactions of at most 4 MiB; the state comes with the last one."""
        from lovt_core.runs.indexing.ingest import Ingester

        is_whole = False
        while not is_whole:
            with self._writing() as change:
                ingester = Ingester(self._connection, run, change)
                ingester.begin()
                is_whole = ingester.take_in(state.attempt, state.is_active)
                if is_whole:
                    ingester.set_state(state, control, stamp)

    def _forget(self, name: str) -> bool:
        """Remove what is known of a run that is no longer there; whether anything was."""
        from lovt_core.runs.indexing.ingest import forget

        if self._connection.execute("select 1 from runs where id = ?", (name,)).fetchone() is None:
            return False
        with self._writing():
            forget(self._connection, name)
        return True

    @contextmanager
    def _writing(self) -> Iterator[int]:
        """A transaction; yields the number of this change."""
        self._connection.execute("begin immediate")
        try:
            self._connection.execute("update meta set value = value + 1 where key = 'change'")
            yield int(self._connection.execute("select value from meta where key = 'change'").fetchone()[0])
            self._connection.execute("commit")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has ended it already
                self._connection.execute("rollback")
            raise

    def look(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """What `read` finds in the index as it is at one moment; in one built again where this one is damaged."""
        try:
            return self._look(read)
        except (sqlite3.Error, ValueError) as error:
            if isinstance(error, sqlite3.Error) and not is_damage(error):
                raise
        self.rebuild()
        self._sync(None)
        return self._look(read)

    def _look(self, read: Callable[[sqlite3.Connection], T]) -> T:
        self._connection.execute("begin")
        try:
            return read(self._connection)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("rollback")

    def _all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self.look(lambda connection: connection.execute(query, values).fetchall())

    def count(self) -> int:
        """Number of runs."""
        return int(self._all("select count(*) from runs")[0][0])

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """All runs, or so many of the newest, newest first. Only those that changed since the last call are read."""
        return self.look(lambda connection: self._read_runs(connection, limit))

    def _read_runs(self, connection: sqlite3.Connection, limit: int | None) -> list[RunRow]:
        query = "select id, changed from runs order by created desc, id desc limit ?"
        order = dict(map(tuple, connection.execute(query, (-1 if limit is None else limit,))))
        fresh = [run_id for run_id, changed in order.items() if self._rows.get(run_id, (None,))[0] != changed]
        for start in range(0, len(fresh), ROWS_A_QUERY):
            ids = fresh[start : start + ROWS_A_QUERY]
            query = f"{RUN_QUERY} where id in ({', '.join('?' * len(ids))})"
            self._rows.update(
                (row["id"], (row["changed"], self._build_row(row))) for row in connection.execute(query, ids)
            )
        if limit is None and len(self._rows) > len(order):
            self._rows = {run_id: self._rows[run_id] for run_id in order}
        return [self._rows[run_id][1] for run_id in order]

    def run(self, text: str) -> RunRow:
        """The run of that id, prefix or name; raises InputError when there is none or several."""
        from lovt_core.runs.directory import find_run

        run_id = find_run(self.workspace, text).id
        found = self.look(
            lambda connection: list(map(self._build_row, connection.execute(f"{RUN_QUERY} where id = ?", [run_id])))
        )
        if not found:
            raise InputError(f"run {run_id} cannot be read: {self._broken.get(run_id, 'not in the index yet')}")
        return found[0]

    def metric_names(self, run_id: str) -> list[str]:
        """Names of all metrics of a run, sorted."""
        rows = self._all("select latest from runs where id = ?", run_id)
        return sorted(json.loads(rows[0]["latest"])) if rows else []

    def curve(self, run_id: str, metric: str) -> Curve:
        """A metric over steps: attempt k is cut where k + 1 began; of a step that both have, the newer counts."""
        return self.look(lambda connection: read_curve(connection, run_id, metric))

    def events(self, run_id: str, kind: str | None = None) -> list[EventRow]:
        """Events of a run other than metrics, in order; of one kind when given."""
        return self.look(lambda connection: read_events(connection, run_id, kind))

    def results(self, run_id: str | None = None) -> list[StoredResult]:
        """Results of one evaluation run, or of all, oldest first."""
        return self.look(lambda connection: read_results(connection, run_id))


def reading(workspace: Workspace, look: Callable[[Index], T]) -> T:
    """Open, sync, look and close."""
    index = Index(workspace)
    try:
        index.sync()
        return look(index)
    finally:
        index.close()
