"""The order in which the list of runs shows them."""

from collections.abc import Sequence
from itertools import islice, takewhile
from statistics import median
from typing import TYPE_CHECKING

from lovt_tui.formatting import format_duration

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

SORTS = ("", "name", "state", "best", "left", "progress", "age", "what", "tags")
"""What `s` goes through; empty: runs at work, then the queue, then the newest."""


RECENT = 200
"""Newest runs that tell how long another one will take."""


def next_sort(sort: str) -> str:
    """What `s` leads to from a sort order."""
    name = sort.removeprefix("-")
    return SORTS[(SORTS.index(name) + 1) % len(SORTS)] if name in SORTS else SORTS[0]


def turn_sort(sort: str) -> str:
    """The other direction."""
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}" if sort else ""


def click_sort(sort: str, column: str) -> str:
    """What a click on a heading leads to: this column, and then the other direction."""
    return turn_sort(sort) if sort.removeprefix("-") == column else column


def order(rows: "Sequence[RunRow]", sort: str) -> "tuple[RunRow, ...]":
    """Rows sorted as `lovt runs --sort` does; a column that none of them has leaves them as they are."""
    if not sort:
        return tuple(rows)
    from lovt_core.errors import InputError
    from lovt_core.runs.indexing.columns import sort_rows

    try:
        return tuple(sort_rows(rows, sort))
    except InputError:
        return tuple(rows)


def describe_queue(rows: "Sequence[RunRow]", num_slots: int) -> str:
    """How many wait, and after which time the queue is likely to be empty: `3 · ~4h10`.

    The time only where every waiting run has something to go by among the newest `RECENT` runs: one of the same
    experiment whatever its seed, or a training of the same method on the same data, by its epochs. `rows` come with
    the runs at work first, then the queue, then the newest.
    """
    active = tuple(takewhile(lambda row: row.is_active, rows))
    waiting = [row for row in active if row.state == "queued"]
    if not waiting:
        return "0"
    running = [row for row in active if row.state == "running"]
    recent = list(islice((row for row in rows if row.state in ("finished", "running")), RECENT))
    needed = [_expect_seconds(row, recent) for row in waiting]
    left = [row.seconds_left for row in running]
    if any(each is None for each in (*needed, *left)):
        return str(len(waiting))
    slots = sorted([*(each or 0.0 for each in left), *[0.0] * max(0, num_slots - len(left))])
    for seconds in needed:
        slots[0] += seconds or 0.0
        slots.sort()
    return f"{len(waiting)} · ~{format_duration(slots[-1])}"


def is_repetition(one: "RunRow", other: "RunRow") -> bool:
    """Whether two runs differ by seed and name alone."""
    mine, others = one.experiment, other.experiment
    return (
        one.kind == other.kind
        and mine.keys() == others.keys()
        and all(value == others[key] for key, value in mine.items() if key not in ("seed", "name"))
    )


def _expect_seconds(row: "RunRow", recent: "Sequence[RunRow]") -> float | None:
    """How long a waiting run is likely to take; None where nothing tells."""
    same = [other for other in recent if is_repetition(row, other)]
    for state in ("finished", "running"):  # what has been before what is expected
        known = [seconds for other in same if other.state == state and (seconds := _seconds(other)) is not None]
        if known:
            return median(known)
    epochs = row.experiment.get("training", {}).get("max_epochs")
    if row.kind != "pretrain" or not epochs:
        return None
    alike = [other for other in recent if (other.kind, other.subject) == (row.kind, row.subject)]
    on_same_data = [other for other in alike if other.experiment.get("data") == row.experiment.get("data")]
    rates = [seconds / other.epoch for other in on_same_data if other.epoch and (seconds := _worked(other)) is not None]
    return median(rates) * epochs if rates else None


def _seconds(row: "RunRow") -> float | None:
    """How long a run has taken, or will have."""
    worked = _worked(row)
    if row.state == "finished":
        return worked
    is_known = row.state == "running" and worked is not None and row.seconds_left is not None
    return worked + row.seconds_left if is_known else None  # type: ignore[operator]


def _worked(row: "RunRow") -> float | None:
    end = row.ended or row.updated
    return end - row.started if row.started is not None and end is not None else None
