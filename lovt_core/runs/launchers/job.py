"""Work that needs torch but is no run: a worker process that answers in JSON lines, under the same slot locks."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from lovt_core.answers import describe_end, read_answers
from lovt_core.config.base import Section
from lovt_core.config.experiment import Experiment, asked_device
from lovt_core.config.loading import dump_experiment
from lovt_core.config.settings import load_settings
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.gpus import find_missing, read_gpus
from lovt_core.runs.queueing.placement import Host, Waits, choose_place
from lovt_core.runs.queueing.slots import CPU, Holder, TakenSlot, list_held, placing, take_slot
from lovt_core.runs.terms import Terms
from lovt_core.runs.workspace import Workspace

WAIT_SECONDS = 10.0


def run_job(
    workspace: Workspace, name: str, experiment: Experiment, request: Section | None = None
) -> Iterator[dict[str, Any]]:
    """Lines that `python -m lovt_core.worker --job NAME` answers, `event` telling their kind.

    `request`: what exactly is asked, where the experiment alone does not say it (config/inspection.py).
    Raises InputError or LovtError with the worker's own message, LovtError when all slots stay taken.
    """
    taken, visible = _wait_for_slot(workspace, asked_device(experiment), name)
    command = [sys.executable, "-m", "lovt_core.worker", "--job", name, str(workspace.path)]
    command += ["--locks", str(taken.descriptor)]
    command += [] if request is None else ["--request", request.model_dump_json()]
    with tempfile.TemporaryFile("w+") as complaints:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                pass_fds=(taken.descriptor,),
                env={**os.environ, "CUDA_VISIBLE_DEVICES": visible},
            )
        finally:
            taken.release()
        with process:
            try:
                yield from _answers(process, dump_experiment(experiment))
            finally:
                process.kill()
        if process.returncode > 0:
            complaints.seek(0)
            raise LovtError(describe_end("the worker", process.returncode, complaints.read()))


def _wait_for_slot(workspace: Workspace, device: str, name: str) -> tuple[TakenSlot, str]:
    """A slot, and what the job may see of the GPUs; raises InputError at once where the device is not there."""
    deadline = time.monotonic() + WAIT_SECONDS
    terms = Terms(allowed_gpus=os.environ.get("CUDA_VISIBLE_DEVICES"))
    settings = load_settings(workspace.settings)
    while True:
        with placing():
            gpus = read_gpus()
            if (missing := find_missing(device, gpus)) is not None:
                raise InputError(f"device '{device}': {missing}")
            held = list_held((CPU, *(gpu.uuid for gpu in gpus)))
            place = choose_place(device, terms, Host(gpus, held, settings, workspace=str(workspace.path)))
            taken = None if isinstance(place, Waits) else take_slot(place.devices[0], place.title)
            if taken is not None and not isinstance(place, Waits):
                taken.write(Holder(f"lovt {name}", str(workspace.path), place.memory))
                return taken, place.visible
        if time.monotonic() > deadline:
            reason = place.reason if isinstance(place, Waits) else "no slot is free"
            raise LovtError(f"no place on this machine: {reason}; try again when a run has ended")
        time.sleep(0.25)


def _answers(process: "subprocess.Popen[str]", text: str) -> Iterator[dict[str, Any]]:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        return
    stdin.write(text)
    stdin.close()
    yield from read_answers(stdout)
    process.wait()
