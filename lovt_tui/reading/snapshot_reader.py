"""Builds snapshots from the index and the watched run's files. Lives in the poller's thread alone."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from lovt_tui.reading.detail_reader import DetailReader
from lovt_tui.reading.snapshot import Gauge, Score, Snapshot, Watch, order_runs
from lovt_tui.reading.sources import IndexReader, Sources

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow, StoredResult
    from lovt_tui.pages.reading import Page

MINUTE = 60.0
GAUGE_SECONDS = 3.0


class SnapshotReader:
    """Remembers what was read, and reads again only what may have changed."""

    def __init__(self, index: IndexReader, sources: Sources) -> None:
        self._index = index
        self._sources = sources
        self._waits: dict[str, str] = {}
        self._change = -1
        self._last = Snapshot(0.0)
        self._gauges_due = 0.0
        self._detail = DetailReader(index, sources.runs_folder)

    def read(self, watch: Watch) -> Snapshot:
        """The snapshot of now; equal parts are the very objects of the last one."""
        last = self._last
        change, waits = self._index.change(), self._sources.read_waits()
        runs, scores = last.runs, last.scores
        if change != self._change or waits != self._waits:
            self._waits = waits
            runs, scores = self._read_runs(last)
            self._change = change
        row = next((row for row in runs if row.id == watch.run_id), None)
        self._last = Snapshot(
            now=self._sources.clock() // MINUTE * MINUTE,
            runs=runs,
            scores=scores,
            gauges=self._look_at_gauges(last),
            broken=tuple(sorted(self._index.broken.items())),
            detail=None if row is None else self._detail.read(row, watch),
            page=self._read_page(watch),
            is_paused=self._sources.read_paused(),
        )
        return self._last

    def _read_page(self, watch: Watch) -> "Page | None":
        read = self._sources.read_page
        return None if read is None or watch.page is None else read(watch.page, self._index)

    def _read_runs(self, last: Snapshot) -> "tuple[tuple[RunRow, ...], tuple[tuple[str, tuple[Score, ...]], ...]]":
        runs = order_runs([self._tell_wait(row) for row in self._index.runs()])
        judged = any(row.kind == "evaluate" for row in runs)
        scores = _collect_scores(self._index.results()) if judged else ()
        return (last.runs if runs == last.runs else runs), (last.scores if scores == last.scores else scores)

    def _tell_wait(self, row: "RunRow") -> "RunRow":
        """A queued run with the reason that its scheduler gives."""
        reason = self._waits.get(row.id) if row.state == "queued" else None
        return row if reason is None else replace(row, detail=reason)

    def _look_at_gauges(self, last: Snapshot) -> tuple[Gauge, ...]:
        if time.monotonic() < self._gauges_due:
            return last.gauges
        self._gauges_due = time.monotonic() + GAUGE_SECONDS
        return self._sources.read_gauges()


def _collect_scores(results: "list[StoredResult]") -> tuple[tuple[str, tuple[Score, ...]], ...]:
    """Finished cells of each evaluation run; of a task judged twice the later one."""
    found: dict[str, dict[str, Score]] = {}
    for result in results:
        match result.data:
            case {"type": "cell", "task": str(task), "metric": str(metric), "mean": float(mean)}:
                score = Score(task, metric, mean, result.data.get("ci95"))
                found.setdefault(result.run_id, {})[task] = score
    return tuple((run_id, tuple(scores.values())) for run_id, scores in found.items())
