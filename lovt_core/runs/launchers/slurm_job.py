"""What a job of Slurm's does first: become the worker. submitit calls `run_worker` by its name, on the node."""

import os
import signal
import sys
from pathlib import Path

HELD_SIGNALS = (signal.SIGTERM, signal.SIGUSR2)
"""By which Slurm asks to end: they wait until the worker has its own handlers, in place of submitit's."""


def run_worker(run: str, attempt: int) -> None:
    """Replace this process by the worker of one attempt, which writes into the run's log from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD_SIGNALS)
    log = os.open(Path(run) / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    command = [sys.executable, "-m", "lovt_core.worker", run, "--attempt", str(attempt), "--slurm"]
    os.execv(sys.executable, command)  # noqa: S606 - a list, no shell
