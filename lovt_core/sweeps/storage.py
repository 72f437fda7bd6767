"""Optuna's storages: SQLite in the workspace, a journal file, or a database that several machines share."""

import random
import re
import time
import warnings
from collections.abc import Callable
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from lovt_core.errors import InputError
from lovt_core.runs.workspace import Workspace, is_on_network
from lovt_core.sweeps.storage_urls import JOURNAL, hide_password

optuna.logging.set_verbosity(optuna.logging.ERROR)
BUSY_SECONDS = 60
"""How long a writer waits for another one of the same SQLite file."""
CREATIONS = 10


class StorageUnreachableError(InputError):
    """The storage is of a known kind and does not answer: it may later."""


def default_storage(workspace: Workspace) -> str:
    """`sweeps.db` of the workspace; on a network file system, where SQLite's locks fail, Optuna's journal file."""
    if is_on_network(workspace.path):
        return f"{JOURNAL}{workspace.path / 'sweeps.journal'}"
    return f"sqlite:///{workspace.path / 'sweeps.db'}"


def open_storage(url: str) -> BaseStorage:
    """Optuna's storage behind a URL; raises InputError for one of an unknown kind or that cannot be reached."""
    if url.startswith(JOURNAL):
        path = url.removeprefix(JOURNAL)
        return JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path)))
    shown = hide_password(url)
    options = {"connect_args": {"timeout": BUSY_SECONDS}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _create_once(lambda: _open_database(url, options))
    except (ArgumentError, ImportError, ValueError) as error:
        hint = "postgresql+psycopg://user@host/name, sqlite:////a/file.db or journal:/a/file"
        raise InputError(f"storage '{shown}' cannot be used: {first_line(error)}; give {hint}") from error
    except (SQLAlchemyError, OSError) as error:
        raise StorageUnreachableError(f"storage '{shown}' cannot be reached: {first_line(error)}") from error


def _create_once(create: Callable[[], RDBStorage]) -> RDBStorage:
    """Several coordinators may begin at once with a database in which there are no tables yet: one makes them."""
    for remaining in range(CREATIONS, 0, -1):
        try:
            return create()
        except (IntegrityError, ProgrammingError, OperationalError) as error:
            if remaining == 1 or not re.search("unique|duplicate|already exists|no such table", str(error).lower()):
                raise
            time.sleep(random.uniform(0.1, 0.5))  # noqa: S311, nothing secret
    raise AssertionError("the loop returns or raises")


def _open_database(url: str, options: dict[str, Any]) -> RDBStorage:
    if url.startswith("sqlite"):
        _use_write_ahead_log(url)
    return RDBStorage(url, engine_kwargs=options)


def count_trials(url: str, study: str) -> int:
    """How many trials of a study a storage holds, none where the study is not there; raises as `open_storage`."""
    storage = open_storage(url)
    try:
        return storage.get_n_trials(storage.get_study_id_from_name(study))
    except KeyError:
        return 0
    except SQLAlchemyError as error:
        raise StorageUnreachableError(f"storage '{hide_password(url)}': {first_line(error)}") from error
    finally:
        close_storage(storage)


def close_storage(storage: BaseStorage) -> None:
    """Close its connections."""
    storage.remove_session()
    backend = getattr(storage, "_backend", storage)
    if isinstance(backend, RDBStorage):
        backend.engine.dispose()


def _use_write_ahead_log(url: str) -> None:
    """One fsync a commit instead of several, and readers that never wait; the file remembers it."""
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    with engine.connect() as connection:
        connection.execute(text("PRAGMA journal_mode=WAL"))
    engine.dispose()


def first_line(error: Exception) -> str:
    """What an error of the database says, in one line and without a password."""
    message = str(getattr(error, "orig", None) or error).strip()
    return hide_password(message.splitlines()[0]) if message else type(error).__name__
