"""The one thread that reads: it syncs the index, builds a frozen snapshot and posts it when it differs."""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lovt_core.errors import LovtError
from lovt_tui.gauges import Gauges
from lovt_tui.reader import IndexReader, SnapshotReader
from lovt_tui.snapshot import Gauge, Snapshot, Watch

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace

SYNC_SECONDS = 0.5
SETTLE_SECONDS = 0.04
"""A wish for another run waits this long for the next one: holding an arrow key reads only where it stops."""
READ_ERRORS = (LovtError, OSError, sqlite3.Error, ValueError, KeyError, TypeError)
"""What a damaged, vanishing or newer workspace raises; the dashboard shows it and looks again."""


@dataclass(frozen=True)
class Sources:
    """Where the poller gets everything from."""

    open_index: Callable[[], IndexReader]
    runs_folder: Path
    read_gauges: Callable[[], tuple[Gauge, ...]]
    clock: Callable[[], float]
    read_waits: Callable[[], dict[str, str]] = dict
    """Run id -> why it does not start."""


def open_sources(workspace: "Workspace") -> Sources:
    """The real ones; nothing is opened or imported yet."""

    def open_index() -> IndexReader:
        from lovt_core.runs.indexing.index import Index

        return Index(workspace)

    def read_waits() -> dict[str, str]:
        from lovt_core.runs.queueing.queue_report import read_waits

        return read_waits(workspace)

    return Sources(open_index, workspace.runs, Gauges(), time.time, read_waits)


class Poller(threading.Thread):
    """Posts a snapshot whenever anything has changed; nothing otherwise."""

    def __init__(self, sources: Sources, post: Callable[[Snapshot], object]) -> None:
        super().__init__(name="poller", daemon=True)
        self._sources = sources
        self._post = post
        self._wake = threading.Event()
        self._ending = False
        self._hurry = False
        self._watch = Watch()
        self._last: Snapshot | None = None

    def watch(self, watch: Watch) -> None:
        """Look at this from now on."""
        if watch != self._watch:
            self._watch = watch
            self._wake.set()

    def look_now(self) -> None:
        """Do not wait for the next round: something was just asked for."""
        self._hurry = True
        self._wake.set()

    def finish(self) -> None:
        """End the thread; returns at once."""
        self._ending = True
        self._wake.set()

    def run(self) -> None:
        """Poll until `finish`; a workspace that cannot be read is looked at again."""
        while not self._ending:
            try:
                self._poll()
            except READ_ERRORS as error:
                self._offer(replace(self._last or Snapshot(0.0), error=_describe(error)))
                self._wake.wait(SYNC_SECONDS)
                self._wake.clear()

    def _poll(self) -> None:
        index = self._sources.open_index()
        try:
            sources = self._sources
            reader = SnapshotReader(index, sources.runs_folder, sources.read_gauges, sources.clock, sources.read_waits)
            if (known := reader.read(self._watch)).runs:
                self._offer(known)
            while not self._ending:
                self._hurry = False
                index.sync()
                self._offer(reader.read(self._watch))
                self._wait(reader)
        finally:
            index.close()

    def _wait(self, reader: SnapshotReader) -> None:
        """Until the next sync is due; another wish is read in between without a sync."""
        due = time.monotonic() + SYNC_SECONDS
        while not (self._ending or self._hurry) and (left := due - time.monotonic()) > 0:
            if self._wake.wait(left) and not (self._ending or self._hurry):
                time.sleep(SETTLE_SECONDS)
                self._wake.clear()
                self._offer(reader.read(self._watch))

    def _offer(self, snapshot: Snapshot) -> None:
        if snapshot != self._last and not self._ending:
            self._last = snapshot
            self._post(snapshot)


def _describe(error: Exception) -> str:
    match error:
        case OSError(filename=str(path), strerror=str(reason)):
            return f"cannot read {path}: {reason}"
        case LovtError():
            return str(error)
        case _:
            return f"cannot read the record: {error or type(error).__name__}"
