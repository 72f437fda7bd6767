"""Tables of the index. An index of another version is thrown away and built again, so there are no migrations.

Metric points lie in `blocks`, up to 1,024 of one run, metric and attempt in a row; only the newest ones of a run that
goes on lie in `points`, a row each (point_store.py).
"""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from lovt_core.errors import RecordError
from lovt_core.runs.locks import holding

VERSION = 5

BUSY_SECONDS = 5.0
"""How long to wait for others."""
BUSY = ("BUSY", "LOCKED")
PASSING = (*BUSY, "READONLY", "FULL", "IOERR", "CANTOPEN", "PROTOCOL", "NOMEM")
"""SQLite's names of errors that say nothing against the file."""

TABLES = """
create table runs (
    id text primary key, name text, kind text, created real, state text, attempt integer, stop_asked integer,
    stamp text, changed integer, detail text, cause text, step integer, total integer, unit text, epoch real, note text,
    started real, ended real, updated real, first_step integer, first_step_time real, host text, slot text,
    tags text, remark text, priority integer, repeats text, latest text, best text, alarms text
) without rowid;
create index runs_newest on runs (created desc, id desc, changed);
create table documents (run text primary key, experiment text, origin text, control_size integer) without rowid;
create table files (
    run text, name text, offset integer, size integer, inode integer, primary key (run, name)
) without rowid;
create table events (
    run text, attempt integer, line integer, time real, kind text, data text, primary key (run, attempt, line)
);
create index events_of_a_kind on events (kind, run);
create table metric_names (id integer primary key, name text unique);
create table blocks (
    id integer primary key, run text, metric integer, attempt integer,
    first_step integer, last_step integer, count integer, minimum real, maximum real,
    steps blob, epochs blob, times blob, numbers blob
);
create index blocks_of_a_metric on blocks (run, metric, attempt, first_step);
create table points (
    run text, metric integer, attempt integer, line integer, step integer, epoch real, time real, value real,
    primary key (run, metric, attempt, line)
) without rowid;
create table meta (key text primary key, value integer) without rowid;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """A connection to the index at `path`, built empty when missing, damaged or of another version.

    Where nothing can be written, or not even a file be opened, it is one in memory that the caller has to fill.
    """
    try:
        return _open_file(path)
    except sqlite3.Error as error:
        is_busy = _is_one_of(error, BUSY)
        if is_busy and not _is_empty(path):
            raise
        if not is_busy and not is_damage(error):
            return open_in_memory()
    try:
        discard(path, inode_of(path))
    except RecordError:
        return open_in_memory()
    return _open_file(path)


def open_in_memory() -> sqlite3.Connection:
    """An empty index that is gone with its connection."""
    connection = _connect(":memory:")
    _create(connection)
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error speaks against the file, not of the moment: a busy index, a full disk."""
    return not isinstance(error, sqlite3.ProgrammingError) and not _is_one_of(error, PASSING)


def _is_one_of(error: sqlite3.Error, words: tuple[str, ...]) -> bool:
    name = str(getattr(error, "sqlite_errorname", ""))
    return any(name.startswith(f"SQLITE_{word}") for word in words)


def inode_of(path: Path) -> tuple[int, int]:
    """What tells a file from one that has taken its place; zeros where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return (stat.st_dev, stat.st_ino)


def discard(path: Path, inode: tuple[int, int]) -> None:
    """Remove the index with that inode and SQLite's files beside it, unless somebody has replaced it already.

    The database goes last: whoever opens it in between sees the old one, and notices at its next sync. SQLite neither
    writes nor removes a log beside a database that has been moved away under it. Raises RecordError.
    """
    try:
        with holding(path.with_name(path.name + ".lock")):
            if inode_of(path) == inode:
                for suffix in ("-wal", "-shm", ""):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise RecordError(f"cannot remove the damaged index {path}: {error.strerror}") from error


def _is_empty(path: Path) -> bool:
    """Whether nothing is left of a file: one that is locked then was cut under those who have it open."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def _open_file(path: Path) -> sqlite3.Connection:
    """Open, see the version, build what is missing; again if the file was replaced meanwhile."""
    while True:
        before = inode_of(path)
        connection = _connect(str(path))
        try:
            if connection.execute("pragma user_version").fetchone()[0] != VERSION:
                _create(connection)
            connection.execute("select value from meta").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        if before in ((0, 0), inode_of(path)):
            return connection
        connection.close()


def _connect(name: str) -> sqlite3.Connection:
    if name != ":memory:":
        with suppress(OSError):  # SQLite says what is wrong; its own file would be readable by all
            os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("pragma synchronous = normal")  # after a power cut the newest lines are simply taken in again
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Change to a write-ahead log; SQLite does not wait for others here, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline or not _is_one_of(error, BUSY):
                raise
            time.sleep(0.01)


def _create(connection: sqlite3.Connection) -> None:
    _write_ahead(connection)
    connection.execute("begin immediate")
    try:
        if connection.execute("pragma user_version").fetchone()[0] != VERSION:
            tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
            for row in tables:
                connection.execute(f'drop table "{row["name"]}"')
            for statement in TABLES.split(";"):
                connection.execute(statement)
            # Changes count on from the time, so that no number of an earlier index comes again.
            connection.execute("insert into meta values ('change', ?)", (time.time_ns() // 1000,))
            connection.execute(f"pragma user_version = {VERSION}")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    connection.execute("commit")
