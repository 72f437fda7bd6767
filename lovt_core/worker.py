"""The worker executes one attempt of one run and writes its events: `python -m lovt_core.worker RUN --attempt N`.

It is the only process that imports torch, and the only place that catches every exception. It obeys only what
`control.jsonl` asks of its own attempt.
"""

import argparse
import importlib.metadata
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, assert_never

from lovt_core import __version__
from lovt_core.config.experiment import Experiment, asked_device
from lovt_core.config.loading import parse_experiment
from lovt_core.errors import InputError, LovtError, RecordError
from lovt_core.runs.checkpoints import find_saved
from lovt_core.runs.control import read_control
from lovt_core.runs.directory import RunDirectory, find_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.lines import encode_line, read_lines
from lovt_core.runs.machine import host_facts
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import Workspace
from lovt_core.values import Ended, EndReason, Value, Workplace

CONTROL_SECONDS = 2.0
MAX_TRACEBACK = 20_000
PACKAGES = ("torch", "timm", "transformers", "numpy", "safetensors")


class Requests:
    """What was asked of this attempt: SIGTERM, or a stop in `control.jsonl`, read every two seconds."""

    def __init__(self, run: RunDirectory, attempt: int) -> None:
        self._run = run
        self._attempt = attempt
        self._terminated = False
        self._read_at = 0.0
        self._stop = False

    def on_terminate(self, signum: int, frame: FrameType | None) -> None:
        """Signal handler of SIGTERM."""
        self._terminated = True

    def asked(self) -> EndReason | None:
        """Why to end, or None. A stop somebody asked for wins over a SIGTERM that nobody here asked for."""
        now = time.monotonic()
        if not self._stop and (self._terminated or now - self._read_at >= CONTROL_SECONDS):
            self._read_at = now
            if not self._run.control.exists():
                raise RecordError(f"{self._run.path} was removed while its run was at work")
            self._stop = any(
                item.operation == "stop" and item.attempt == self._attempt for item in read_control(self._run.control)
            )
        if self._stop:
            return "stopped"
        return "interrupted" if self._terminated else None


def keep_locks_to_ourselves(descriptors: tuple[int, ...]) -> None:
    """Programs started and children forked by the worker must not keep its locks alive after it has died."""
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)

    def close_in_child() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    os.register_at_fork(after_in_child=close_in_child)


def execute(run: RunDirectory, attempt: int) -> int:
    """Run one attempt to its last word; the exit code."""
    state = read_state(run)
    if (state.state, state.attempt) != ("launched", attempt):
        raise InputError(
            f"run {run.id} is {state.state} at attempt {state.attempt}: attempt {attempt} is not to be run"
        )
    requests = Requests(run, attempt)
    signal.signal(signal.SIGTERM, requests.on_terminate)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    writer = EventWriter(run.events(attempt))
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    launched = [item for item in read_control(run.control) if item.operation == "launch"][-1].details
    slot = {"slot": launched.get("title", "")}
    writer.write("started", {**host_facts(), **slot, "version": __version__, "versions": versions})
    try:
        if reason := requests.asked():
            writer.write_last_word(reason)
            return 0
        for value in start_workload(run.experiment(), make_workplace(run, attempt, requests)):
            if isinstance(value, Ended):
                writer.write_last_word(value.reason)
                return 0
            writer.write(*encode_value(value))
        writer.write_last_word("finished")
    except Exception as error:
        message = str(error) if isinstance(error, LovtError) else f"{type(error).__name__}: {error}"
        code = getattr(error, "exit_code", 1)
        is_users = code == InputError.exit_code  # a traceback helps nobody who mistyped a name
        trace = traceback.format_exc()
        sys.stderr.write(f"error: {message}\n" if is_users else trace)
        word = {"error": message[:2000], "exit_code": code}
        writer.write_last_word("failed", word if is_users else {**word, "traceback": trace[-MAX_TRACEBACK:]})
        return int(code)
    finally:
        writer.close()
    return 0


