"""Which scores of the evaluated encoders are missing, and the evaluations that would bring exactly those."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lovt_core.config.evaluation import EvaluateExperiment
from lovt_core.config.split_names import AUTO
from lovt_core.evaluation.protocol import build_protocol
from lovt_core.results.cells import Cell
from lovt_core.results.groups import name_rows
from lovt_core.results.open_tasks import OpenTask, find_open_tasks, read_evaluations
from lovt_core.runs.records import RunRow
from lovt_core.tasks import Task

GapState = Literal["not run", "failed", "queued", "running", "not prepared"]
FILLED: tuple[GapState, ...] = ("not run", "failed")
"""States of the gaps that an evaluation would have to fill."""


@dataclass(frozen=True)
class Gap:
    """A task without a score."""

    task: Task
    state: GapState
    run_id: str | None = None
    """The evaluation that failed, or that is to fill it."""


@dataclass(frozen=True)
class EncoderGaps:
    """What one encoder lacks under the settings and split of its newest evaluation."""

    label: str
    newest: EvaluateExperiment
    gaps: tuple[Gap, ...]
    """In the paper's order of tasks."""

    @property
    def evaluation(self) -> EvaluateExperiment | None:
        """The newest evaluation with the tasks that are to be run instead of its own; None: there are none."""
        tasks = tuple(gap.task.id for gap in self.gaps if gap.state in FILLED)
        return self.newest.model_copy(update={"tasks": tasks}) if tasks else None


@dataclass(frozen=True)
class _Records:
    """What is known of all evaluations."""

    cells: Sequence[Cell]
    experiments: Mapping[str, EvaluateExperiment]
    """By run, oldest first."""
    open_tasks: Sequence[OpenTask]

    def newest_cells(self) -> tuple[Cell, ...]:
        """A cell of the newest evaluation of each encoder; of weights that their source no longer gives, none."""
        by_run = {cell.run_id: cell for cell in self.cells}
        evaluated = [
            (experiment, by_run[run_id]) for run_id, experiment in self.experiments.items() if run_id in by_run
        ]
        by_source = {experiment.encoder: cell for experiment, cell in evaluated}
        return tuple({cell.encoder.key: cell for cell in by_source.values()}.values())

    def resolve_split(self, split: str, data: str) -> str:
        """The split that `auto` was on this data set the last time."""
        found = [cell.data.split for cell in self.cells if cell.data.name == data and self._split_of(cell) == AUTO]
        return found[-1] if split == AUTO and found else split

    def _split_of(self, cell: Cell) -> str | None:
        experiment = self.experiments.get(cell.run_id)
        return experiment.split if experiment else None


def find_gaps(
    runs: Sequence[RunRow], cells: Sequence[Cell], tasks: Sequence[Task], is_prepared: Callable[[str, int], bool]
) -> tuple[EncoderGaps, ...]:
    """Missing scores on `tasks` of every encoder that has a score, in the order of their first evaluations.

    A score counts where encoder, protocol and split are those of the encoder's newest evaluation with a score.
    `is_prepared` answers for the name of a data set and the side of its images in pixels.
    """
    records = _Records(cells, read_evaluations(runs), find_open_tasks(runs, cells))
    newest = records.newest_cells()
    names = name_rows([cell.encoder for cell in newest])
    return tuple(
        _find_of_encoder(records, name, cell, tasks, is_prepared) for name, cell in zip(names, newest, strict=True)
    )


def _find_of_encoder(
    records: _Records, label: str, newest: Cell, tasks: Sequence[Task], is_prepared: Callable[[str, int], bool]
) -> EncoderGaps:
    experiment = records.experiments[newest.run_id]
    gaps = []
    for task in tasks:
        fingerprint = build_protocol(task, experiment.settings).fingerprint
        split = records.resolve_split(experiment.split, task.data)
        if any(
            cell.task == task.id
            and cell.encoder.key == newest.encoder.key
            and cell.protocol.fingerprint == fingerprint
            and split in (AUTO, cell.data.split)
            for cell in records.cells
        ):
            continue
        opened = [
            each
            for each in records.open_tasks
            if each.task == task
            and each.encoder.key == newest.encoder.key
            and each.protocol.fingerprint == fingerprint
            and each.split in (experiment.split, split)
        ]
        gaps.append(_describe(task, opened, is_prepared(task.data, experiment.settings.image_size)))
    return EncoderGaps(label, experiment, tuple(gaps))


def _describe(task: Task, opened: Sequence[OpenTask], is_prepared: bool) -> Gap:
    if opened and opened[-1].state != "failed":
        return Gap(task, opened[-1].state, opened[-1].run_id)
    if not is_prepared:
        return Gap(task, "not prepared")
    return Gap(task, opened[-1].state, opened[-1].run_id) if opened else Gap(task, "not run")
