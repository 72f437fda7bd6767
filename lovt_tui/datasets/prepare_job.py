"""`python -m lovt_tui.datasets.prepare_job WORKSPACE NAME`: prepare as the record orders, and record how far it is."""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.split_choice import read_choice
from lovt_core.errors import LovtError
from lovt_core.runs.locks import take_lock
from lovt_core.runs.workspace import Workspace
from lovt_core.values import Progress
from lovt_tui.datasets.preparing import (
    Order,
    Preparation,
    PreparationFiles,
    State,
    preparation_files,
    read_preparation,
    write_preparation,
)
from lovt_tui.datasets.texts import work_text

RECORD_SECONDS = 0.5


class Recorder:
    """Writes the record, seldom enough that it costs nothing."""

    def __init__(self, files: PreparationFiles, preparation: Preparation) -> None:
        self._files = files
        self.preparation = preparation
        self.decoded = 0
        self._began = 0.0
        self._due = 0.0

    def say(self, preparation: Preparation) -> None:
        """Record this."""
        self.preparation = preparation
        write_preparation(self._files, preparation)

    def on_progress(self, progress: Progress) -> None:
        """Record now and then how far it is, with the time left at the pace so far."""
        now = time.monotonic()
        self.decoded = progress.done
        self._began = self._began or now
        if now < self._due:
            return
        self._due = now + RECORD_SECONDS
        pace = (now - self._began) / (progress.done - 1) if progress.done > 1 else None
        left = None if pace is None or progress.total is None else pace * (progress.total - progress.done)
        seen = replace(self.preparation, done=progress.done, total=progress.total, note=progress.note)
        self.say(replace(seen, state="decoding", seconds_left=left))


def work(workspace: Workspace, order: Order, recorder: Recorder) -> None:
    """Prepare; the last word is recorded whatever comes of it."""
    state: State = "prepared"
    try:
        split = None if order.splits is None else read_choice(order.splits)
        options = PrepareOptions(order.size, order.skip_bad, order.workers, split)
        data = prepare(order.name, Path(order.source), workspace.prepared_root, options, recorder.on_progress)
        message = f"{order.name} {work_text(data.meta, recorder.decoded)}"
    except KeyboardInterrupt:
        state, message = "stopped", "what is decoded is kept, preparing it again goes on from there"
    except LovtError as error:
        state, message = "refused", str(error)
    last = recorder.preparation
    done = (last.total or last.done) if state == "prepared" else last.done
    recorder.say(replace(last, state=state, message=message, done=done, seconds_left=None, note=""))


def main() -> None:
    """Take the lock and work until the end, or until asked to stop (SIGINT, SIGTERM)."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    workspace, name = Workspace(Path(sys.argv[1])), sys.argv[2]
    files = preparation_files(workspace, name)
    if take_lock(files.lock) is None:
        return  # another one was faster
    ordered = read_preparation(files, time.time())
    if ordered is None:
        return
    preparation = replace(ordered, state="reading", process=os.getpid())
    recorder = Recorder(files, preparation)
    recorder.say(preparation)
    work(workspace, ordered.order, recorder)


if __name__ == "__main__":
    main()
