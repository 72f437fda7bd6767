"""What evaluation runs are still to do, or have failed to do: entries of the comparison that have no score yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from pydantic import ValidationError

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment
from lovt_core.config.split_names import AUTO
from lovt_core.errors import InputError
from lovt_core.evaluation.protocol import Protocol, build_protocol
from lovt_core.results.cells import Cell, DataIdentity, EncoderIdentity, ProtocolIdentity
from lovt_core.runs.records import RunRow
from lovt_core.runs.states import State as RunState
from lovt_core.tasks import TASKS, Task, expand_tasks

OpenState = Literal["failed", "queued", "running"]
STATES: Mapping[RunState, OpenState] = {
    "queued": "queued",
    "launched": "running",
    "running": "running",
    "interrupted": "queued",
    "failed": "failed",
    "lost": "failed",
}
"""State of the run -> of its tasks without a cell. What a user stopped or cancelled is simply not run; an interrupted
run is queued again by itself."""
_PRECEDENCE: Sequence[OpenState] = ("failed", "queued", "running")
"""The last counts where several runs cover one entry."""


@dataclass(frozen=True)
class OpenTask:
    """A task of an evaluation run that has no cell of that run."""

    run_id: str
    state: OpenState
    task: Task
    encoder: EncoderIdentity
    """That of the newest cell of the same encoder; before there is one, label and source alone are certain."""
    protocol: ProtocolIdentity
    split: str
    """As the experiment says: may be `auto`."""
    data: DataIdentity | None
    """That of the newest cell on the same data set with the same size and split; None where there is none."""


def read_evaluations(runs: Iterable[RunRow]) -> dict[str, EvaluateExperiment]:
    """Run id -> experiment of the evaluation runs, oldest first; without those that this version cannot read."""
    experiments = {}
    for run in sorted(runs, key=lambda run: (run.created, run.id)):
        if run.kind == "evaluate":
            try:
                experiments[run.id] = EvaluateExperiment.model_validate(run.experiment)
            except ValidationError:
                continue
    return experiments


def find_open_tasks(runs: Sequence[RunRow], cells: Sequence[Cell]) -> tuple[OpenTask, ...]:
    """All open tasks: failed ones first, running ones last, of equal states the oldest run's first."""
    experiments = read_evaluations(runs)
    encoders = {experiments[cell.run_id].encoder: cell.encoder for cell in cells if cell.run_id in experiments}
    states = {run.id: STATES[run.state] for run in runs if run.state in STATES}
    done = {(cell.run_id, cell.task) for cell in cells}
    found = [
        OpenTask(
            run_id=run_id,
            state=states[run_id],
            task=task,
            encoder=encoders.get(experiment.encoder) or _expect_encoder(experiment.encoder),
            protocol=(protocol := _identify(build_protocol(task, experiment.settings))),
            split=experiment.split,
            data=_expect_data(task, protocol, experiment.split, cells),
        )
        for run_id, experiment in experiments.items()
        if run_id in states
        for task in _expand(experiment)
        if (run_id, task.id) not in done
    ]
    return tuple(sorted(found, key=lambda task: _PRECEDENCE.index(task.state)))


def _expand(experiment: EvaluateExperiment) -> tuple[Task, ...]:
    """The tasks; none where an id is unknown to this version."""
    try:
        return expand_tasks(experiment.tasks)
    except InputError:
        return ()


def _identify(protocol: Protocol) -> ProtocolIdentity:
    return ProtocolIdentity.model_validate(protocol.describe())


def _expect_data(task: Task, protocol: ProtocolIdentity, split: str, cells: Sequence[Cell]) -> DataIdentity | None:
    same_data = {other.id for other in TASKS if other.data == task.data}
    for cell in reversed(cells):
        same_size = _size_marks(cell.protocol) == _size_marks(protocol)
        if cell.task in same_data and same_size and split in (AUTO, cell.data.split):
            return cell.data
    return None


def _size_marks(protocol: ProtocolIdentity) -> list[str]:
    return [mark for mark in protocol.marks if mark.endswith(" px")]


def _expect_encoder(source: EncoderSource) -> EncoderIdentity:
    """The encoder as its cells will call it, as far as that is known before it is loaded."""
    is_path = "/" in source.source and not source.source.startswith("timm:")
    name = "/".join(PurePath(source.source).parts[-2:]) if is_path else source.source
    label = source.label or (name if source.checkpoint == "best" else f"{name} ({source.checkpoint})")
    return EncoderIdentity(source=source.source, label=label, fingerprint="?", backbone=source.backbone)
