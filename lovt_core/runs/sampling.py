"""How much of the machine a worker uses, sampled while it works."""

import time
from contextlib import suppress

import psutil

from lovt_core.runs.gpus import GB

SAMPLE_SECONDS = 10.0


class Sampler:
    """Load of one process and its children, and of the GPU it was given, at most every ten seconds."""

    def __init__(self, gpu: str = "") -> None:
        """`gpu`: UUID, or empty for a run on the CPU."""
        self._gpu = gpu
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._due = time.monotonic() + SAMPLE_SECONDS
        self.peak_gpu_memory = 0
        """Bytes, the largest sample of what the whole GPU has in use by this process."""

    def sample(self) -> dict[str, float] | None:
        """Metrics `system/...`, or None while it is too early; what cannot be read is left out."""
        if time.monotonic() < self._due:
            return None
        self._due = time.monotonic() + SAMPLE_SECONDS
        values = {
            "system/cpu_percent": self._process.cpu_percent(),
            "system/memory_gb": round(self._process.memory_info().rss / GB, 3),
        }
        return values | (self._sample_gpu() if self._gpu else {})

    def _sample_gpu(self) -> dict[str, float]:
        import pynvml

        try:
            pynvml.nvmlInit()
            handle = pynvml.nvmlDeviceGetHandleByUUID(self._gpu)
            load = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
            used = self._read_own_memory(handle)
        except pynvml.NVMLError:
            return {}
        self.peak_gpu_memory = max(self.peak_gpu_memory, used)
        values = {"system/gpu_percent": float(load), "system/gpu_memory_gb": round(used / GB, 3)}
        with suppress(pynvml.NVMLError):
            values["system/gpu_watts"] = round(pynvml.nvmlDeviceGetPowerUsage(handle) / 1000, 1)
        return values

    def _read_own_memory(self, handle: object) -> int:
        """Bytes of this process; of the whole GPU where the driver names no processes (in containers)."""
        import pynvml

        for each in pynvml.nvmlDeviceGetComputeRunningProcesses(handle):
            if each.pid == self._process.pid and each.usedGpuMemory:
                return int(each.usedGpuMemory)
        return int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
