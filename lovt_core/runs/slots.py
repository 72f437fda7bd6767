"""Places where one run at a time computes: each GPU of the host, or one CPU slot where there is none.

A slot is a lock file in this machine's state folder, so it holds across workspaces. Its descriptor is handed to the
worker and lives as long as the worker does.
"""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lovt_core.runs.locks import is_locked, take_lock
from lovt_core.runs.machine import state_folder


@dataclass(frozen=True)
class Slot:
    """One GPU (by UUID) or the CPU."""

    name: str
    """`GPU-<uuid>` or `cpu`."""
    title: str

    @property
    def is_gpu(self) -> bool:
        """Whether it is a GPU."""
        return self.name != "cpu"

    @property
    def lock(self) -> Path:
        """Lock file of the slot on this host."""
        return state_folder() / (f"gpu-{self.name}.lock" if self.is_gpu else "cpu-0.lock")

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


@cache
def list_slots() -> tuple[Slot, ...]:
    """GPUs that this user may see (`CUDA_VISIBLE_DEVICES` as indices or UUIDs), else the CPU."""
    gpus = _list_gpus()
    return gpus if gpus else (CPU,)


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
        descriptor = take_lock(slot.lock, seconds=0)
        if descriptor is not None:
            return TakenSlot(slot, descriptor)
    return None


def any_slot_free(device: str) -> bool:
    """Whether a run of that `device` would find a slot now."""
    return any(not is_locked(slot.lock) for slot in (list_slots() if device != "cpu" else (CPU,)))
