"""Which runs a list shows, in which order, and what it hides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lovt_core.runs.indexing.columns import sort_rows
from lovt_tui.formatting import plural
from lovt_tui.listing.filtering import Filter

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

EVERYTHING = Filter()


@dataclass(frozen=True)
class ListRequest:
    """What is wanted of all runs."""

    filter: Filter = EVERYTHING
    limit: int | None = None
    """Most that are shown; None: all."""
    sort: str = ""
    """Name of a column, with a minus in front for the largest first; empty: newest first."""

    @property
    def takes_newest(self) -> bool:
        """Whether the newest runs are the answer, so that the others need not be read."""
        return not self.filter.tests and not self.sort


@dataclass(frozen=True)
class Selection:
    """The answer."""

    matching: "tuple[RunRow, ...]"
    """All that pass the filter, in order; the newest only where the request takes those."""
    num_matching: int
    total: int
    request: ListRequest

    @property
    def shown(self) -> "tuple[RunRow, ...]":
        """As many as were asked for."""
        return self.matching[: self.request.limit]


def select(rows: "Sequence[RunRow]", total: int, request: ListRequest, now: float) -> Selection:
    """Choose from `rows`, newest first, of `total` runs; raises InputError for a column that none of them has."""
    if request.takes_newest:
        return Selection(tuple(rows), total, total, request)
    matching = request.filter.apply(tuple(rows), now)
    ordered = tuple(sort_rows(matching, request.sort)) if request.sort else matching
    return Selection(ordered, len(ordered), total, request)


def describe_hidden(selection: Selection, num_shown: int) -> str:
    """What is not shown, in one line; empty when all is."""
    parts = []
    if selection.num_matching > num_shown:
        parts.append(f"--all shows {selection.num_matching - num_shown} more")
    if selection.total > selection.num_matching:
        parts.append(f"{selection.total - selection.num_matching} do not match '{selection.request.filter.text}'")
    return f"{num_shown} of {plural(selection.total, 'run')} shown: {', '.join(parts)}" if parts else ""
