"""Slots: lock files of this host, one for each run that computes, shared by all workspaces.

Each GPU has a few (several small runs may share it), the CPU has as many as are asked for. A slot's descriptor is
handed to the worker and lives as long as it does, so a slot is taken if and only if its lock is held. What is written
in the file says who holds it and how much memory is kept for it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lovt_core.runs.locks import holding, is_locked, take_lock
from lovt_core.runs.machine import state_folder

MAX_SHARES = 16
"""Most runs on one GPU."""
CPU = "cpu"


@dataclass(frozen=True)
class Holder:
    """Who holds a slot."""

    run: str = ""
    workspace: str = ""
    memory: int = 0
    """Bytes kept for it on its GPU."""
    pid: int = 0
    """Its worker, once that has begun; it leads the session of its helpers."""


@dataclass(frozen=True)
class HeldSlot:
    """A slot that is taken."""

    device: str
    """UUID of a GPU, or `cpu`."""
    share: int
    holder: Holder


@dataclass(frozen=True)
class TakenSlot:
    """A slot that this process has taken, and the descriptor that holds its lock."""

    device: str
    title: str
    share: int
    descriptor: int

    def write(self, holder: Holder) -> None:
        """Say who holds it."""
        write_holder(self.descriptor, holder)

    def release(self) -> None:
        """Close this process's copy of the descriptor."""
        os.close(self.descriptor)


def write_holder(descriptor: int, holder: Holder) -> None:
    """Write into a slot's file through the descriptor that holds its lock; a full disk costs the note, not the run."""
    content = json.dumps(asdict(holder)).encode() + b"\n"
    with suppress(OSError):
        os.pwrite(descriptor, content, 0)
        os.ftruncate(descriptor, len(content))


def note_memory(descriptor: int, memory: int) -> None:
    """Replace the memory kept for a slot by what its run turned out to need."""
    size = os.fstat(descriptor).st_size
    write_holder(descriptor, replace(_parse_holder(os.pread(descriptor, size, 0)), memory=memory))


@contextmanager
def placing() -> Iterator[None]:
    """Hold the right to choose among this host's slots, so that what was free when looked at is free when taken."""
    with holding(state_folder() / "placing.lock"):
        yield


def list_held(devices: "tuple[str, ...]") -> tuple[HeldSlot, ...]:
    """Slots of these devices that are taken now."""
    found = []
    for device in devices:
        for share, path in _lock_files(device):
            if is_locked(path):
                found.append(HeldSlot(device, share, _read_holder(path)))
    return tuple(found)


def take_slot(device: str, title: str, shares: int = MAX_SHARES) -> TakenSlot | None:
    """The first free one of a device's first `shares` slots, or None when all are taken."""
    for share in range(shares):
        descriptor = take_lock(_lock_file(device, share), seconds=0)
        if descriptor is not None:
            return TakenSlot(device, title, share, descriptor)
    return None


def _lock_file(device: str, share: int) -> Path:
    if device == CPU:
        return state_folder() / f"cpu-{share}.lock"
    suffix = f"-{share}" if share else ""
    return state_folder() / f"gpu-{device}{suffix}.lock"


def _lock_files(device: str) -> Iterator[tuple[int, Path]]:
    """Lock files of a device that exist; they are made in their order and never removed."""
    share = 0
    while (path := _lock_file(device, share)).exists():
        yield share, path
        share += 1


def _read_holder(path: Path) -> Holder:
    try:
        return _parse_holder(path.read_bytes())
    except OSError:
        return Holder()


def _parse_holder(content: bytes) -> Holder:
    try:
        return Holder(**json.loads(content))
    except (ValueError, TypeError):
        return Holder()
