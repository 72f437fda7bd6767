"""Builds snapshots from the index and the watched run's files. Lives in the poller's thread alone."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lovt_tui.formatting import clean
from lovt_tui.snapshot import Gauge, RunDetail, Score, Snapshot, Watch, default_metrics, order_runs

if TYPE_CHECKING:
    from lovt_core.runs.records import Curve, EventRow, RunRow, StoredResult

MINUTE = 60.0
GAUGE_SECONDS = 3.0
CURVE_SECONDS = 0.9
MAX_CURVE_SHARE = 0.1
"""Reading curves may take this share of the time: long ones are read less often."""


class IndexReader(Protocol):
    """What is needed of `lovt_core.runs.indexing.index.Index`."""

    @property
    def broken(self) -> dict[str, str]: ...
    def sync(self) -> bool: ...
    def change(self) -> int: ...
    def runs(self) -> "list[RunRow]": ...
    def results(self, run_id: str | None = None) -> "list[StoredResult]": ...
    def metric_names(self, run_id: str) -> list[str]: ...
    def curve(self, run_id: str, metric: str) -> "Curve": ...
    def events(self, run_id: str, kind: str | None = None) -> "list[EventRow]": ...
    def close(self) -> None: ...


class SnapshotReader:
    """Remembers what was read, and reads again only what may have changed."""

    def __init__(
        self,
        index: IndexReader,
        runs_folder: Path,
        read_gauges: Callable[[], tuple[Gauge, ...]],
        clock: Callable[[], float],
        read_waits: Callable[[], dict[str, str]] = dict,
    ) -> None:
        self._index = index
        self._folder = runs_folder
        self._read_gauges = read_gauges
        self._clock = clock
        self._read_waits = read_waits
        self._waits: dict[str, str] = {}
        self._change = -1
        self._last = Snapshot(0.0)
        self._gauges_due = 0.0
        self._curves_due = 0.0
        self._curves_wish: object = None
        self._curves_seen: object = None
        self._log_seen: object = None

    def read(self, watch: Watch) -> Snapshot:
        """The snapshot of now; equal parts are the very objects of the last one."""
        last = self._last
        change, waits = self._index.change(), self._read_waits()
        runs, scores = last.runs, last.scores
        if change != self._change or waits != self._waits:
            self._waits = waits
            runs, scores = self._read_runs(last)
            self._change = change
        row = next((row for row in runs if row.id == watch.run_id), None)
        self._last = Snapshot(
            now=self._clock() // MINUTE * MINUTE,
            runs=runs,
            scores=scores,
            gauges=self._look_at_gauges(last),
            broken=tuple(sorted(self._index.broken.items())),
            detail=None if row is None else self._read_detail(row, watch),
        )
        return self._last

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
        return self._read_gauges()

    def _read_detail(self, row: "RunRow", watch: Watch) -> RunDetail:
        last = self._last.detail
        if last is None or last.run_id != row.id:
            self._curves_wish = self._curves_seen = self._log_seen = None
            last = RunDetail(row.id, (), (), (), (), 0, self._read_text(row.id))
        names, curves, events = self._read_record(row, watch, last)
        log, cut = self._read_log(row.id, watch, last)
        return RunDetail(row.id, names, curves, events, log, cut, last.experiment)

    def _read_record(
        self, row: "RunRow", watch: Watch, last: RunDetail
    ) -> "tuple[tuple[str, ...], tuple[Curve, ...], tuple[EventRow, ...]]":
        """Metric names, curves and events; kept while the run did not move, or while its curves were read just now."""
        wish = (watch.metrics, watch.num_curves)
        seen = (row.updated, row.done, row.state, row.attempt)
        is_known = seen == self._curves_seen or time.monotonic() < self._curves_due
        if is_known and wish == self._curves_wish:
            return last.metric_names, last.curves, last.events
        began = time.monotonic()
        names = tuple(self._index.metric_names(row.id))
        chosen = tuple(name for name in watch.metrics if name in names) or default_metrics(names, watch.num_curves)
        curves = tuple(self._index.curve(row.id, name) for name in chosen)
        events = tuple(self._index.events(row.id))
        took = time.monotonic() - began
        self._curves_due = time.monotonic() + max(CURVE_SECONDS, took / MAX_CURVE_SHARE)
        self._curves_wish, self._curves_seen = wish, seen
        return (
            last.metric_names if names == last.metric_names else names,
            last.curves if curves == last.curves else curves,
            last.events if events == last.events else events,
        )

    def _read_log(self, run_id: str, watch: Watch, last: RunDetail) -> tuple[tuple[str, ...], int]:
        """The end of the log, read again when the file or the wish has changed."""
        path = self._folder / run_id / "log.txt"
        try:
            stat = path.stat()
            key = (stat.st_ino, stat.st_size, stat.st_mtime_ns, watch.log_bytes)
            if key == self._log_seen:
                return last.log, last.log_cut_bytes
            log = read_tail(path, watch.log_bytes)
        except OSError:
            return (), 0
        self._log_seen = key
        return log

    def _read_text(self, run_id: str) -> str:
        try:
            return (self._folder / run_id / "experiment.yaml").read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            return f"# experiment.yaml cannot be read: {error.strerror}"


def read_tail(path: Path, num_bytes: int) -> tuple[tuple[str, ...], int]:
    """Lines of the last `num_bytes` of a text file, safe to show, and how many bytes stand before them.

    A line drawn over and over with carriage returns (a progress bar) is shown as it was last.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        cut = max(0, size - num_bytes)
        file.seek(cut)
        content = file.read(num_bytes)
    if cut:
        first, newline, rest = content.partition(b"\n")
        cut += len(first) + 1 if newline else 0
        content = rest if newline else content
    lines = content.decode(errors="replace").split("\n")
    return tuple(clean(line.rstrip("\r").rpartition("\r")[2]) for line in (lines[:-1] if not lines[-1] else lines)), cut


def _collect_scores(results: "list[StoredResult]") -> tuple[tuple[str, tuple[Score, ...]], ...]:
    """Finished cells of each evaluation run; of a task judged twice the later one."""
    found: dict[str, dict[str, Score]] = {}
    for result in results:
        match result.data:
            case {"type": "cell", "task": str(task), "metric": str(metric), "mean": float(mean)}:
                score = Score(task, metric, mean, result.data.get("ci95"))
                found.setdefault(result.run_id, {})[task] = score
    return tuple((run_id, tuple(scores.values())) for run_id, scores in found.items())
