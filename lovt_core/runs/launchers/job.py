"""Work that needs torch but is no run: a worker process that answers in JSON lines, under the same slot locks."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from lovt_core.config.experiment import Experiment, asked_device
from lovt_core.config.loading import dump_experiment
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.slots import TakenSlot, take_free_slot
from lovt_core.runs.workspace import Workspace

WAIT_SECONDS = 10.0


def run_job(workspace: Workspace, name: str, experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Lines that `python -m lovt_core.worker --job NAME` answers, `event` telling their kind.

    Raises InputError or LovtError with the worker's own message, LovtError when all slots stay taken.
    """
    taken = _wait_for_slot(asked_device(experiment))
    command = [sys.executable, "-m", "lovt_core.worker", "--job", name, str(workspace.path)]
    command += ["--locks", str(taken.descriptor)]
    with tempfile.TemporaryFile("w+") as complaints:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                pass_fds=(taken.descriptor,),
                env={**os.environ, **taken.slot.environment()},
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
            last = complaints.read().strip().splitlines()[-1:]
            raise LovtError(f"the worker ended with code {process.returncode}: {' '.join(last)}")


def _wait_for_slot(device: str) -> TakenSlot:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        taken = take_free_slot(device)
        if taken is not None:
            return taken
        if time.monotonic() > deadline:
            raise LovtError("every GPU or CPU slot of this machine is taken by a run: try again when one has ended")
        time.sleep(0.25)


def _answers(process: "subprocess.Popen[str]", text: str) -> Iterator[dict[str, Any]]:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        return
    stdin.write(text)
    stdin.close()
    for line in stdout:
        answer = json.loads(line)
        if answer.get("event") == "failed":
            kind = InputError if answer.get("exit_code") == InputError.exit_code else LovtError
            raise kind(answer["error"])
        yield answer
    process.wait()
