"""What logging costs a worker, beside TensorBoard and MLflow; and what the scheduler costs, and how fast it refills.

`python benchmarks/scheduling.py [--lines 3000]`. Targets: 10 microseconds a logged point at most, and not slower than
the peers that are installed (`pip install tensorboard mlflow-skinny`), on the same points in the same run; a free slot
refilled within 1 s; the scheduler under 60 MB and 1 % of a core while runs wait.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psutil

from lovt_core.config.experiment import SelftestConfig, SelftestExperiment
from lovt_core.config.training import TrainingConfig
from lovt_core.runs.directory import RunDirectory, create_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import is_locked
from lovt_core.runs.queueing.requests import queue_run, request_stop
from lovt_core.runs.queueing.slots import CPU, take_slot
from lovt_core.runs.workspace import Workspace, find_workspace
from lovt_core.values import Metrics

METRICS = tuple(f"train/metric_{number}" for number in range(15))
Log = Callable[[int, dict[str, float]], object]


def values_at(step: int) -> dict[str, float]:
    return {name: step / (number + 1) for number, name in enumerate(METRICS)}


def measure(name: str, log: Log, close: Callable[[], object], lines: int) -> float:
    """Microseconds a point, the closing flush included."""
    points = [values_at(step) for step in range(1, lines + 1)]
    began = time.perf_counter()
    for step, values in enumerate(points, start=1):
        log(step, values)
    close()
    cost = (time.perf_counter() - began) / lines / len(METRICS) * 1e6
    print(f"{name:<24}{cost:8.2f} us a point")
    return cost


def log_here(workspace: Workspace, lines: int) -> float:
    run = create_run(workspace, SelftestExperiment())
    writer = EventWriter(run.events(1))
    cost = measure(
        "lovt", lambda step, values: writer.write(*encode_value(Metrics(step, step / 10, values))), writer.close, lines
    )
    request_stop(run)
    return cost


def log_tensorboard(folder: Path, lines: int) -> float | None:
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError:
        print("tensorboard             not installed")
        return None
    writer = EventFileWriter(str(folder / "tensorboard"))

    def log(step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
            writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))

    return measure("tensorboard", log, writer.close, lines)


def log_mlflow(folder: Path, lines: int) -> float | None:
    try:
        import mlflow
    except ImportError:
        print("mlflow                  not installed")
        return None
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # its fastest store; a database is slower
    mlflow.set_tracking_uri((folder / "mlflow").as_uri())
    with mlflow.start_run():
        return measure(
            "mlflow (files)", lambda step, values: mlflow.log_metrics(values, step=step), lambda: None, lines
        )


def find_scheduler(workspace: Workspace) -> psutil.Process:
    wanted = ["-m", "lovt_core.runs.queueing.scheduler", str(workspace.path)]
    return next(
        process for process in psutil.process_iter(["cmdline"]) if (process.info["cmdline"] or [])[1:4] == wanted
    )


def measure_idle(workspace: Workspace, waiting: int, seconds: float = 15.0) -> None:
    """Memory and load while runs wait for a slot that somebody else holds."""
    slot = take_slot(CPU, "CPU")
    assert slot is not None
    runs = [queue_run(workspace, SelftestExperiment()) for _ in range(waiting)]
    time.sleep(3.0)
    process = find_scheduler(workspace)
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    load = (after.user + after.system - before.user - before.system) / seconds
    print(
        f"scheduler, {waiting:>3} waiting   {process.memory_info().rss / 1e6:6.1f} MB (60)  {load:6.2%} of a core (1 %)"
    )
    for run in runs:
        request_stop(run)
    slot.release()


def measure_refill(workspace: Workspace, count: int = 5) -> None:
    """From a run's last word to the launch of the next one."""
    training = TrainingConfig(batch_size=8, accumulate=1, max_epochs=1, precision="fp32", device="cpu")
    experiment = SelftestExperiment(selftest=SelftestConfig(), training=training)
    runs = [queue_run(workspace, experiment) for _ in range(count)]
    while is_locked(workspace.scheduler_lock):
        time.sleep(0.2)
    gaps = [launched(after) - read_lines(before.events(1))[-1]["t"] for before, after in pairwise(runs)]
    text = ", ".join(f"{gap:.2f}" for gap in gaps)
    print(f"refilled after          {text} s (1; the worker's own leaving included)")


def launched(run: RunDirectory) -> float:
    return next(line["t"] for line in read_lines(run.control) if line["op"] == "launch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=3_000, help="metric lines to log, 15 points each")
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"XDG_STATE_HOME": str(folder / "state"), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
        workspace = find_workspace(folder / "lovt-workspace")
        own = log_here(workspace, lines)
        for peer in (log_tensorboard(folder, lines), log_mlflow(folder, min(lines, 100))):
            if peer is not None:
                print(f"{'':<24}{peer / own:8.1f} times as long as lovt")
        for waiting in (1, 40):
            measure_idle(workspace, waiting)
        measure_refill(workspace)


if __name__ == "__main__":
    main()
