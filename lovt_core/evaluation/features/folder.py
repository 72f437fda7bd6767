"""The folder of the feature cache: who uses which entry, what makes room, and what killed processes have left.

    <name>/                one entry, immutable
    <name>.lock            held shared by all who have the entry open, exclusively by whoever builds or removes it
    .<name>.<bytes>.tmp/   an entry that is being built (so many bytes are reserved) or removed (0 bytes)
    .lock                  held for an instant by whoever looks for an entry, begins, publishes or removes one

Locks of entries are taken and their files removed under `.lock` alone, so nobody ever holds the lock of a file that is
gone. All are given up when their holder ends, however it ends.
"""

import errno
import fcntl
import os
import re
import shutil
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lovt_core.evaluation.features.entry import META_FILE
from lovt_core.files import sync_folder

WAIT_SECONDS: Final = 60.0
"""How long to wait for `.lock`: somebody may be deleting gigabytes under it."""
_NAME: Final = re.compile(r"[0-9a-f]{32}")
_TEMPORARY: Final = re.compile(r"\.([0-9a-f]{32})\.([0-9]+)\.tmp")
_LOCK: Final = re.compile(r"([0-9a-f]{32})\.lock")


class FileLock:
    """An open lock file; closed, and the lock given up, by `release()` or when nobody refers to it any more."""

    def __init__(self, path: Path) -> None:
        """Create the file where it is absent; nothing is locked yet."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.release = weakref.finalize(self, os.close, self._descriptor)

    def take(self, operation: int) -> bool:
        """Try LOCK_SH or LOCK_EX at once; false where others are in the way."""
        try:
            fcntl.flock(self._descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@dataclass(frozen=True)
class Found:
    """An entry that is there, in use by us."""

    path: Path
    lock: FileLock


@dataclass(frozen=True)
class Begun:
    """An entry that is ours to build: `temporary` is an empty folder that becomes `path`."""

    path: Path
    temporary: Path
    lock: FileLock


@dataclass(frozen=True)
class Refused:
    """An entry that can be neither used nor built now, and why: the beginning of a sentence."""

    reason: str


class FeatureFolder:
    """Entries by name (32 hex digits) within a budget. Any number of processes may use one folder.

    All methods raise OSError where the folder refuses.
    """

    def __init__(self, path: Path, budget_bytes: int) -> None:
        """`path` is made when it is first needed. What is there is used even if it is more than the budget."""
        self.path = path
        self.budget_bytes = budget_bytes

    def claim(self, name: str, num_bytes: int) -> Found | Begun | Refused:
        """The entry for use if it is there, else for building if `num_bytes` fit, else neither.

        Entries that nobody uses make room, the least recently used first; none is removed where that is not enough.
        """
        path = self.path / name
        with self._alone(), ExitStack() as stack:
            self._clean()
            lock = FileLock(self._lock_path(name))
            stack.callback(lock.release)
            if path.is_dir() and lock.take(fcntl.LOCK_SH):
                with suppress(FileNotFoundError):
                    os.utime(path / META_FILE)
                stack.pop_all()
                return Found(path, lock)
            if not lock.take(fcntl.LOCK_EX):
                return Refused(f"another evaluation is just encoding the same features into {self.path}")
            stack.callback(self._lock_path(name).unlink, missing_ok=True)
            if (refused := self._make_room(num_bytes)) is not None:
                return refused
            temporary = self.path / f".{name}.{num_bytes}.tmp"
            temporary.mkdir(mode=0o700)
            stack.pop_all()
            return Begun(path, temporary, lock)

    def publish(self, begun: Begun) -> Found:
        """The entry is whole, its files are durable: others may use it from now on."""
        sync_folder(begun.temporary)
        with self._alone():
            begun.temporary.rename(begun.path)
            sync_folder(self.path)
            begun.lock.take(fcntl.LOCK_SH)
        return Found(begun.path, begun.lock)

    def abandon(self, begun: Begun) -> None:
        """Remove what is there of an entry that was not published."""
        shutil.rmtree(begun.temporary, ignore_errors=True)
        with suppress(OSError), self._alone():
            self._lock_path(begun.path.name).unlink(missing_ok=True)
        begun.lock.release()

    def discard(self, found: Found) -> None:
        """Stop using a damaged entry and remove it, unless others use it too."""
        try:
            with self._alone():
                if found.path.is_dir() and found.lock.take(fcntl.LOCK_EX):
                    self._remove(found.path)
        finally:
            found.lock.release()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(self.path / ".lock")
        deadline = time.monotonic() + WAIT_SECONDS
        try:
            while not lock.take(fcntl.LOCK_EX):
                if time.monotonic() >= deadline:
                    raise TimeoutError(errno.ETIMEDOUT, f"its lock was taken for {WAIT_SECONDS:.0f} seconds")
                time.sleep(0.01)
            yield
        finally:
            lock.release()

    def _make_room(self, num_bytes: int) -> Refused | None:
        sizes = {path: _count_bytes(path) for path in self.path.iterdir() if _NAME.fullmatch(path.name)}
        lacking = sum(sizes.values()) + self._count_reserved() + num_bytes - self.budget_bytes
        victims = []
        with ExitStack() as stack:
            for path in sorted(sizes, key=_last_use):
                if lacking <= 0:
                    break
                if (lock := self._take_exclusively(path.name)) is not None:
                    stack.callback(lock.release)
                    victims.append(path)
                    lacking -= sizes[path]
            if lacking > 0:
                return self._refuse(num_bytes)
            for path in victims:
                self._remove(path)
        if shutil.disk_usage(self.path).free < num_bytes:
            raise OSError(errno.ENOSPC, f"{num_bytes / 1e9:.3g} GB are needed, the disk has less left")
        return None

    def _refuse(self, num_bytes: int) -> Refused:
        beside = f" beside those in use in {self.path}" if num_bytes <= self.budget_bytes else ""
        return Refused(
            f"{num_bytes / 1e9:.3g} GB of features do not fit into the disk budget of {self.budget_bytes / 1e9:.3g} GB "
            f"(cache.disk_gb){beside}"
        )

    def _clean(self) -> None:
        """Remove what ended processes have left: folders half built or half removed, locks of nothing."""
        matches = [_TEMPORARY.fullmatch(path.name) or _LOCK.fullmatch(path.name) for path in self.path.iterdir()]
        for name in {match[1] for match in matches if match}:
            if (lock := self._take_exclusively(name)) is not None:
                for temporary in self.path.glob(f".{name}.*.tmp"):
                    shutil.rmtree(temporary, ignore_errors=True)
                if not (self.path / name).is_dir():
                    self._lock_path(name).unlink()
                lock.release()

    def _remove(self, path: Path) -> None:
        doomed = self.path / f".{path.name}.0.tmp"
        path.rename(doomed)
        shutil.rmtree(doomed)
        self._lock_path(path.name).unlink(missing_ok=True)

    def _count_reserved(self) -> int:
        matches = [_TEMPORARY.fullmatch(path.name) for path in self.path.iterdir()]
        return sum(int(match[2]) for match in matches if match)

    def _take_exclusively(self, name: str) -> FileLock | None:
        lock = FileLock(self._lock_path(name))
        if lock.take(fcntl.LOCK_EX):
            return lock
        lock.release()
        return None

    def _lock_path(self, name: str) -> Path:
        return self.path / f"{name}.lock"


def _count_bytes(entry: Path) -> int:
    return sum(file.stat().st_size for file in entry.iterdir())


def _last_use(entry: Path) -> tuple[int, str]:
    """Opening an entry touches its `meta.json`; one without it goes first."""
    meta = entry / META_FILE
    return meta.stat().st_mtime_ns if meta.is_file() else 0, entry.name
