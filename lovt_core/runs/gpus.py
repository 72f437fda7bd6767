"""The GPUs of this host as NVML sees them: identity, memory, and who computes on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from lovt_core.errors import InputError

GB = 10**9


@dataclass(frozen=True)
class GpuProcess:
    """A program that computes on a GPU."""

    pid: int
    memory: int
    """Bytes; 0 where the driver does not say."""


@dataclass(frozen=True)
class Gpu:
    """One GPU now."""

    uuid: str
    index: int
    """As in `nvidia-smi`."""
    name: str
    total: int
    """Bytes of memory."""
    free: int
    processes: tuple[GpuProcess, ...] = ()
    """Programs that compute; those that only draw are left out. Empty in containers that hide them."""

    @property
    def title(self) -> str:
        """What people call it."""
        return f"GPU {self.index} ({self.name})"


def read_gpus() -> tuple[Gpu, ...]:
    """All GPUs in NVML's order; none where there is no driver. One that does not answer is left out."""
    import pynvml

    try:
        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError:
        return ()
    found = []
    for index in range(count):
        try:
            found.append(_read_gpu(index))
        except pynvml.NVMLError:
            continue
    return tuple(found)


def read_driver() -> str:
    """Version of the NVIDIA driver; empty where there is none."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return _text(pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError:
        return ""


def _read_gpu(index: int) -> Gpu:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        running = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except pynvml.NVMLError:
        running = []
    processes = tuple(GpuProcess(int(each.pid), int(each.usedGpuMemory or 0)) for each in running)
    uuid, name = (_text(ask(handle)) for ask in (pynvml.nvmlDeviceGetUUID, pynvml.nvmlDeviceGetName))
    return Gpu(uuid, index, name, int(memory.total), int(memory.free), processes)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def choose_gpus(gpus: Sequence[Gpu], wanted: Sequence[str] | None) -> tuple[Gpu, ...]:
    """Those of `wanted` (indices, UUIDs or their beginnings) in that order; all when it is None.

    As with CUDA_VISIBLE_DEVICES, an entry that names nothing ends the list.
    """
    if wanted is None:
        return tuple(gpus)
    chosen: list[Gpu] = []
    for text in wanted:
        match = _find(gpus, text.strip())
        if match is None:
            break
        if match not in chosen:
            chosen.append(match)
    return tuple(chosen)


def find_missing(device: str, gpus: Sequence[Gpu]) -> str | None:
    """Why `device` (`auto`, `cpu`, `cuda`, `cuda:1`) is not on a machine with these GPUs; None where it is."""
    name, _, index = device.partition(":")
    known = [str(gpu.index) for gpu in gpus]
    if name != "cuda" or index in known or (not index and known):
        return None
    if not index:
        return "this machine has no GPU: write auto or cpu"
    there = f"there are: {', '.join(known)}" if known else "it has none; write auto or cpu"
    return f"this machine has no GPU {index}: {there}"


def check_gpus(gpus: Sequence[Gpu], wanted: Sequence[str] | None) -> None:
    """Raise InputError when `settings.yaml` names a GPU that this machine does not have."""
    for text in wanted or ():
        if _find(gpus, text.strip()) is None:
            known = ", ".join(f"{gpu.index} ({gpu.uuid})" for gpu in gpus) or "none"
            raise InputError(f"settings.yaml: gpus: there is no GPU '{text}' on this machine; there are: {known}")


def _find(gpus: Sequence[Gpu], text: str) -> Gpu | None:
    if text.isdigit():
        return next((gpu for gpu in gpus if gpu.index == int(text)), None)
    matches = [gpu for gpu in gpus if text and gpu.uuid.startswith(text)]
    return matches[0] if len(matches) == 1 else None
