"""What a worker uses is counted with all the processes that it has started."""

import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from lovt_core.runs import sampling
from lovt_core.runs.gpus import GB
from lovt_core.runs.sampling import Sampler

GRANDCHILD = (
    "x = bytearray(200_000_000); sum(range(3_000_000)); import sys; print(len(x), flush=True); sys.stdin.read()"
)
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"


@pytest.fixture
def parent(monkeypatch):
    """A process that waits for one of its own, which has 200 MB and has computed; sampled at any time."""
    monkeypatch.setattr(sampling, "SAMPLE_SECONDS", 0.0)
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "200000000\n"
        yield psutil.Process(process.pid)
        process.stdin.close()


def test_processor_and_memory_of_all_descendants(parent):
    sampler = Sampler()
    sampler._process = parent
    sampler._seconds = {}
    values = sampler.sample()
    assert parent.memory_info().rss < 0.1 * GB
    assert values["system/memory_gb"] >= 0.2
    assert values["system/cpu_percent"] > 0
    assert set(values) == {"system/cpu_percent", "system/memory_gb"}


def test_too_early():
    assert Sampler().sample() is None


def test_gpus_by_the_processes_that_compute_on_them(parent, monkeypatch):
    rank = parent.children()[0].pid
    users = {"GPU-a": [(rank, 3 * GB), (1, 7 * GB)], "GPU-b": [(rank, 2 * GB)]}
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetUtilizationRates", lambda gpu: SimpleNamespace(gpu={"GPU-a": 90, "GPU-b": 50}[gpu])
    )
    monkeypatch.setattr(
        pynvml,
        "nvmlDeviceGetComputeRunningProcesses",
        lambda gpu: [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in users[gpu]],
    )
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", lambda gpu: 150_500)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda gpu: SimpleNamespace(used=11 * GB))
    sampler = Sampler(["GPU-a", "GPU-b"])
    sampler._process = parent
    values = sampler.sample()
    assert values["system/gpu_percent"] == 70.0
    assert values["system/gpu_memory_gb"] == 3.0
    assert values["system/gpu_watts"] == 301.0
    assert sampler.peak_gpu_memory == 3 * GB
    users["GPU-b"] = [(rank, None)]  # in containers the driver tells no memory of processes
    time.sleep(0.001)
    assert sampler.sample()["system/gpu_memory_gb"] == 11.0
