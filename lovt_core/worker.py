"""The worker executes one attempt of one run and writes its events: `python -m lovt_core.worker RUN --attempt N`.

It and the processes among which it shares a training (`distributed/`) are the only ones that import torch, and the only
places that catch every exception. It obeys only what `control.jsonl` asks of its own attempt.
"""

import argparse
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, assert_never

from lovt_core.answers import answer_all
from lovt_core.config.experiment import Experiment, asked_device
from lovt_core.config.loading import parse_experiment
from lovt_core.distributed.shared_training import count_processes, train_on_several
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.asked import Requests
from lovt_core.runs.causes import find_cause
from lovt_core.runs.checkpoints import find_saved
from lovt_core.runs.control import deciding, read_control
from lovt_core.runs.directory import RunDirectory, find_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.facts import collect_facts, describe_changes
from lovt_core.runs.launchers.slurm_attempt import claim, find_own_job, go_on
from lovt_core.runs.launchers.slurm_job import HELD_SIGNALS
from lovt_core.runs.lines import read_lines
from lovt_core.runs.queueing.slots import note_memory
from lovt_core.runs.sampling import Sampler
from lovt_core.runs.space.sizes import measure_checkpoint
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import Workspace
from lovt_core.values import CheckpointSaved, Ended, Metrics, Progress, Value, Workplace

MAX_TRACEBACK = 20_000
MEMORY_MARGIN = 1.1
"""What a run may come to need beyond the most it has needed so far."""


def keep_locks_to_ourselves(descriptors: tuple[int, ...]) -> None:
    """Programs started and children forked by the worker must not keep its locks alive after it has died."""
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)

    def close_in_child() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    os.register_at_fork(after_in_child=close_in_child)


def describe_value(run: RunDirectory, value: Value) -> tuple[str, dict[str, Any]]:
    """Event kind and data; of a checkpoint with its size, which tells later launches what room they need."""
    kind, data = encode_value(value)
    if isinstance(value, CheckpointSaved):
        data["bytes"] = measure_checkpoint(run, value.name)
    return kind, data


def count_steps(value: Value, before: int | None) -> int | None:
    """How far the workload is after `value`, in steps or whatever it counts in; None before the first count."""
    match value:
        case Metrics():
            return value.step
        case Progress() if value.total is not None:
            return value.done
    return before


def keep_only_needed_memory(slots: tuple[int, ...], peak: int) -> None:
    """With a checkpoint saved a training has shown what it needs: no more of a shared GPU is kept for it."""
    for descriptor in slots:
        note_memory(descriptor, int(peak * MEMORY_MARGIN))


def execute_on_slurm(run: RunDirectory, attempt: int) -> int:
    """Run one attempt inside its Slurm job, unless it is not wanted any more, then do what follows; the exit code."""
    job = find_own_job(run, attempt)
    lock = claim(run, attempt, job)
    if lock is not None:
        keep_locks_to_ourselves((lock,))
        execute(run, attempt, find_reason=job.find_reason)
        os.close(lock)  # the successor may start at once
    return go_on(run, attempt)


def execute(run: RunDirectory, attempt: int, slots: tuple[int, ...] = (), find_reason: Callable[[], str] = str) -> int:
    """Run one attempt to its last word; the exit code. `slots`: descriptors of the slots held for it.

    `find_reason`: as of `Requests`.
    """
    requests = Requests(run, attempt, find_reason)
    for number in HELD_SIGNALS:
        signal.signal(number, requests.on_terminate)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_SIGNALS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with deciding(run.path):  # who takes the attempt back does so before its events begin, or asks it to stop
        state = read_state(run)
        if (state.state, state.attempt) != ("launched", attempt):
            raise InputError(
                f"run {run.id} is {state.state} at attempt {state.attempt}: attempt {attempt} is not to be run"
            )
        writer = EventWriter(run.events(attempt))
    launched = [item for item in read_control(run.control) if item.operation == "launch"][-1].details
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    writer.write("started", {**collect_facts(gpus), "slot": launched.get("title", "")})
    sampler = Sampler([gpu for gpu in gpus.split(",") if gpu])
    step: int | None = None
    try:
        for change in describe_changes(run):
            writer.write(*encode_value(change))
        if reason := requests.asked():
            writer.write_last_word(reason, requests.explain())
            return 0
        for value in start_workload(read_startable(run), make_workplace(run, attempt, requests)):
            if isinstance(value, Ended):
                writer.write_last_word(value.reason, requests.explain())
                return 0
            writer.write(*describe_value(run, value))
            step = count_steps(value, step)
            if step is not None and (use := sampler.sample()) is not None:
                writer.write("system", {"step": step, "values": use})
            if isinstance(value, CheckpointSaved) and sampler.peak_gpu_memory:
                keep_only_needed_memory(slots, sampler.peak_gpu_memory)
        writer.write_last_word("finished")
    except Exception as error:
        message = str(error) if isinstance(error, LovtError) else f"{type(error).__name__}: {error}"
        code = getattr(error, "exit_code", 1)
        is_users = code == InputError.exit_code  # a traceback helps nobody who mistyped a name
        trace = traceback.format_exc()
        sys.stderr.write(f"error: {message}\n" if is_users else trace)
        word = {"error": message[:2000], "exit_code": code, "cause": find_cause(error)}
        writer.write_last_word("failed", word if is_users else {**word, "traceback": trace[-MAX_TRACEBACK:]})
        return int(code)
    finally:
        writer.close()
    return 0


