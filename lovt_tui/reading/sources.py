"""Where the poller gets everything from: the real workspace, or what a test puts in its place."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lovt_tui.pages.reading import PageReader
from lovt_tui.reading.gauges import Gauges
from lovt_tui.reading.snapshot import Gauge

if TYPE_CHECKING:
    from lovt_core.runs.records import Curve, EventRow, RunRow, StoredResult
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.pages.reading import Page
    from lovt_tui.pages.wishes import PageWish


class IndexReader(Protocol):
    """What is needed of `lovt_core.runs.indexing.index.Index`."""

    @property
    def broken(self) -> dict[str, str]: ...
    def sync(self) -> bool: ...
    def sync_active(self) -> bool: ...
    def change(self) -> int: ...
    def runs(self) -> "list[RunRow]": ...
    def results(self, run_id: str | None = None) -> "list[StoredResult]": ...
    def metric_names(self, run_id: str) -> list[str]: ...
    def curve(self, run_id: str, metric: str) -> "Curve": ...
    def events(self, run_id: str, kind: str | None = None) -> "list[EventRow]": ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Sources:
    """Where the poller gets everything from."""

    open_index: Callable[[], IndexReader]
    runs_folder: Path
    read_gauges: Callable[[], tuple[Gauge, ...]]
    clock: Callable[[], float]
    read_waits: Callable[[], dict[str, str]] = dict
    """Run id -> why it does not start."""
    read_paused: Callable[[], bool] = bool
    """Whether the queue is paused."""
    read_page: "Callable[[PageWish, IndexReader], Page] | None" = None
    """Answers the wishes of the screens that are not about runs."""


def open_sources(workspace: "Workspace") -> Sources:
    """The real ones; nothing is opened or imported yet."""

    def open_index() -> IndexReader:
        from lovt_core.runs.indexing.index import Index

        return Index(workspace)

    def read_waits() -> dict[str, str]:
        from lovt_core.runs.queueing.queue_report import read_waits

        return read_waits(workspace)

    is_paused = PausedReader(workspace.queue)
    return Sources(open_index, workspace.runs, Gauges(), time.time, read_waits, is_paused, PageReader(workspace))


class PausedReader:
    """Whether a queue is paused; its file is read again when it has grown."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = 0
        self._paused = False

    def __call__(self) -> bool:
        """Whether no queued run is started."""
        from lovt_core.runs.lines import read_lines
        from lovt_core.runs.queue_file import replay

        try:
            stamp = self._file.stat().st_mtime_ns
        except OSError:
            return False
        if stamp != self._seen:
            self._seen, self._paused = stamp, replay(read_lines(self._file)).paused
        return self._paused
