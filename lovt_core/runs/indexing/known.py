"""What the index knows of runs already, as far as it tells whether there is news of them."""

import sqlite3
from typing import NamedTuple


class Known(NamedTuple):
    """Of one run."""

    stamp: str
    state: str
    attempt: int
    stop_asked: bool
    detail: str
    """It changes without a file where Slurm says it."""


UNKNOWN = Known("", "", 1, False, "")
_QUERY = "select id, stamp, state, attempt, stop_asked, detail from runs"
_NOT_ENDED = "state in ('queued', 'launched', 'running')"


def read_known(connection: sqlite3.Connection) -> dict[str, Known]:
    """Of all runs, by id."""
    return {row["id"]: Known(*row[1:]) for row in connection.execute(_QUERY)}


def read_known_active(connection: sqlite3.Connection) -> dict[str, Known]:
    """Of the runs that were not at their end, by id."""
    return {row["id"]: Known(*row[1:]) for row in connection.execute(f"{_QUERY} where {_NOT_ENDED}")}
