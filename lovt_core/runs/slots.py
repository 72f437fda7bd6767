"""Places where one run at a time computes: each GPU of the host, or one CPU slot where there is none.

A slot is a lock file in this machine's state folder, so it holds across workspaces. Its descriptor is handed to the
worker and lives as long as the worker does.

`$LOVT_RUNS_PER_GPU` lets several runs share a GPU: each GPU then has so many slots, and all but the first are free only
while at least half of its memory is. Localized tasks with small batches leave most of a large GPU idle.
"""

import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from lovt_core.errors import InputError
from lovt_core.runs.locks import is_locked, take_lock
from lovt_core.runs.machine import state_folder


@dataclass(frozen=True)
class Slot:
    """One GPU (by UUID) or the CPU."""

    name: str
    """`GPU-<uuid>` or `cpu`."""
    title: str
    share: int = 0
    """Which of the runs on that GPU, from 0."""

    @property
    def is_gpu(self) -> bool:
        """Whether it is a GPU."""
        return self.name != "cpu"

    @property
    def lock(self) -> Path:
        """Lock file of the slot on this host."""
        share = f"-{self.share}" if self.share else ""
        return state_folder() / (f"gpu-{self.name}{share}.lock" if self.is_gpu else "cpu-0.lock")

    @property
    def is_open(self) -> bool:
        """Whether another run may start here as far as memory goes."""
        return self.share == 0 or _free_share(self.name) >= FREE_SHARE

    def environment(self) -> dict[str, str]:
        """What a worker in this slot may see."""
        return {"CUDA_VISIBLE_DEVICES": self.name if self.is_gpu else ""}


@dataclass(frozen=True)
class TakenSlot:
    """A slot and the descriptor that holds its lock."""

    slot: Slot
    descriptor: int

    def release(self) -> None:
        """Close this process's copy of the descriptor."""
        os.close(self.descriptor)


CPU = Slot("cpu", "CPU")
FREE_SHARE = 0.5
"""Share of a GPU's memory that must be free before another run joins those at work there."""


@cache
def list_slots() -> tuple[Slot, ...]:
    """GPUs that this user may see (`CUDA_VISIBLE_DEVICES` as indices or UUIDs), else the CPU."""
    gpus = _list_gpus()
    shared = tuple(replace(gpu, share=share) for share in range(runs_per_gpu()) for gpu in gpus)
    return shared if gpus else (CPU,)


def runs_per_gpu() -> int:
    """How many runs may share a GPU; raises InputError where `$LOVT_RUNS_PER_GPU` is no number."""
    text = os.environ.get("LOVT_RUNS_PER_GPU", "1")
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise InputError(f"LOVT_RUNS_PER_GPU is '{text}': it must be a whole number from 1 on")
    return int(text)


def _free_share(uuid: str) -> float:
    import pynvml

    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByUUID(uuid))
    except pynvml.NVMLError:
        return 0.0
    return float(memory.free / memory.total)


def _list_gpus() -> tuple[Slot, ...]:
    import pynvml

    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        found = [(pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    except pynvml.NVMLError:
        return ()
    slots = [Slot(_text(uuid), _text(name)) for uuid, name in found]
    if allowed is None:
        return tuple(slots)
    wanted = [part.strip() for part in allowed.split(",") if part.strip()]
    chosen = []
    for part in wanted:
        if part.isdigit() and int(part) < len(slots):
            chosen.append(slots[int(part)])
        chosen.extend(slot for slot in slots if part.startswith("GPU-") and slot.name.startswith(part))
    return tuple(chosen)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def take_free_slot(device: str) -> TakenSlot | None:
    """The first free slot that fits a run's `device` (`auto`, `cpu`, `cuda`), or None when all are taken."""
    for slot in list_slots() if device != "cpu" else (CPU,):
        descriptor = take_lock(slot.lock, seconds=0) if slot.is_open else None
        if descriptor is not None:
            return TakenSlot(slot, descriptor)
    return None


def any_slot_free(device: str) -> bool:
    """Whether a run of that `device` would find a slot now."""
    return any(slot.is_open and not is_locked(slot.lock) for slot in (list_slots() if device != "cpu" else (CPU,)))
