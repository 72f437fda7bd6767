"""On which GPU, or whether on the CPU, a run may start now: a pure choice, with the reason where it must wait."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil

from lovt_core.config.settings import Settings
from lovt_core.runs.gpus import GB, Gpu, GpuProcess, choose_gpus
from lovt_core.runs.queueing.slots import CPU, HeldSlot, Holder
from lovt_core.runs.terms import Terms

TOLERANCE = 0.1
"""Part of a GPU that a desktop or a driver may use while the GPU still counts as free."""


def find_session(pid: int) -> int | None:
    """Process that leads the session of `pid`; None when it is not there, or in a container of its own."""
    try:
        return os.getsid(pid)
    except OSError:
        return None


@dataclass(frozen=True)
class Host:
    """What there is to compute on, read at one moment."""

    gpus: tuple[Gpu, ...]
    held: tuple[HeldSlot, ...]
    settings: Settings
    session_of: Callable[[int], int | None] = find_session
    workspace: str = ""
    """Path of the workspace whose runs are placed; what others hold is said to be theirs."""


@dataclass(frozen=True)
class Place:
    """Where a run starts: the CPU, or GPUs by UUID, with the memory kept on each."""

    devices: tuple[str, ...]
    title: str
    memory: int = 0
    """Bytes."""

    @property
    def visible(self) -> str:
        """`CUDA_VISIBLE_DEVICES` of the worker."""
        return "" if self.devices == (CPU,) else ",".join(self.devices)


@dataclass(frozen=True)
class Waits:
    """Why a run cannot start now."""

    reason: str


def choose_place(device: str, terms: Terms, host: Host) -> Place | Waits:
    """The first allowed place with room for a run that asks for `device` (`auto`, `cpu`, `cuda`, `cuda:1`)."""
    allowed = allowed_gpus(terms, host)
    if device.startswith("cuda:"):
        allowed = tuple(gpu for gpu in allowed if f"cuda:{gpu.index}" == device)
        if not allowed:
            return Waits(f"needs GPU {device.removeprefix('cuda:')}, and may not use it")
    if device == "cpu" or terms.gpus == 0 or (device == "auto" and not allowed):
        return _choose_cpu(host)
    if not allowed:
        return Waits("needs a GPU, and there is none that it may use")
    wanted = terms.gpus or 1
    if wanted > len(allowed):
        return Waits(f"needs {wanted} GPUs, and may use {len(allowed)}")
    refusals = {gpu: _refuse(gpu, terms, host) for gpu in allowed}
    open_gpus = [gpu for gpu, refusal in refusals.items() if refusal is None][:wanted]
    if len(open_gpus) == wanted:
        memory = max(needed_memory(gpu, terms, host.settings) for gpu in open_gpus)
        return Place(tuple(gpu.uuid for gpu in open_gpus), ", ".join(gpu.title for gpu in open_gpus), memory)
    return Waits("; ".join(refusal for refusal in refusals.values() if refusal))


def allowed_gpus(terms: Terms, host: Host) -> tuple[Gpu, ...]:
    """GPUs that a run may use, in the order in which they are to be taken."""
    seen = None if terms.allowed_gpus is None else [part for part in terms.allowed_gpus.split(",") if part.strip()]
    visible = choose_gpus(host.gpus, seen)
    return choose_gpus(visible, host.settings.gpus) if host.settings.gpus is not None else visible


def needed_memory(gpu: Gpu, terms: Terms, settings: Settings) -> int:
    """Bytes kept on a GPU for a run: what it declares, else its part of the GPU."""
    if terms.gpu_memory is not None and terms.gpus in (None, 1):
        return int(terms.gpu_memory * GB)
    return gpu.total if (terms.gpus or 1) > 1 else gpu.total // settings.runs_per_gpu


def _choose_cpu(host: Host) -> Place | Waits:
    at_work = [slot for slot in host.held if slot.device == CPU]
    if len(at_work) < host.settings.cpu_slots:
        return Place((CPU,), "CPU")
    what = "the CPU is" if host.settings.cpu_slots == 1 else "all CPU slots are"
    return Waits(f"{what} taken by {_name_runs(at_work, host)}")


def _refuse(gpu: Gpu, terms: Terms, host: Host) -> str | None:
    """Why a run cannot start on a GPU now; None where it can."""
    ours = [slot for slot in host.held if slot.device == gpu.uuid]
    needed = needed_memory(gpu, terms, host.settings)
    kept = sum(slot.holder.memory or gpu.total for slot in ours)
    if kept + needed > gpu.total:
        if needed > gpu.total:
            return f"{gpu.title} has only {gpu.total / GB:.0f} GB, {needed / GB:.0f} are needed"
        return f"{gpu.title} is taken by {_name_runs(ours, host)}"
    sessions = {slot.holder.pid for slot in ours if slot.holder.pid}
    foreign = [process for process in gpu.processes if host.session_of(process.pid) not in sessions]
    if foreign and terms.gpu_memory is None and not host.settings.share_with_others:
        return f"{gpu.title} is used by {_describe(foreign[0])}"
    free = gpu.free - _reserved_unused(gpu, kept, foreign, known=bool(gpu.processes))
    if free < needed - (TOLERANCE * gpu.total if terms.gpu_memory is None else 0):
        return f"{gpu.title} has {max(0, free) / GB:.1f} GB free, {needed / GB:.1f} are needed"
    return None


def _reserved_unused(gpu: Gpu, kept: int, foreign: Sequence[GpuProcess], *, known: bool) -> int:
    """Bytes that runs at work may still take: what is kept for them without what they use already.

    Where the driver names no process (in containers), all that is used counts as theirs.
    """
    used = gpu.total - gpu.free
    if known:
        used -= sum(process.memory for process in foreign)
    return max(0, kept - max(0, used))


def _name_runs(slots: Sequence[HeldSlot], host: Host) -> str:
    return ", ".join(_name_run(slot.holder, host) for slot in slots) or "other runs"


def _name_run(holder: Holder, host: Host) -> str:
    where = f" of {holder.workspace}" if holder.workspace and holder.workspace != host.workspace else ""
    return f"{holder.run or 'another run'}{where}"


def _describe(process: GpuProcess) -> str:
    try:
        owner = f" of {psutil.Process(process.pid).username()}"
    except (psutil.Error, KeyError):
        owner = ""
    memory = f" ({process.memory / GB:.1f} GB)" if process.memory else ""
    return f"another program: process {process.pid}{owner}{memory}"
