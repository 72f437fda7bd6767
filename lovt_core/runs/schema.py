"""Tables of the index. An index of another version is thrown away and built again, so there are no migrations."""

import sqlite3
import time
from pathlib import Path

VERSION = 2

BUSY_SECONDS = 5.0
"""How long to wait for others."""

TABLES: dict[str, dict[str, type]] = {
    "runs": {
        "id": str, "name": str, "kind": str, "created": float, "experiment": str, "origin": str,
        "state": str, "attempt": int, "detail": str, "stop_asked": int, "home": int,
        "step": int, "total": int, "unit": str, "epoch": float, "note": str,
        "started": float, "ended": float, "updated": float, "first_step": int, "first_step_time": float,
        "host": str, "slot": str, "tags": str, "latest": str, "best": str, "changed": int,
    },
    "files": {"run": str, "name": str, "offset": int, "size": int, "inode": int},
    "events": {"run": str, "attempt": int, "line": int, "time": float, "kind": str, "data": str},
    "metric_names": {"id": int, "name": str},
    "meta": {"key": str, "value": int},
}  # fmt: skip
KEYS: dict[str, str | tuple[str, ...]] = {
    "runs": "id", "files": ("run", "name"), "events": ("run", "attempt", "line"), "metric_names": "id", "meta": "key",
}  # fmt: skip
POINTS = """
create table if not exists points (
    run text, metric integer, attempt integer, step integer, epoch real, time real, value real,
    primary key (run, metric, attempt, step)
) without rowid
"""


def open_database(path: Path) -> sqlite3.Connection:
    """A connection to the index at `path`, built empty when missing, damaged or of another version."""
    connection = _connect(path)
    try:
        if connection.execute("pragma user_version").fetchone()[0] == VERSION:
            return connection
        _create(connection)
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise
        connection.close()
        discard(path)
        connection = _connect(path)
        _create(connection)
    return connection


def discard(path: Path) -> None:
    """Remove an index and SQLite's files beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Change to a write-ahead log; SQLite does not wait for others here, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _create(connection: sqlite3.Connection) -> None:
    import sqlite_utils  # 0.15 s that a reader of an index that is there already need not wait

    _write_ahead(connection)
    connection.execute("begin immediate")
    try:
        if connection.execute("pragma user_version").fetchone()[0] != VERSION:
            database = sqlite_utils.Database(connection)
            for name in [*TABLES, "points"]:
                connection.execute(f"drop table if exists {name}")
            for name, columns in TABLES.items():
                database[name].create(columns, pk=KEYS[name])
            connection.execute(POINTS)
            connection.execute("insert into meta values ('change', 0)")
            connection.execute(f"pragma user_version = {VERSION}")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
