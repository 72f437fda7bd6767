"""Processes that outlive whoever starts them: the scheduler of a workspace, the coordinator of a sweep."""

import os
import subprocess
import sys
from pathlib import Path

_started: list["subprocess.Popen[bytes]"] = []
"""What this process has started and not yet seen end: kept so that it is reaped."""


def start_detached(module: str, *arguments: str, log: Path) -> None:
    """Start a module of this program in a session of its own; all that it says goes to the end of `log`."""
    _started[:] = [process for process in _started if process.poll() is None]
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            cwd="/",
        )
        _started.append(process)
    finally:
        os.close(descriptor)
