"""What the list of runs shows of a snapshot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lovt_tui.listing.run_order import order
from lovt_tui.reading.snapshot import Snapshot
from lovt_tui.widgets.run_columns import Entry

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_tui.listing.filtering import Filter

NO_RUNS = "No runs yet. Press n, or try: lovt demo"


def build_entries(snapshot: Snapshot, wanted: "Filter", sort: str, pinned: str | None) -> tuple[Entry, ...]:
    """A line for each run that fits the filter, in order."""
    scores, alarms = dict(snapshot.scores), dict(snapshot.alarms)
    rows = order(wanted.apply(snapshot.runs, snapshot.now), sort)
    return tuple(Entry(row, scores.get(row.id, ()), snapshot.now, row.id == pinned, row.id in alarms) for row in rows)


def choose_pair(marked: "Sequence[RunRow]", pinned: "RunRow | None", row: "RunRow | None") -> "tuple[RunRow, ...]":
    """Which two runs to compare: two marked ones, else the pinned one with the one under the cursor; else none."""
    if len(marked) == 2:
        return tuple(marked)
    return (pinned, row) if pinned is not None and row is not None and pinned.id != row.id else ()


def describe_emptiness(snapshot: Snapshot) -> str:
    """Why no run is shown."""
    if snapshot.runs:
        return "No run fits the filter. esc shows all."
    return "" if snapshot.error or snapshot.broken else NO_RUNS


def describe_problem(snapshot: Snapshot) -> str:
    """What could not be read; of several runs the first."""
    if snapshot.error:
        return f"{snapshot.error} (shown is what was last seen; it is tried again)"
    if snapshot.broken:
        run_id, reason = snapshot.broken[0]
        more = f" (and {len(snapshot.broken) - 1} more)" if len(snapshot.broken) > 1 else ""
        return f"run {run_id} cannot be read{more}: {reason}"
    return ""
