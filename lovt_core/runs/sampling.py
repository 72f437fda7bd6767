"""How much of the machine a worker uses, sampled while it works."""

import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from lovt_core.runs.gpus import GB

SAMPLE_SECONDS = 10.0


class Sampler:
    """Load of one process and all that it has started, and of the GPUs it was given, at most every ten seconds."""

    def __init__(self, gpus: Sequence[str] = ()) -> None:
        """`gpus`: UUIDs, none for a run on the CPU."""
        self._gpus = tuple(gpus)
        self._process = psutil.Process()
        self._seconds = {each.pid: _read_seconds(each) for each in self._family()}
        self._time = time.monotonic()
        self.peak_gpu_memory = 0
        """Bytes, the largest sample of what these processes have in use on any one of the GPUs."""

    def sample(self) -> dict[str, float] | None:
        """Metrics `system/...`, or None while it is too early; what cannot be read is left out."""
        now = time.monotonic()
        if now < self._time + SAMPLE_SECONDS:
            return None
        family = self._family()
        values = {
            "system/cpu_percent": self._read_load(family, now),
            "system/memory_gb": round(sum(map(_read_memory, family)) / GB, 3),
        }
        return values | (self._sample_gpus({each.pid for each in family}) if self._gpus else {})

    def _family(self) -> list[psutil.Process]:
        """This process and its descendants: with several GPUs torchrun and what it has started."""
        with suppress(psutil.Error):
            return [self._process, *self._process.children(recursive=True)]
        return [self._process]

    def _read_load(self, family: Sequence[psutil.Process], now: float) -> float:
        """Per cent of one core since the last sample; the time of a process that has come since then counts whole."""
        seconds = {each.pid: _read_seconds(each) for each in family}
        used = sum(max(0.0, value - self._seconds.get(pid, 0.0)) for pid, value in seconds.items())
        elapsed = now - self._time
        self._seconds, self._time = seconds, now
        return round(100 * used / elapsed, 1)

    def _sample_gpus(self, pids: set[int]) -> dict[str, float]:
        """Mean load of the GPUs, memory on the one where it is most (as `--gpu-memory` declares it), power of all."""
        import pynvml

        try:
            pynvml.nvmlInit()
            handles = [pynvml.nvmlDeviceGetHandleByUUID(gpu) for gpu in self._gpus]
            loads = [pynvml.nvmlDeviceGetUtilizationRates(handle).gpu for handle in handles]
            used = [_read_gpu_memory(handle, pids) for handle in handles]
        except pynvml.NVMLError:
            return {}
        self.peak_gpu_memory = max(self.peak_gpu_memory, *used)
        values = {
            "system/gpu_percent": round(sum(loads) / len(loads), 1),
            "system/gpu_memory_gb": round(max(used) / GB, 3),
        }
        with suppress(pynvml.NVMLError):
            values["system/gpu_watts"] = round(sum(map(pynvml.nvmlDeviceGetPowerUsage, handles)) / 1000, 1)
        return values


def _read_seconds(process: psutil.Process) -> float:
    """Of processor time, 0 of a process that is gone."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _read_memory(process: psutil.Process) -> int:
    """Resident bytes, 0 of a process that is gone."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _read_gpu_memory(handle: object, pids: set[int]) -> int:
    """Bytes of these processes; of the whole GPU where the driver names none of them (in containers)."""
    import pynvml

    running = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    own = sum(int(each.usedGpuMemory) for each in running if each.pid in pids and each.usedGpuMemory)
    return own or int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
