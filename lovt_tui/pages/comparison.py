"""The comparison as the screen shows it, and what is known of each of its scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lovt_core.errors import LovtError
from lovt_tui.pages.wishes import ComparisonWish

if TYPE_CHECKING:
    from lovt_core.results.comparison import Comparison
    from lovt_core.results.imported import ImportedScore
    from lovt_core.runs.records import RunRow, StoredResult
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.reading.sources import IndexReader

READ_ERRORS = (LovtError, OSError, ValueError)
"""What damaged files of results raise; the page says so and shows the rest."""
MANY_RUNS = 8
"""From so many changed runs on all results are read at once."""
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class ComparisonPage:
    """What the screen shows."""

    wish: ComparisonWish
    comparison: "Comparison | None" = None
    results: "tuple[tuple[StoredResult, ...], ...]" = ()
    """Of each evaluation run: learning rates tried, replicates, cells."""
    problem: str = ""
    """One sentence a line: what is wrong with files or with the wish; the comparison is then without it."""


@dataclass(frozen=True)
class _Inputs:
    """Everything that the page depends on."""

    wish: ComparisonWish
    states: tuple[tuple[str, str], ...]
    """Id and state of each evaluation run."""
    results: "tuple[tuple[StoredResult, ...], ...]"
    imported: Stamp


class ComparisonReader:
    """Compares again only where results, states of evaluations, imported files or the wish have changed.

    A training that logs metrics changes the index, not this; of an evaluation at work its own results are read alone.
    """

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._change: tuple[int, Stamp] | None = None
        self._known: dict[str, tuple[object, tuple[StoredResult, ...]]] = {}
        self._inputs: _Inputs | None = None
        self._last: ComparisonPage | None = None

    def read(self, wish: ComparisonWish, index: "IndexReader") -> ComparisonPage:
        """The page of now; the very object of the last time where nothing has changed."""
        change = (index.change(), _take_stamp(self._workspace))
        if self._last is not None and self._last.wish == wish and change == self._change:
            return self._last
        runs = [row for row in index.runs() if row.kind == "evaluate"]
        inputs = _Inputs(
            wish=wish,
            states=tuple((row.id, row.state) for row in runs),
            results=self._read_results(runs, index),
            imported=change[1],
        )
        if self._last is None or inputs != self._inputs:
            self._last = build_page(self._workspace, wish, runs, inputs.results)
        self._change, self._inputs = change, inputs
        return self._last

    def _read_results(self, runs: "Sequence[RunRow]", index: "IndexReader") -> "tuple[tuple[StoredResult, ...], ...]":
        """Of each run, oldest first; the very objects of the last time where they are equal."""
        signs = {row.id: (row.name, row.state, row.attempt, row.updated) for row in runs}
        moved = [run_id for run_id, sign in signs.items() if self._known.get(run_id, (None,))[0] != sign]
        found: dict[str, list[StoredResult]] = {run_id: [] for run_id in moved}
        batches = [index.results()] if len(moved) > MANY_RUNS else [index.results(run_id) for run_id in moved]
        for result in (result for batch in batches for result in batch):
            if result.run_id in found:
                found[result.run_id].append(result)
        before, self._known = self._known, {run_id: self._known.get(run_id, (None, ())) for run_id in signs}
        for run_id, own in found.items():
            last, new = before.get(run_id, (None, ()))[1], tuple(own)
            self._known[run_id] = (signs[run_id], last if last == new else new)
        return tuple(self._known[run_id][1] for run_id in sorted(signs) if self._known[run_id][1])


def build_page(
    workspace: "Workspace",
    wish: ComparisonWish,
    runs: "Sequence[RunRow]",
    results: "tuple[tuple[StoredResult, ...], ...]",
) -> ComparisonPage:
    """What `lovt compare` would print for the wish; what cannot be had is said, and left out."""
    from lovt_core.results.cells import collect_cells
    from lovt_core.results.comparison import ComparisonOptions, compare
    from lovt_core.results.published import load_published
    from lovt_core.tasks import expand_tasks

    problems: list[str] = []
    tasks = None
    try:
        tasks = expand_tasks(wish.tasks) if wish.tasks else None
    except LovtError as error:
        problems.append(str(error))
    imported = _load_imported(workspace, problems)
    published = load_published() if wish.published else ()
    collection = collect_cells(result for own in results for result in own)

    def build(pin: str | None) -> "Comparison":
        return compare(collection, published, runs, ComparisonOptions(tasks, pin, wish.interval), imported)

    try:
        comparison = build(wish.pin)
    except LovtError as error:
        problems.append(str(error))
        comparison = build(None)
    problems += [f"run {run_id} holds results that this version cannot read" for run_id in comparison.unreadable]
    return ComparisonPage(wish, comparison, results, "\n".join(problems))


def _load_imported(workspace: "Workspace", problems: list[str]) -> "tuple[ImportedScore, ...]":
    from lovt_core.results.imported import load_imported

    try:
        return load_imported(workspace.path)
    except READ_ERRORS as error:
        problems.append(f"imported results are left out: {error}")
        return ()


def _take_stamp(workspace: "Workspace") -> Stamp:
    """Name, size and time of the files of imported results."""
    folder = workspace.path / "results"
    try:
        stats = [(path.name, path.stat()) for path in sorted(folder.glob("*.csv"))]
    except OSError:
        return ()
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
