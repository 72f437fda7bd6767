"""What the worker hands to the processes of a training, and what those that fail leave behind, in a scratch folder."""

import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lovt_core.config.experiment import PretrainExperiment, SelftestExperiment
from lovt_core.config.loading import dump_experiment, parse_experiment
from lovt_core.errors import InputError, LovtError
from lovt_core.files import write_text_atomic
from lovt_core.runs.causes import Cause, find_cause
from lovt_core.values import EndReason, Workplace

Trained = PretrainExperiment | SelftestExperiment
"""Experiments whose work can be shared."""
MEETING = "meeting"
"""File by which the processes find each other: nothing listens on the network for that."""
_EXPERIMENT, _PLACE = "experiment.yaml", "place.json"
_FOLDERS = ("prepared_root", "checkpoints", "artifacts")
_PLAIN = ("attempt", "device", "last_checkpoint", "best_checkpoint", "num_ranks")


@dataclass(frozen=True)
class Job:
    """What is to be done, and where; `place` says how many processes do it."""

    experiment: Trained
    place: Workplace


def write_job(scratch: Path, job: Job) -> None:
    """Write it for all processes to read."""
    place = {name: str(getattr(job.place, name)) for name in _FOLDERS}
    plain = {name: getattr(job.place, name) for name in _PLAIN}
    write_text_atomic(scratch / _EXPERIMENT, dump_experiment(job.experiment))
    write_text_atomic(scratch / _PLACE, json.dumps(place | plain))


def read_job(scratch: Path, rank: int, stop_requested: Callable[[], EndReason | None]) -> Job:
    """What `write_job` wrote, as process `rank` is to do it."""
    experiment = parse_experiment((scratch / _EXPERIMENT).read_text(encoding="utf-8"), _EXPERIMENT)
    if not isinstance(experiment, Trained):
        raise InputError(f"{experiment.name} is no training: its work is not shared among processes")
    place: dict[str, Any] = json.loads((scratch / _PLACE).read_text(encoding="utf-8"))
    place |= {name: Path(place[name]) for name in _FOLDERS}
    workplace = Workplace(**place, rank=rank, stop_requested=stop_requested, find_checkpoint=_find_nothing)
    if workplace.device == "cpu":
        return Job(experiment, workplace)
    return Job(experiment, replace(workplace, device=f"cuda:{rank}"))


def _find_nothing(run: str, which: str) -> Path:
    raise InputError(f"a training on several processes reads no checkpoint of another run ({which} of {run})")


@dataclass(frozen=True)
class Failure:
    """How one process failed."""

    rank: int
    error: str
    exit_code: int
    cause: Cause
    deliberate: bool
    """Whether it said so itself in a sentence for people."""
    time: float
    trace: str = ""


def note_failure(scratch: Path, rank: int, error: BaseException) -> None:
    """Leave behind why process `rank` fails."""
    deliberate = isinstance(error, LovtError)
    message = str(error) if deliberate else f"{type(error).__name__}: {error}"
    failure = {
        "error": message,
        "exit_code": getattr(error, "exit_code", 1),
        "cause": find_cause(error),
        "deliberate": deliberate,
        "time": time.time(),
        "trace": "".join(traceback.format_exception(error)),
    }
    write_text_atomic(_failure_file(scratch, rank), json.dumps(failure))


def note_killed(scratch: Path, rank: int, signal_name: str) -> None:
    """Leave behind that process `rank` was ended by a signal, unless it has said more itself."""
    if not _failure_file(scratch, rank).exists():
        failure = {
            "error": f"process {rank} of the training was killed by signal {signal_name}",
            "exit_code": 1,
            "cause": "killed",
            "deliberate": True,
            "time": time.time(),
        }
        write_text_atomic(_failure_file(scratch, rank), json.dumps(failure))


def find_failure(scratch: Path, num_ranks: int) -> Failure | None:
    """The failure that the others follow from: the first with a sentence for people, else the first of all.

    None where there is none. The others fail because one that they wait for has gone, which says nothing.
    """
    found = []
    for rank in range(num_ranks):
        if _failure_file(scratch, rank).exists():
            found.append(Failure(rank, **json.loads(_failure_file(scratch, rank).read_text(encoding="utf-8"))))
    return min(found, key=lambda failure: (not failure.deliberate, failure.time), default=None)


def _failure_file(scratch: Path, rank: int) -> Path:
    return scratch / f"failure-{rank}.json"
