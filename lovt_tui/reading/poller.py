"""The one thread that reads: it syncs the index, builds a frozen snapshot and posts it when it differs."""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from lovt_core.errors import LovtError
from lovt_tui.reading.snapshot import Snapshot, Watch
from lovt_tui.reading.snapshot_reader import SnapshotReader
from lovt_tui.reading.sources import IndexReader, Sources

SYNC_SECONDS = 0.5
FULL_SYNC_SECONDS = 2.0
"""Between two looks at runs that have ended: somebody may tag or resume them elsewhere."""
MAX_SYNC_SHARE = 0.01
"""Of the time, that these looks may take."""
SETTLE_SECONDS = 0.04
"""A wish for another run waits this long for the next one: holding an arrow key reads only where it stops."""
READ_ERRORS = (LovtError, OSError, sqlite3.Error, ValueError, KeyError, TypeError)
"""What a damaged, vanishing or newer workspace raises; the dashboard shows it and looks again."""


class Poller(threading.Thread):
    """Posts a snapshot whenever anything has changed; nothing otherwise."""

    def __init__(self, sources: Sources, post: Callable[[Snapshot], object], seconds: float | None = None) -> None:
        """`seconds` between two looks, None: `SYNC_SECONDS`."""
        super().__init__(name="poller", daemon=True)
        self._seconds = seconds
        self._sources = sources
        self._post = post
        self._wake = threading.Event()
        self._ending = False
        self._hurry = False
        self._full_sync_due = 0.0
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
                self._offer(replace(self._last or Snapshot(0.0), error=describe_error(error)))
                self._wake.wait(SYNC_SECONDS)
                self._wake.clear()

    def _poll(self) -> None:
        index = self._sources.open_index()
        try:
            reader = SnapshotReader(index, self._sources)
            if (known := reader.read(self._watch)).runs:
                self._offer(known)
            while not self._ending:
                self._sync(index)
                self._offer(reader.read(self._watch))
                self._wait(reader)
        finally:
            index.close()

    def _sync(self, index: IndexReader) -> None:
        """All runs where something was asked for, or where it is time; else those that are not at their end."""
        began = time.monotonic()
        if self._hurry or began >= self._full_sync_due:
            self._hurry = False
            index.sync()
            took = time.monotonic() - began
            self._full_sync_due = time.monotonic() + max(FULL_SYNC_SECONDS, took / MAX_SYNC_SHARE)
        else:
            index.sync_active()

    def _wait(self, reader: SnapshotReader) -> None:
        """Until the next sync is due; another wish is read in between without a sync."""
        due = time.monotonic() + (self._seconds or SYNC_SECONDS)
        while not (self._ending or self._hurry) and (left := due - time.monotonic()) > 0:
            if self._wake.wait(left) and not (self._ending or self._hurry):
                time.sleep(SETTLE_SECONDS)
                self._wake.clear()
                self._offer(reader.read(self._watch))

    def _offer(self, snapshot: Snapshot) -> None:
        if snapshot != self._last and not self._ending:
            self._last = snapshot
            self._post(snapshot)


def describe_error(error: Exception) -> str:
    """One sentence for people."""
    match error:
        case OSError(filename=str(path), strerror=str(reason)):
            return f"cannot read {path}: {reason}"
        case LovtError():
            return str(error)
        case _:
            return f"cannot read the record: {error or type(error).__name__}"
