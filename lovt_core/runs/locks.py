"""`flock` as proof of life: whoever holds the lock is alive, whatever pids and time stamps say."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lovt_core.errors import RecordError

TAKE_SECONDS = 2.0
"""How long a taker tries: a probe holds a lock shared for an instant, which must not look like an owner."""


def open_lock(path: Path) -> int:
    """Descriptor of a lock file, created private to the user; not inherited by programs that are started."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def take_lock(path: Path, seconds: float = TAKE_SECONDS) -> int | None:
    """Exclusive lock on `path` as an open descriptor, or None when somebody holds it for `seconds`."""
    descriptor = open_lock(path)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.01)
        else:
            return descriptor


def is_locked(path: Path) -> bool:
    """Whether anybody holds `path` exclusively (a missing file is free)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def holding(path: Path, seconds: float = 30.0) -> Iterator[None]:
    """Hold `path` for the block; raises RecordError when it stays taken for `seconds`."""
    try:
        descriptor = take_lock(path, seconds)
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror}") from error
    if descriptor is None:
        raise RecordError(f"{path} has been locked by another process for {seconds:.0f} seconds")
    try:
        yield
    finally:
        os.close(descriptor)