def read_startable(run: RunDirectory) -> Experiment:
    """The run's experiment; raises InputError for one of another program, of which there is only the record."""
    experiment = run.experiment()
    if experiment.kind == "imported":
        raise InputError(f"run {run.id} was imported: there is nothing here to start")
    return experiment


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
        device=choose_device(read_startable(run)),
        stop_requested=requests.asked,
        find_checkpoint=lambda text, which: find_saved(find_run(workspace, text), which),
        features=workspace.path / "features",
        completed=tuple(line["data"] for line in earlier if line.get("event") == "result"),
        last_checkpoint=next((line["checkpoint"] for line in reversed(saved) if line["is_last"]), None),
        best_checkpoint=next((line["checkpoint"] for line in reversed(saved) if line["is_best"]), None),
    )


def choose_device(experiment: Experiment) -> str:
    """`cpu` or the first GPU that the scheduler has handed down."""
    asked = asked_device(experiment)
    if asked == "cpu":
        return "cpu"
    import torch

    available = torch.cuda.is_available()
    if asked != "auto" and not available:
        raise InputError(f"device '{asked}' is not there: this worker sees no GPU; set device to auto or cpu")
    return "cuda:0" if available else "cpu"


def start_workload(experiment: Experiment, place: Workplace) -> Iterator[Value]:
    """The generator that does what the experiment says; a training on several GPUs goes on in processes of its own."""
    if experiment.kind != "evaluate" and (num_processes := count_processes(experiment, place)) > 1:
        return train_on_several(experiment, place, num_processes)
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


def execute_job(name: str, workspace: Workspace, request: str) -> int:
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
        return answer_all(encode_all(start_job(name, experiment, place, request)))


def encode_all(values: Iterator[Value]) -> Iterator[dict[str, Any]]:
    """The values as answers."""
    for value in values:
        kind, data = encode_value(value)
        yield {"event": kind, **data}


def start_job(name: str, experiment: Experiment, place: Workplace, request: str = "{}") -> Iterator[Value]:
    """The generator of a job; `request` is the JSON of one of config/inspection.py, as the job asks for it."""
    if experiment.kind == "pretrain":
        match name:
            case "check":
                from lovt_core.pretrain import check

                return check(experiment, place)
            case "regions" | "ground" | "grounding" | "analyse":
                from lovt_core.inspection.jobs import start_inspection

                return start_inspection(name, experiment, place, request)
    raise InputError(f"no job '{name}' for an experiment of kind {experiment.kind}")


def main(arguments: list[str] | None = None) -> int:
    """Command line of the worker process."""
    parser = argparse.ArgumentParser(prog="python -m lovt_core.worker", description=__doc__)
    parser.add_argument("path", type=Path, help="run directory, or the workspace of a job")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--attempt", type=int, help="attempt of the run to execute")
    what.add_argument("--job", help="job to do instead of a run")
    parser.add_argument("--request", default="{}", help="what exactly the job is asked, as JSON")
    parser.add_argument("--slurm", action="store_true", help="this process is a job of Slurm's")
    parser.add_argument("--locks", default="", help="descriptors of locks held for this worker")
    options = parser.parse_args(arguments)
    # torch's threads spin for milliseconds while they wait for each other: with another training on the same cores,
    # steps of 2.8 s took 18 s. Spinning less costs nothing alone and makes that 7 s. Read when torch is imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    locks = tuple(int(part) for part in options.locks.split(",") if part)
    keep_locks_to_ourselves(locks)
    try:
        if options.job is not None:
            return execute_job(options.job, Workspace(options.path), options.request)
        if options.slurm:
            return execute_on_slurm(RunDirectory(options.path), options.attempt)
        return execute(RunDirectory(options.path), options.attempt, locks[1:])
    except LovtError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def leave(code: int) -> NoReturn:
    """End the process now: all is written, and taking torch apart would hold the slot for another second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