def make_workplace(run: RunDirectory, attempt: int, requests: Requests) -> Workplace:
    """Where this attempt works, with what earlier attempts have left."""
    earlier = [line for number in range(1, attempt) for line in read_lines(run.events(number))]
    saved = [line for line in earlier if line.get("event") == "saved"]
    workspace = Workspace(run.path.parent.parent)
    return Workplace(
        prepared_root=workspace.prepared_root,
        checkpoints=run.checkpoints,
        artifacts=run.artifacts,
        attempt=attempt,
        device=choose_device(run.experiment()),
        stop_requested=requests.asked,
        find_checkpoint=lambda text, which: find_saved(find_run(workspace, text), which),
        features=workspace.path / "features",
        completed=tuple(line["data"] for line in earlier if line.get("event") == "result"),
        last_checkpoint=next((line["checkpoint"] for line in reversed(saved) if line["is_last"]), None),
        best_checkpoint=next((line["checkpoint"] for line in reversed(saved) if line["is_best"]), None),
    )


def choose_device(experiment: Experiment) -> str:
    """`cpu` or the one GPU that the scheduler has handed down."""
    asked = asked_device(experiment)
    if asked == "cpu":
        return "cpu"
    import torch

    available = torch.cuda.is_available()
    if asked != "auto" and not available:
        raise InputError(f"device '{asked}' is not there: this worker sees no GPU; set device to auto or cpu")
    return "cuda:0" if available else "cpu"


def start_workload(experiment: Experiment, place: Workplace) -> Iterator[Value]:
    """The generator that does what the experiment says."""
    match experiment.kind:
        case "pretrain":
            from lovt_core.pretrain import pretrain

            return pretrain(experiment, place)
        case "evaluate":
            from lovt_core.evaluate import evaluate

            return evaluate(experiment, place)
        case "selftest":
            from lovt_core.selftest import selftest

            return selftest(experiment, place)
        case _:
            assert_never(experiment.kind)


def execute_job(name: str, workspace: Workspace) -> int:
    """Do a job that is no run: an experiment on stdin, values as JSON lines on stdout; the exit code."""
    experiment = parse_experiment(sys.stdin.read(), "the experiment on stdin")
    with tempfile.TemporaryDirectory(prefix="lovt-job-") as scratch:
        place = Workplace(
            prepared_root=workspace.prepared_root,
            checkpoints=Path(scratch) / "checkpoints",
            artifacts=Path(scratch) / "artifacts",
            attempt=1,
            device=choose_device(experiment),
            stop_requested=lambda: None,
            find_checkpoint=lambda text, which: find_saved(find_run(workspace, text), which),
        )
        try:
            for value in start_job(name, experiment, place):
                kind, data = encode_value(value)
                answer({"event": kind, **data})
        except Exception as error:
            message = str(error) if isinstance(error, LovtError) else f"{type(error).__name__}: {error}"
            answer({"event": "failed", "error": message, "exit_code": getattr(error, "exit_code", 1)})
            return 1
    return 0


def answer(line: dict[str, Any]) -> None:
    """One JSON line on stdout."""
    sys.stdout.buffer.write(encode_line(line))
    sys.stdout.buffer.flush()


def start_job(name: str, experiment: Experiment, place: Workplace) -> Iterator[Value]:
    """The generator of a job."""
    if name == "check" and experiment.kind == "pretrain":
        from lovt_core.pretrain import check

        return check(experiment, place)
    raise InputError(f"no job '{name}' for an experiment of kind {experiment.kind}")


def main(arguments: list[str] | None = None) -> int:
    """Command line of the worker process."""
    parser = argparse.ArgumentParser(prog="python -m lovt_core.worker", description=__doc__)
    parser.add_argument("path", type=Path, help="run directory, or the workspace of a job")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--attempt", type=int, help="attempt of the run to execute")
    what.add_argument("--job", help="job to do instead of a run")
    parser.add_argument("--locks", default="", help="descriptors of locks held for this worker")
    options = parser.parse_args(arguments)
    # torch's threads spin for milliseconds while they wait for each other: with another training on the same cores,
    # steps of 2.8 s took 18 s. Spinning less costs nothing alone and makes that 7 s. Read when torch is imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    keep_locks_to_ourselves(tuple(int(part) for part in options.locks.split(",") if part))
    try:
        if options.job is not None:
            return execute_job(options.job, Workspace(options.path))
        return execute(RunDirectory(options.path), options.attempt)
    except LovtError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
