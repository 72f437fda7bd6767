"""Finding the processes of one workspace, killing them at random moments, and watching that no run is at work twice."""

import os
import pty
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lovt_core.runs.workspace import Workspace

LOVT = (sys.executable, "-c", "from lovt_tui.cli.main import main; main()")
DASHBOARD = (sys.executable, "-c", "from lovt_tui.main import main; main()")
WATCH_SECONDS = 0.1
PREFER_REAL = 0.6
"""Real trainings and evaluations are hit more often than the small ones beside them."""


@dataclass(frozen=True)
class Worker:
    """A worker process at work."""

    pid: int
    run: str


def find_workers(workspace: Workspace) -> list[Worker]:
    """Leaders of the sessions of workers; their forked helpers are not counted."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        words = process.info["cmdline"] or []
        if "lovt_core.worker" in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            path = Path(words[words.index("lovt_core.worker") + 1])
            try:
                is_leader = os.getsid(process.pid) == process.pid
            except ProcessLookupError:
                continue
            if path.parent == workspace.runs and is_leader:
                found.append(Worker(process.pid, path.name))
    return found


def find_scheduler(workspace: Workspace) -> int | None:
    """Process of the scheduler; None where none is at work."""
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        is_ours = words[1:3] == ["-m", "lovt_core.runs.queueing.scheduler"] and words[3:] == [str(workspace.path)]
        if is_ours and process.info["status"] != psutil.STATUS_ZOMBIE:
            return process.pid
    return None


def kill(pid: int) -> bool:
    """SIGKILL; whether there was such a process."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Watcher(threading.Thread):
    """Looks all the time whether a run has more than one worker."""

    workspace: Workspace
    violations: list[str] = field(default_factory=list)
    looks: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self._ending.wait(WATCH_SECONDS):
            counts = Counter(worker.run for worker in find_workers(self.workspace))
            self.violations += [f"{run} had {count} workers" for run, count in counts.items() if count > 1]
            self.looks += 1

    def finish(self) -> None:
        self._ending.set()
        self.join()


@dataclass
class Killer:
    """Kills one process after the other."""

    workspace: Workspace
    environment: Mapping[str, str]
    dice: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)

    def kill_worker(self, kinds: Mapping[str, str]) -> None:
        """A worker, at whatever it is doing; `kinds` of runs by their ids."""
        workers = find_workers(self.workspace)
        real = [worker for worker in workers if kinds.get(worker.run, "selftest") != "selftest"]
        if real and self.dice.random() < PREFER_REAL:
            workers = real
        if workers and kill((victim := self.dice.choice(workers)).pid):
            self.killed["worker"] += 1
            self.by_kind[kinds.get(victim.run, "selftest")] += 1

    def kill_scheduler(self) -> None:
        """The scheduler; the next command starts another one."""
        pid = find_scheduler(self.workspace)
        if pid is not None and kill(pid):
            self.killed["scheduler"] += 1

    def kill_command(self, *arguments: str, seconds: float = 1.2) -> None:
        """A `lovt` command, at a random moment of its life."""
        process = subprocess.Popen([*LOVT, *arguments], env=self.environment, **QUIET)
        self._kill_after(process, self.dice.uniform(0.05, seconds), "command")

    def kill_dashboard(self) -> None:
        """The dashboard in a terminal of its own."""
        screen, terminal = pty.openpty()
        process = subprocess.Popen(
            DASHBOARD,
            env={**self.environment, "TERM": "xterm-256color"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        drain = threading.Thread(target=_drain, args=(screen,), daemon=True)
        drain.start()
        self._kill_after(process, self.dice.uniform(0.3, 2.5), "dashboard")
        os.close(terminal)
        drain.join(5)
        os.close(screen)

    def _kill_after(self, process: "subprocess.Popen[bytes]", seconds: float, name: str) -> None:
        time.sleep(seconds)
        if process.poll() is None:
            process.kill()
            self.killed[name] += 1
        process.wait()


QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def _drain(screen: int) -> None:
    try:
        while os.read(screen, 65_536):
            pass
    except OSError:
        return
