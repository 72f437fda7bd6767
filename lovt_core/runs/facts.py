"""What a `started` event tells of machine and software, and what has changed since the run was queued."""

import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from lovt_core import __version__
from lovt_core.runs.code import fingerprint_code
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.gpus import read_driver, read_gpus
from lovt_core.runs.machine import host_facts
from lovt_core.values import Alarm, Note

PACKAGES = ("torch", "timm", "transformers", "numpy", "safetensors")


def collect_facts(device: str) -> dict[str, Any]:
    """Host, processor, memory, GPUs seen with their driver, versions; `device` is `CUDA_VISIBLE_DEVICES`."""
    gpus = [gpu for gpu in read_gpus() if gpu.uuid in device.split(",")]
    return {
        **host_facts(),
        "processor": _read_processor(),
        "cores": os.cpu_count(),
        "memory": psutil.virtual_memory().total,
        "gpus": [{"uuid": gpu.uuid, "name": gpu.name, "memory": gpu.total} for gpu in gpus],
        "driver": read_driver() if gpus else "",
        "version": __version__,
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "code": fingerprint_code(),
    }


def _read_processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - not a file to resolve
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def describe_changes(run: RunDirectory) -> list[Note | Alarm]:
    """What is not as it was when the run was queued; an alarm where that changes what it computes."""
    origin = run.origin()
    changes: list[Note | Alarm] = [
        Note(
            f"{path} has been {what} since this run was queued; it computes with the copy made then "
            f"({run.path.name}/experiment.yaml)"
        )
        for path, what in find_edited(origin.get("files") or {}).items()
    ]
    if origin.get("code") not in (None, fingerprint_code()):
        changes.append(
            Alarm(
                "the program's code has changed since this run was queued; it computes with the code of now "
                "(`lovt launch --snapshot` keeps the code of the time)"
            )
        )
    return changes


def find_edited(files: Mapping[str, str]) -> dict[str, str]:
    """Of experiment files and their stamps (`stamp_files`) those that are another now: path -> edited or removed."""
    edited = {}
    for path, stamp in files.items():
        try:
            is_same = hashlib.sha256(Path(path).read_bytes()).hexdigest() == stamp
        except OSError:
            edited[path] = "removed"
        else:
            if not is_same:
                edited[path] = "edited"
    return edited
