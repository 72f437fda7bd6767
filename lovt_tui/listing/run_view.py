"""What the list of runs shows of a snapshot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lovt_tui.listing.run_order import order
from lovt_tui.reading.snapshot import Snapshot
from lovt_tui.widgets.run_columns import Surroundings

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_tui.listing.filtering import Filter

NO_RUNS = "No runs yet. Press n, or try: lovt demo"


class RunChoice:
    """Remembers which runs fit, and asks again only where another answer is possible."""

    def __init__(self) -> None:
        self._runs: tuple[RunRow, ...] = ()
        self._question: object = None
        self._answer: tuple[RunRow, ...] = ()

    def choose(self, snapshot: Snapshot, wanted: "Filter", sort: str) -> "tuple[RunRow, ...]":
        """The runs that fit the filter, in order; the very tuple of the last time where nothing has changed."""
        question = (wanted, sort, snapshot.now)
        if snapshot.runs is not self._runs or question != self._question:
            self._runs, self._question = snapshot.runs, question
            self._answer = order(wanted.apply(snapshot.runs, snapshot.now), sort)
        return self._answer


def describe_surroundings(snapshot: Snapshot, pinned: str | None) -> Surroundings:
    """What the lines of runs show beside the runs."""
    return Surroundings(dict(snapshot.scores), snapshot.now, pinned)


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
