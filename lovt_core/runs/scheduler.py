"""The scheduler: starts queued runs when a slot is free, and says of its workers how they ended.

One process per workspace and host (a file lock), detached from whoever started it. If it dies, its workers go on and
the next scheduler adopts them. `python -m lovt_core.runs.scheduler WORKSPACE`.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lovt_core.config.experiment import asked_device
from lovt_core.errors import LovtError
from lovt_core.runs.control import append_control, deciding, read_control, record
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.launchers.local import start_worker
from lovt_core.runs.lines import complete_lines
from lovt_core.runs.locks import holding, take_lock
from lovt_core.runs.slots import Slot, TakenSlot, any_slot_free, take_free_slot
from lovt_core.runs.state import MAX_DEATHS_BEFORE_START, RunState, read_state
from lovt_core.runs.workspace import Workspace

TICK_SECONDS = 0.25


@dataclass
class Scheduler:
    """The mutable heart: which runs are watched, and which workers are children of this process."""

    workspace: Workspace
    watched: dict[str, RunDirectory] = field(default_factory=dict)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    queue_offset: int = 0

    def look_around(self) -> None:
        """Watch every run of this machine that is not at its end."""
        for run in list_runs(self.workspace):
            self._watch(run)

    def read_queue(self) -> None:
        """Watch the runs that were announced since the last look; the caller holds the queue lock."""
        try:
            with self.workspace.queue.open("rb") as file:
                file.seek(self.queue_offset)
                lines, length = complete_lines(file.read())
        except FileNotFoundError:
            return
        self.queue_offset += length
        for line in lines:
            run = RunDirectory(self.workspace.runs / str(line.get("run")))
            if run.path.is_dir():
                self._watch(run)

    def _watch(self, run: RunDirectory) -> None:
        try:
            ended = read_state(run)
            if (ended.is_active or ended.state == "interrupted") and run.is_at_home():
                self.watched[run.id] = run
        except LovtError as error:
            say(f"{run.id}: {error}")

    def tick(self) -> None:
        """Bring every watched run one step further, in the order in which they were queued."""
        for run in list(self.watched.values()):
            if not (run.path / "experiment.yaml").exists():
                self._forget(run)
                continue
            try:
                state = read_state(run)
                self._tend(run, state)
            except (LovtError, OSError) as error:
                say(f"{run.id}: {error}")

    def _forget(self, run: RunDirectory) -> None:
        """Somebody has removed a run's directory: end its worker, if it is ours, and think of it no more."""
        say(f"{run.id}: its directory was removed")
        self.watched.pop(run.id, None)
        if (child := self.children.pop(run.id, None)) is not None and child.poll() is None:
            child.kill()
            child.wait()

    def _tend(self, run: RunDirectory, state: RunState) -> None:
        child = self.children.get(run.id)
        code = child.poll() if child else None
        match state.state:
            case "queued" if child is None or code is not None:
                self.children.pop(run.id, None)
                self._launch(run, state)
            case "launched" | "running" | "lost" if _died_unrecorded(state) and (child is None or code is not None):
                self.children.pop(run.id, None)
                _record_exit(run, state.attempt, _describe_code(code))
            case "interrupted" if not state.lock_held:
                _requeue(run, state.attempt, "interrupted")
            case "queued" | "launched" | "running" | "interrupted":
                pass
            case _ if child is None or code is not None:
                self.children.pop(run.id, None)
                self.watched.pop(run.id, None)

    def _launch(self, run: RunDirectory, state: RunState) -> None:
        """Locks first, then `launch n`, then the worker, then our copies are closed: no gap and no timer."""
        device = asked_device(run.experiment())
        if not any_slot_free(device):
            return
        lock = take_lock(run.worker_lock)
        if lock is None:
            return
        taken: TakenSlot | None = None
        try:
            taken = take_free_slot(device)
            if taken is None:
                return
            with deciding(run.path):
                now = read_state(run)
                if (now.state, now.attempt) != ("queued", state.attempt):
                    return
                append_launch(run, state.attempt, taken.slot)
            descriptors = (lock, taken.descriptor)
            self.children[run.id] = start_worker(run, state.attempt, descriptors, taken.slot.environment())
        except OSError as error:
            _record_exit(run, state.attempt, {"error": f"the worker could not be started: {error.strerror}"})
        finally:
            os.close(lock)
            if taken is not None:
                taken.release()

    def is_idle(self) -> bool:
        """Whether nothing is queued, at work or about to be queued again."""
        return not self.watched


def append_launch(run: RunDirectory, attempt: int, slot: Slot) -> None:
    """Say that an attempt is being started; the caller holds the worker's lock, the slot's and control's."""
    details = {"launcher": "local", "slot": slot.name, "title": slot.title, "scheduler": os.getpid()}
    append_control(run.control, record("launch", attempt, **details))


def _died_unrecorded(state: RunState) -> bool:
    """Whether a worker has ended without a last word and nobody has written down how."""
    return state.state in ("launched", "running", "lost") and not state.lock_held and not state.exit_recorded


def _describe_code(code: int | None) -> dict[str, Any]:
    if code is None:
        return {"unknown": True}
    if code < 0:
        return {"signal": signal.Signals(-code).name}
    return {"code": code}


def _record_exit(run: RunDirectory, attempt: int, how: dict[str, Any]) -> None:
    """Append `exited n` for a worker without a last word; one that died before its first event is queued again."""
    with deciding(run.path):
        state = read_state(run)
        if state.attempt != attempt or not _died_unrecorded(state):
            return
        before_start = not run.events(attempt).exists()
        exited = record("exited", attempt, **how, before_start=before_start, log=_last_log_lines(run.log))
        records = [exited]
        if before_start and not state.stop_asked and _deaths_before_start(run) + 1 < MAX_DEATHS_BEFORE_START:
            records.append(record("queued", attempt + 1, reason="the worker died before its first event"))
        append_control(run.control, *records)


def _deaths_before_start(run: RunDirectory) -> int:
    """Exits in a row, up to now, of workers that died before their first event."""
    count = 0
    for item in read_control(run.control):
        if item.operation == "exited":
            count = count + 1 if item.details.get("before_start") else 0
    return count


def _requeue(run: RunDirectory, attempt: int, reason: str) -> None:
    with deciding(run.path):
        state = read_state(run)
        if (state.state, state.attempt) == ("interrupted", attempt):
            append_control(run.control, record("queued", attempt + 1, reason=reason))


def _last_log_lines(path: Path, count: int = 5) -> list[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 4096))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def say(message: str) -> None:
    """One line in the scheduler's log."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")
    sys.stderr.flush()


def run_scheduler(workspace: Workspace) -> bool:
    """Work until nothing is left to do; False when another scheduler lives."""
    lock = take_lock(workspace.scheduler_lock)
    if lock is None:
        return False
    scheduler = Scheduler(workspace)
    with holding(workspace.queue_lock):
        scheduler.read_queue()
    scheduler.look_around()
    while True:
        with holding(workspace.queue_lock):
            scheduler.read_queue()
            if scheduler.is_idle():
                os.close(lock)
                return True
        scheduler.tick()
        time.sleep(TICK_SECONDS)


def main() -> None:
    """Entry point of the detached process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    workspace = Workspace(Path(sys.argv[1]))
    try:
        run_scheduler(workspace)
    except LovtError as error:
        say(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
