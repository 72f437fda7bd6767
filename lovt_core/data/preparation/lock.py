"""One preparation of a data set at a time: a lock that the system frees however its holder ends."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lovt_core.errors import InputError, LovtError

LOCK_FILE = ".prepare.lock"


@contextmanager
def preparation_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the data set's folder (made where absent); what a killed command left half-written is removed.

    Raises InputError when another process holds it, LovtError when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LovtError(f"cannot prepare in {folder}: {error.strerror}") from error
    try:
        _take(descriptor, folder)
        _clean(folder)
        yield
    finally:
        os.close(descriptor)


def _clean(folder: Path) -> None:
    try:
        for leftover in folder.glob(".*.tmp"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    except OSError as error:
        raise LovtError(f"cannot remove {error.filename}, left by a killed command: {error.strerror}") from error


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise InputError(
            f"{folder.name} is being prepared in {folder} by another command (process {holder}): wait until it ends"
        ) from error
    except OSError as error:
        raise LovtError(f"cannot lock {folder / LOCK_FILE}: {error.strerror}") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
