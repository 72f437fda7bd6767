"""The order in which the list of runs shows them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

SORTS = ("", "name", "state", "best", "left", "progress", "age", "what", "tags")
"""What `s` goes through; empty: runs at work, then the queue, then the newest."""


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
    """How many wait, and after which time the queue is empty as far as the runs at work tell: `3 · ~4h10`.

    A waiting run is taken to need as long as the median of those at work, or of what has finished.
    """
    from lovt_tui.formatting import format_duration

    waiting = sum(row.state == "queued" for row in rows)
    if not waiting:
        return "0"
    left = [row.seconds_left for row in rows if row.state == "running" and row.seconds_left is not None]
    needed = sorted(
        row.ended - row.started
        for row in rows
        if row.state == "finished" and row.started is not None and row.ended is not None
    )
    if not needed:
        return str(waiting)
    typical = needed[len(needed) // 2]
    slots = sorted([*left, *[0.0] * max(0, num_slots - len(left))] or [0.0])
    for _ in range(waiting):
        slots[0] += typical
        slots.sort()
    return f"{waiting} · ~{format_duration(slots[-1])}"
