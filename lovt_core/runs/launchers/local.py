"""Starts a worker on this machine, in its own session, with the locks already held for it."""

import os
import subprocess
import sys
from collections.abc import Mapping

from lovt_core.runs.directory import RunDirectory


def start_worker(
    run: RunDirectory, attempt: int, descriptors: tuple[int, ...], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start `python -m lovt_core.worker` for one attempt. The locks behind `descriptors` live on in the worker.

    Raises OSError when the process cannot be started.
    """
    log = os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    handed = ",".join(str(descriptor) for descriptor in descriptors)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "lovt_core.worker", str(run.path), "--attempt", str(attempt), "--locks", handed],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
            cwd="/",
            env={**run.environment(), **environment, "PYTHONUNBUFFERED": "1"},
        )
    finally:
        os.close(log)
