"""The scheduler: starts queued runs when there is a place, and says of its workers how they ended.

One process per workspace and host (a file lock), detached from whoever started it. If it dies, its workers go on and
the next scheduler adopts them. `python -m lovt_core.runs.queueing.scheduler WORKSPACE`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lovt_core.config.settings import Settings, load_settings
from lovt_core.errors import LovtError, RecordError
from lovt_core.files import write_text_atomic
from lovt_core.runs.causes import read_oom_kills
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.gpus import Gpu, read_gpus
from lovt_core.runs.launchers.slurm import is_on_slurm
from lovt_core.runs.launchers.slurm_chains import tend_chains
from lovt_core.runs.launchers.slurm_ended import record_job_end
from lovt_core.runs.lines import complete_lines
from lovt_core.runs.locks import holding, take_lock
from lovt_core.runs.queue_file import compact, read_order
from lovt_core.runs.queueing.endings import died_unrecorded, queue_interrupted, queue_retry, record_exit
from lovt_core.runs.queueing.launching import Candidate, Launcher, find_candidate
from lovt_core.runs.queueing.notices import describe_end, start_notice
from lovt_core.runs.queueing.retrying import default_retry, plan_retry
from lovt_core.runs.state import RunState, read_state
from lovt_core.runs.workspace import Workspace

TICK_SECONDS = 0.25
SLURM_SECONDS = 5.0
"""Runs that Slurm has are looked at this often."""
PLACE_SECONDS = 1.0
"""A queue in which nothing has changed is looked at this often: memory of GPUs comes free without a word."""


@dataclass
class Scheduler:
    """The mutable heart: which runs are watched, and which workers are children of this process."""

    workspace: Workspace
    read_gpus: Callable[[], tuple[Gpu, ...]] = read_gpus
    watched: dict[str, RunDirectory] = field(default_factory=dict)
    on_slurm: dict[str, RunDirectory] = field(default_factory=dict)
    """Runs that Slurm has: looked at as long as this process lives, which it does not for their sake."""
    queued: dict[str, Candidate] = field(default_factory=dict)
    """Watched runs that wait, as they were read last."""
    children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    """Run id -> why it does not start."""
    settings: Settings = field(default_factory=Settings)
    queue_seen: tuple[int, int] = (0, 0)
    """Inode of the queue file, and how much of it was read."""
    is_stuck: bool = False
    """Whether everything that is queued waits for a person."""
    _oom_kills: int = field(default_factory=read_oom_kills)
    _place_due: float = 0.0
    _slurm_due: float = 0.0
    _notices: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _settings_stamp: object = None

    def look_around(self) -> None:
        """Watch every run of this machine that is not at its end."""
        self._read_settings()
        for run in list_runs(self.workspace):
            self._watch(run)
        self._look_at_slurm()

    def read_queue(self) -> None:
        """Watch the runs that were announced since the last look; the caller holds the queue lock."""
        try:
            with self.workspace.queue.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                offset = self.queue_seen[1] if inode == self.queue_seen[0] else 0
                file.seek(offset)
                lines, length = complete_lines(file.read())
        except FileNotFoundError:
            return
        self.queue_seen = (inode, offset + length)
        if lines:
            self._place_due = 0.0
        for run_id in dict.fromkeys(str(line.get("run")) for line in lines if "run" in line):
            run = RunDirectory(self.workspace.runs / run_id)
            if run.path.is_dir():
                self._watch(run)

    def compact_queue(self) -> None:
        """Write a long queue file anew; the caller holds the queue lock and has just read it."""

        def is_queued(run_id: str) -> bool:
            run = RunDirectory(self.workspace.runs / run_id)
            return run.path.is_dir() and read_state(run).state == "queued"

        compact(self.workspace, is_queued)

    def _watch(self, run: RunDirectory) -> None:
        try:
            state = read_state(run)
            if self._is_open(run, state) and run.is_at_home():
                (self.on_slurm if _is_slurms(run, state) else self.watched)[run.id] = run
                self.queued.pop(run.id, None)
        except LovtError as error:
            say(f"{run.id}: {error}")

    def _is_open(self, run: RunDirectory, state: RunState) -> bool:
        """Whether anything is still to be done for a run."""
        if state.is_active or state.state == "interrupted" or died_unrecorded(state) or state.told_by_slurm:
            return True
        return plan_retry(run, state, default_retry(self.settings)) is not None

    def _look_at_slurm(self) -> None:
        """Runs that Slurm has no more are watched like all others; those that wait for them are brought up to date."""
        if not self.on_slurm or time.monotonic() < self._slurm_due:
            return
        self._slurm_due = time.monotonic() + SLURM_SECONDS
        try:
            for run in list(self.on_slurm.values()):
                if not _is_slurms(run, read_state(run)):
                    self.watched[run.id] = self.on_slurm.pop(run.id)
            for word in tend_chains(self.workspace):
                say(word)
        except (LovtError, OSError) as error:
            say(str(error))

    def tick(self) -> None:
        """Bring every watched run one step further, then start what has a place."""
        self._read_settings()
        self._look_at_slurm()
        for run in list(self.watched.values()):
            if not (run.path / "experiment.yaml").exists():
                self._forget(run)
                continue
            try:
                self._tend(run)
            except (LovtError, OSError) as error:
                say(f"{run.id}: {error}")
        self._oom_kills = read_oom_kills()
        if self.queued and time.monotonic() >= self._place_due:
            try:
                self._place()
            except (LovtError, OSError) as error:
                say(f"nothing was started: {error}")
        self._publish_waits()
        self._notices = [process for process in self._notices if process.poll() is None]

    def _forget(self, run: RunDirectory) -> None:
        """Somebody has removed a run's directory: end its worker, if it is ours, and think of it no more."""
        say(f"{run.id}: its directory was removed")
        self.watched.pop(run.id, None)
        self.queued.pop(run.id, None)
        if (child := self.children.pop(run.id, None)) is not None and child.poll() is None:
            child.kill()
            child.wait()

    def _tend(self, run: RunDirectory) -> None:
        if run.id in self.queued and self.queued[run.id].is_current():
            return
        child = self.children.get(run.id)
        code = child.poll() if child else None
        if child is not None and code is None:
            return  # of a living child there is nothing to decide: all that is asked of it, it reads itself
        state = read_state(run)
        self.children.pop(run.id, None)
        self.queued.pop(run.id, None)
        if _is_slurms(run, state) or (state.told_by_slurm and not record_job_end(run, state.attempt)):
            self.on_slurm[run.id] = self.watched.pop(run.id)
            return
        match state.state:
            case "queued":
                self.queued[run.id] = find_candidate(run, state)
                self._place_due = 0.0
            case _ if state.told_by_slurm:
                pass  # now it is written down, which the next round reads
            case "launched" | "running" | "lost" if died_unrecorded(state):
                self._place_due = 0.0
                record_exit(run, state.attempt, code, oom_killed=read_oom_kills() > self._oom_kills)
            case "interrupted" if not state.lock_held:
                queue_interrupted(run, state.attempt)
            case "launched" | "running" | "interrupted":
                pass
            case _ if not state.lock_held:
                self._end(run, state)

    def _end(self, run: RunDirectory, state: RunState) -> None:
        self._place_due = 0.0
        if queue_retry(run, default_retry(self.settings)):
            return
        self.watched.pop(run.id, None)
        self.waits.pop(run.id, None)
        if self.settings.notify:
            try:
                self._notices.append(start_notice(self.settings.notify, describe_end(run, state)))
            except OSError as error:
                say(f"{run.id}: notify: cannot start {self.settings.notify[0]}: {error.strerror}")

    def _place(self) -> None:
        """Start whatever can start, in the order of the queue."""
        self._place_due = time.monotonic() + PLACE_SECONDS
        order = read_order(self.workspace)
        ordered = order.sort(self.queued, {run_id: each.priority for run_id, each in self.queued.items()})
        launcher = Launcher(self.workspace, self.settings, self.read_gpus, order.paused)
        outcome = launcher.start([self.queued[run_id] for run_id in ordered])
        self.children.update(outcome.children)
        self.waits = outcome.waits
        self.is_stuck = outcome.is_stuck
        for message in outcome.messages:
            say(message)

    def _read_settings(self) -> None:
        path = self.workspace.settings
        try:
            stat = path.stat()
            stamp: object = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            stamp = None
        if stamp == self._settings_stamp:
            return
        self._settings_stamp = stamp
        try:
            self.settings = load_settings(self.workspace.settings)
        except LovtError as error:
            say(f"{error}; going on with the settings before")

    def _publish_waits(self) -> None:
        """Tell readers why runs wait; no more than a note, so a full disk costs nothing else."""
        waits = {run_id: reason for run_id, reason in self.waits.items() if reason and run_id in self.queued}
        text = json.dumps(waits)
        path = self.workspace.waits
        with suppress(LovtError, OSError):
            if (path.read_text() if path.exists() else "{}") != text:
                write_text_atomic(path, text)

    def is_idle(self) -> bool:
        """Whether nothing is at work or about to be, and nothing queued could start without a person."""
        return not self.watched or (self.is_stuck and set(self.watched) == set(self.queued))


def _is_slurms(run: RunDirectory, state: RunState) -> bool:
    """Whether Slurm has a job of the run, and this process nothing to do for it."""
    return state.state in ("launched", "running") and state.lock_held and is_on_slurm(run)


def say(message: str) -> None:
    """One line in the scheduler's log; a full disk costs the line, not the scheduler."""
    with suppress(OSError):
        sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")
        sys.stderr.flush()


def run_scheduler(workspace: Workspace, read: Callable[[], tuple[Gpu, ...]] = read_gpus) -> bool:
    """Work until nothing is left to do; False when another scheduler lives."""
    lock = take_lock(workspace.scheduler_lock)
    if lock is None:
        return False
    scheduler = Scheduler(workspace, read)
    with holding(workspace.queue_lock):
        scheduler.compact_queue()
        scheduler.read_queue()
    scheduler.look_around()
    while True:
        try:
            with holding(workspace.queue_lock):
                scheduler.read_queue()
                if scheduler.is_idle():
                    os.close(lock)
                    return True
        except RecordError as error:
            say(str(error))
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
