"""What works on this machine: each finding with what to do about it."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lovt_core.errors import LovtError

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace

Verdict = Literal["ok", "note", "bad"]
TORCH_SECONDS = 120
ASK_TORCH = """
import json, torch
print(json.dumps({"version": torch.__version__, "cuda": torch.version.cuda, "gpus": torch.cuda.device_count()}))
"""
EXTRAS = {
    "gdcm": ("dicom", "JPEG 2000 and lossless DICOM files"),
    "matplotlib": ("report", "figures as SVG and PDF"),
    "submitit": ("slurm", "runs on a Slurm cluster"),
    "tensorboard": ("interop", "TensorBoard event files"),
}
NARROWEST, LOWEST = 80, 24


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    area: str
    verdict: Verdict
    text: str
    remedy: str = ""


def examine(workspace: "Workspace") -> Iterator[Finding]:
    """Every finding, quick ones first; the check of torch takes some seconds."""
    for look in LOOKS:
        try:
            yield from look(workspace)
        except (LovtError, OSError, ValueError) as error:
            yield Finding(look.__name__.strip("_"), "bad", str(error))


def _workspace(workspace: "Workspace") -> Iterator[Finding]:
    from lovt_core.runs.workspace import is_on_network

    if not os.access(workspace.path, os.W_OK):
        yield Finding("workspace", "bad", f"{workspace.path} cannot be written", "runs can only be read")
        return
    where = " on a network file system" if is_on_network(workspace.path) else ""
    yield Finding("workspace", "ok", f"{workspace.path}{where}, index {workspace.index}")


def _settings(workspace: "Workspace") -> Iterator[Finding]:
    from lovt_core.config.settings import load_settings
    from lovt_core.runs.gpus import check_gpus, read_gpus

    settings = load_settings(workspace.settings)
    check_gpus(read_gpus(), settings.gpus)
    if settings.notify and shutil.which(settings.notify[0]) is None:
        text = f"{workspace.settings}: notify: there is no program {settings.notify[0]}"
        yield Finding("settings", "bad", text, "install it, or take the key out")
    elif workspace.settings.exists():
        yield Finding("settings", "ok", str(workspace.settings))


def _disk(workspace: "Workspace") -> Iterator[Finding]:
    from lovt_core.config.settings import load_settings

    usage = shutil.disk_usage(workspace.path)
    free, kept = usage.free / 1e9, load_settings(workspace.settings).keep_free_gb
    text = f"{free:.1f} of {usage.total / 1e9:.0f} GB free"
    if free <= kept:
        yield Finding("disk", "bad", text, "make room: lovt du, lovt gc")
    else:
        yield Finding("disk", "ok" if free > 10 * max(kept, 1) else "note", text)


def _locks(workspace: "Workspace") -> Iterator[Finding]:
    """Whether flock(2) tells holders from others here: run states depend on it."""
    from lovt_core.runs.locks import is_locked, take_lock
    from lovt_core.runs.machine import state_folder

    for folder in (workspace.path, state_folder()):
        probe = folder / f".probe-{os.getpid()}.lock"
        descriptor = take_lock(probe, seconds=0)
        try:
            works = descriptor is not None and is_locked(probe)
        finally:
            if descriptor is not None:
                os.close(descriptor)
            probe.unlink(missing_ok=True)
        if not works:
            remedy = "put the workspace on a local disk, or mount with flock support"
            yield Finding("locks", "bad", f"file locks do not work in {folder}", remedy)
            return
    yield Finding("locks", "ok", "file locks work")


def _scheduler(workspace: "Workspace") -> Iterator[Finding]:
    from lovt_core.runs.queueing.queue_report import read_queue

    report = read_queue(workspace)
    state = "at work" if report.has_scheduler else "not running" if report.waiting else "not needed now"
    text = f"scheduler {state}; {len(report.running)} running, {len(report.waiting)} waiting"
    if report.paused:
        yield Finding("queue", "note", f"{text}; paused", "lovt queue resume")
    elif report.waiting and not report.has_scheduler:
        yield Finding("queue", "note", text, "lovt queue starts it")
    else:
        yield Finding("queue", "ok", text)


def _slurm(workspace: "Workspace") -> Iterator[Finding]:
    """Only where it is asked for, or there is one."""
    from lovt_core.config.settings import load_settings
    from lovt_core.runs.launchers.slurm import check_slurm

    is_wanted = load_settings(workspace.settings).launcher == "slurm"
    if not is_wanted and shutil.which("sbatch") is None:
        return
    try:
        check_slurm()
    except LovtError as error:
        yield Finding("slurm", "bad" if is_wanted else "note", str(error))
    else:
        yield Finding("slurm", "ok", "jobs can be handed to Slurm" + (" (all runs are)" if is_wanted else ""))


def _gpus(workspace: "Workspace") -> Iterator[Finding]:
    from lovt_core.runs.gpus import GB, read_driver, read_gpus

    gpus = read_gpus()
    if not gpus:
        yield Finding("gpu", "note", "no NVIDIA GPU or driver: runs compute on the CPU")
    for gpu in gpus:
        others = f", {len(gpu.processes)} programs compute" if gpu.processes else ""
        text = f"{gpu.title}: {gpu.free / GB:.0f} of {gpu.total / GB:.0f} GB free{others}; driver {read_driver()}"
        yield Finding("gpu", "ok", text)


def _data(workspace: "Workspace") -> Iterator[Finding]:
    from lovt_core.data.catalog import DATA_SETS
    from lovt_core.data.inventory import list_versions

    versions = [version for each in DATA_SETS for version in list_versions(workspace.prepared_root, each.name)]
    for version in versions:
        if version.problem:
            yield Finding("data", "bad", f"{version.folder}: {version.problem}", "prepare it again")
    ready = sorted({version.folder.parent.name for version in versions if version.is_current and not version.problem})
    if ready:
        yield Finding("data", "ok", f"prepared: {', '.join(ready)}")
    else:
        yield Finding("data", "note", "no data set is prepared", "lovt data list, or for synthetic data: lovt demo")


def _weights(workspace: "Workspace") -> Iterator[Finding]:
    from lovt_core.models.weights import list_weights

    rows = list_weights()
    there = [row.name for row in rows if row.path]
    if there:
        yield Finding("weights", "ok", f"without a hub: {', '.join(there)}")
    for row in rows:
        if not row.path:
            yield Finding("weights", "note", f"{row.name} is not here", row.remedy)


def _terminal(workspace: "Workspace") -> Iterator[Finding]:
    size = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "").lower()
    facts = f"{os.environ.get('TERM', 'no TERM')}, {size.columns}x{size.lines}, {encoding or 'no encoding'}"
    if sys.stdout.isatty() and (size.columns < NARROWEST or size.lines < LOWEST):
        yield Finding("terminal", "note", facts, f"the dashboard wants {NARROWEST}x{LOWEST}")
    elif "utf" not in encoding:
        yield Finding("terminal", "note", facts, "set LANG=C.UTF-8 for curves and pictures")
    else:
        yield Finding("terminal", "ok", facts)


def _extras(workspace: "Workspace") -> Iterator[Finding]:
    for module, (extra, purpose) in EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            yield Finding("extras", "note", f"not installed: {purpose}", f"pip install 'lovt-tui[{extra}]'")


def _torch(workspace: "Workspace") -> Iterator[Finding]:
    from lovt_core.runs.gpus import read_gpus

    command = [sys.executable, "-c", ASK_TORCH]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TORCH_SECONDS, cwd="/")
    except subprocess.TimeoutExpired:
        yield Finding("torch", "bad", f"importing torch takes longer than {TORCH_SECONDS} s", "look at the disk")
        return
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        yield Finding(
            "torch", "bad", f"torch cannot be imported: {last}", "pip install --force-reinstall torch torchvision"
        )
        return
    facts = json.loads(done.stdout.splitlines()[-1])
    text = f"torch {facts['version']}, CUDA {facts['cuda'] or 'none'}, {facts['gpus']} GPUs seen"
    if read_gpus() and not facts["gpus"]:
        yield Finding("torch", "bad", text, "the driver is too old for this torch, or CUDA_VISIBLE_DEVICES hides them")
    else:
        yield Finding("torch", "ok", text)


LOOKS = (
    *(_workspace, _settings, _disk, _locks, _scheduler, _slurm),
    *(_gpus, _data, _weights, _terminal, _extras, _torch),
)
