"""How fast, how long and how large a run will be, by past runs of the same settings on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.experiment import Experiment, PretrainExperiment, SelftestExperiment
from lovt_core.config.sweep_file import Sweep
from lovt_core.errors import InputError
from lovt_core.tasks import expand_tasks

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

NUM_RUNS = 5
"""Newest runs whose median counts."""
LEAST_STEPS = 3
"""A run that has done fewer tells of starting up, not of training."""
SPEED: tuple[tuple[str, ...], ...] = (
    ("method", "name"),
    ("method", "image_encoder"),
    ("method", "report_encoder"),
    ("data", "image_size"),
    ("training", "batch_size"),
    ("training", "accumulate"),
    ("training", "precision"),
    ("training", "device"),
    ("selftest",),
)
"""Keys of a training on which its time a step depends."""
LENGTH = (("data", "name"), ("data", "split"), ("data", "train_fraction"), ("data", "exclude_overlap_with"))
"""Those on which the steps of an epoch depend, beside the batch."""
JUDGED = (("encoder", "backbone"), ("settings",), ("split",), ("precision",), ("device",))
"""Those on which the time of an evaluation depends, beside its tasks."""


@dataclass(frozen=True)
class Estimate:
    """Of one run, or of a whole sweep."""

    num_runs: int
    """By so many past ones."""
    samples_per_second: float | None = None
    seconds: float | None = None
    """At most, for a training may end early."""
    gpu_gb: float | None = None
    memory_gb: float | None = None


def estimate(asked: Experiment | Sweep, rows: Sequence["RunRow"], machine: str) -> Estimate | None:
    """What past runs on `machine` (`origin.json`) say; None where none was like it. `rows` come newest first."""
    own = [row for row in rows if row.origin.get("machine", machine) == machine]
    match asked:
        case Sweep():
            one = estimate(asked.base, own, machine)
            return None if one is None else _of_sweep(one, asked)
        case EvaluateExperiment():
            return _of_evaluation(asked, own)
        case PretrainExperiment() | SelftestExperiment():
            return _of_training(asked, own)


def _of_sweep(one: Estimate, sweep: Sweep) -> Estimate | None:
    """All trials, as many at a time as it says; without evaluations, whose time nothing here tells."""
    config = sweep.config
    rounds = -(-config.trials * config.repeats // (config.jobs or 1))
    seconds = None if one.seconds is None or sweep.evaluation is not None else one.seconds * rounds
    if seconds is not None and config.hours is not None:
        seconds = min(seconds, config.hours * 3600 + (one.seconds or 0.0))
    return Estimate(one.num_runs, one.samples_per_second, seconds, one.gpu_gb, one.memory_gb)


def _of_training(asked: PretrainExperiment | SelftestExperiment, rows: Sequence["RunRow"]) -> Estimate | None:
    document = asked.model_dump(mode="json", by_alias=True)
    alike = [
        row
        for row in rows
        if row.kind == asked.kind and row.done >= LEAST_STEPS and _are_alike(document, row.experiment, SPEED)
    ][:NUM_RUNS]
    steps = [seconds for row in alike if (seconds := _step_seconds(row)) is not None]
    if not steps:
        return None
    step = median(steps)
    samples = asked.training.batch_size * asked.training.accumulate
    total = _count_steps(document, alike)
    return Estimate(
        len(steps), samples / step if step else None, None if total is None else total * step,
        _largest(alike, "system/gpu_memory_gb"), _largest(alike, "system/memory_gb"),
    )  # fmt: skip


def _step_seconds(row: "RunRow") -> float | None:
    """Of one step, all that happens between two of them included."""
    end = row.ended or row.updated
    if row.attempt == 1 and row.started is not None and end is not None and end > row.started:
        return (end - row.started) / row.done
    return row.latest.get("time/step_seconds")


def _count_steps(document: Mapping[str, Any], alike: Sequence["RunRow"]) -> float | None:
    """Steps of the whole training: those of an epoch come from a run on the same data."""
    training = document["training"]
    for row in alike:
        then = row.experiment["training"]
        if (
            row.total
            and then.get("max_epochs")
            and then.get("max_steps") is None
            and _are_alike(document, row.experiment, LENGTH)
        ):
            steps: float = row.total / then["max_epochs"] * training["max_epochs"]
            return min(steps, float(training["max_steps"] or steps))
    return float(training["max_steps"]) if training["max_steps"] is not None else None


def _largest(rows: Sequence["RunRow"], metric: str) -> float | None:
    return max((row.latest[metric] for row in rows if metric in row.latest), default=None)


def _of_evaluation(asked: EvaluateExperiment, rows: Sequence["RunRow"]) -> Estimate | None:
    """By finished ones of the same tasks and settings; how fast a task is tells nothing of another one."""
    document = asked.model_dump(mode="json", by_alias=True)
    wanted = _name_tasks(asked.tasks)
    alike = [row for row in rows if row.kind == "evaluate" and _are_alike(document, row.experiment, JUDGED)]
    took = [
        seconds for row in alike if _name_tasks(row.experiment.get("tasks", ())) == wanted for seconds in _took(row)
    ]
    if not took or not wanted:
        return None
    return Estimate(
        len(took[:NUM_RUNS]), None, median(took[:NUM_RUNS]), _largest(alike, "system/gpu_memory_gb"),
        _largest(alike, "system/memory_gb"),
    )  # fmt: skip


def _took(row: "RunRow") -> Iterator[float]:
    if row.state == "finished" and row.attempt == 1 and row.started is not None and row.ended is not None:
        yield row.ended - row.started


def _name_tasks(names: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(task.id for task in expand_tasks(names))
    except InputError:
        return ()


def _are_alike(one: Mapping[str, Any], other: Mapping[str, Any], keys: Sequence[tuple[str, ...]]) -> bool:
    """Whether these keys have the same values; one that neither has is the same."""
    return all(_find(one, key) == _find(other, key) for key in keys)


def _find(document: Any, key: tuple[str, ...]) -> Any:
    for part in key:
        document = document.get(part) if isinstance(document, Mapping) else None
    return document
