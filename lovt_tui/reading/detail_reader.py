"""Reads the run that a screen watches: curves, events, log, files. Lives in the poller's thread alone."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lovt_tui.formatting import clean
from lovt_tui.reading.snapshot import RunDetail, RunFile, Watch, choose_metrics

if TYPE_CHECKING:
    from lovt_core.runs.records import Curve, EventRow, RunRow
    from lovt_tui.reading.sources import IndexReader

    Beside = tuple[tuple[str, tuple[Curve, ...]], ...]
    Record = tuple[tuple[str, ...], tuple[Curve, ...], tuple[EventRow, ...], Beside]

CURVE_SECONDS = 0.9
MAX_CURVE_SHARE = 0.1
"""Reading curves may take this share of the time: long ones are read less often."""
FILE_FOLDERS = ("checkpoints", "artifacts")
MAX_FILES = 500


class DetailReader:
    """Remembers what was read, and reads again only what may have changed."""

    def __init__(self, index: "IndexReader", runs_folder: Path) -> None:
        self._index = index
        self._folder = runs_folder
        self._last: RunDetail | None = None
        self._due = 0.0
        self._wish: object = None
        self._seen: object = None
        self._log_seen: object = None
        self._files_seen: object = None

    def read(self, row: "RunRow", watch: Watch) -> RunDetail:
        """The run as it is now; equal parts are the very objects of the last time."""
        last = self._last
        if last is None or last.run_id != row.id:
            self._wish = self._seen = self._log_seen = self._files_seen = None
            last = RunDetail(row.id, (), (), (), (), 0, self._read_text(row.id))
        names, curves, events, beside = self._read_record(row, watch, last)
        log, cut = self._read_log(row.id, watch, last)
        files = self._read_files(row.id, last) if watch.files else ()
        self._last = RunDetail(row.id, names, curves, events, log, cut, last.experiment, beside, files)
        return self._last

    def _read_record(self, row: "RunRow", watch: Watch, last: RunDetail) -> "Record":
        """Kept while the run did not move, or while its curves were read just now."""
        wish = (watch.metrics, watch.num_curves, watch.beside)
        seen = (row.updated, row.done, row.state, row.attempt, self._index.change() if watch.beside else 0)
        is_known = seen == self._seen or time.monotonic() < self._due
        if is_known and wish == self._wish:
            return last.metric_names, last.curves, last.events, last.beside
        began = time.monotonic()
        names = tuple(self._index.metric_names(row.id))
        chosen = tuple(name for name in watch.metrics if name in names) or choose_metrics(names, watch.num_curves)
        curves = tuple(self._index.curve(row.id, name) for name in chosen)
        events = tuple(self._index.events(row.id))
        beside = tuple((run_id, self._read_curves(run_id, chosen)) for run_id in watch.beside if run_id != row.id)
        took = time.monotonic() - began
        self._due = time.monotonic() + max(CURVE_SECONDS, took / MAX_CURVE_SHARE)
        self._wish, self._seen = wish, seen
        return (
            last.metric_names if names == last.metric_names else names,
            _keep(last.curves, curves),
            last.events if events == last.events else events,
            _keep_beside(last.beside, beside),
        )

    def _read_curves(self, run_id: str, metrics: tuple[str, ...]) -> "tuple[Curve, ...]":
        known = set(self._index.metric_names(run_id))
        return tuple(self._index.curve(run_id, name) for name in metrics if name in known)

    def _read_files(self, run_id: str, last: RunDetail) -> tuple[RunFile, ...]:
        """Listed again when one of the folders has changed."""
        folder = self._folder / run_id
        stamp = tuple(_stamp(path) for name in FILE_FOLDERS for path in (folder / name, *(folder / name).glob("*/")))
        if stamp == self._files_seen:
            return last.files
        self._files_seen = stamp
        return tuple(list_files(folder))

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


def list_files(folder: Path) -> Iterator[RunFile]:
    """Checkpoints as wholes, artifacts one by one, at most `MAX_FILES`; what vanishes meanwhile is left out."""
    checkpoints = sorted((folder / "checkpoints").glob("*"), key=lambda path: path.name)
    artifacts = sorted(path for path in (folder / "artifacts").rglob("*") if path.is_file())
    for path in (*checkpoints, *artifacts)[:MAX_FILES]:
        try:
            members = [each.stat() for each in path.rglob("*")] if path.is_dir() else []
            own = path.stat()
        except OSError:
            continue
        size = sum(each.st_size for each in members) if members else own.st_size
        yield RunFile(str(path.relative_to(folder)), size, own.st_mtime)


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _keep(last: "tuple[Curve, ...]", curves: "tuple[Curve, ...]") -> "tuple[Curve, ...]":
    """The curves, each the very object of the last time where nothing was added to it."""
    known = {curve.metric: curve for curve in last}
    return tuple(
        known[curve.metric] if curve.metric in known and _is_same(known[curve.metric], curve) else curve
        for curve in curves
    )


def _keep_beside(last: "Beside", beside: "Beside") -> "Beside":
    known = dict(last)
    return tuple((run_id, _keep(known.get(run_id, ()), curves)) for run_id, curves in beside)


def _is_same(one: "Curve", other: "Curve") -> bool:
    """Points are only ever added; where an attempt was cut back the newest one has another time."""
    return len(one.steps) == len(other.steps) and one.times[-1:] == other.times[-1:]
