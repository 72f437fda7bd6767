"""Columns of the comparison: what must be equal before two scores may stand under each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from lovt_core.config.split_names import PUBLISHED
from lovt_core.results.cells import Cell, DataIdentity, ProtocolIdentity
from lovt_core.results.imported import ImportedScore
from lovt_core.results.open_tasks import OpenTask
from lovt_core.tasks import METRIC_TITLES, TASKS, Task

ColumnKey = tuple[str, str, str, str]
"""Task, and the fingerprints of protocol, data and split; other columns have words instead of what has none."""

_METRICS: Final[dict[str, str]] = dict(METRIC_TITLES.items())
_DATA: Final = {task.id: task.data for task in TASKS}
_NUMBERS: Final = {task.id: task.number for task in TASKS}


@dataclass(frozen=True)
class Column:
    """One task under one protocol on one data set and split."""

    key: ColumnKey
    task: str
    metric: str
    marks: tuple[str, ...]
    """Whatever keeps these scores from being compared with the paper's, and the split."""
    is_published: bool
    """Whether the paper's scores stand in this column."""

    @property
    def metric_title(self) -> str:
        """Metric with its unit."""
        return f"{_METRICS.get(self.metric, self.metric)} (%)"

    @property
    def data(self) -> str:
        """Data set of the task; empty for a task that this version does not know."""
        return _DATA.get(self.task, "")


def column_key(cell: Cell) -> ColumnKey:
    """The column that a cell belongs to."""
    return (cell.task, cell.protocol.fingerprint, cell.data.fingerprint, cell.data.split_fingerprint)


def open_column_key(open_task: OpenTask) -> ColumnKey:
    """The column in which its score is to be expected, as far as the data is known; else one of its own."""
    task, protocol, data = open_task.task.id, open_task.protocol.fingerprint, open_task.data
    if data is None:
        return (task, protocol, "open", open_task.split)
    return (task, protocol, data.fingerprint, data.split_fingerprint)


def build_columns(cells: Sequence[Cell], open_tasks: Iterable[OpenTask] = ()) -> tuple[Column, ...]:
    """One column for each key, in the paper's order of tasks; equal marks are told apart."""
    columns = {column_key(cell): _build_column(cell) for cell in cells}
    for open_task in open_tasks:
        columns.setdefault(open_column_key(open_task), _build_open_column(open_task))
    ordered = sorted(columns.values(), key=lambda column: (task_order(column.task), column.marks))
    return tuple(
        column if len(same) == 1 else replace(column, marks=(*column.marks, _short_key(column.key)))
        for _, group in groupby(ordered, key=lambda column: (column.task, column.marks))
        for same in [list(group)]
        for column in same
    )


def add_published_columns(columns: tuple[Column, ...], tasks: Iterable[Task]) -> tuple[Column, ...]:
    """With a column of its own for the paper's scores for every one of `tasks` that has none they may share."""
    shared = {column.task for column in columns if column.is_published}
    added = [_build_published_column(task) for task in tasks if task.id not in shared]
    return tuple(sorted((*columns, *added), key=lambda column: task_order(column.task)))


def add_imported_columns(columns: tuple[Column, ...], scores: Iterable[ImportedScore]) -> tuple[Column, ...]:
    """With columns for imported scores: the paper's where their file says that they are of its split, else their own.

    Of another split nobody knows whether that of two files is the same: each file has columns of its own.
    """
    found = list(scores)
    columns = add_published_columns(columns, dict.fromkeys(score.task for score in found if score.is_published))
    own = {imported_column_key(score): _build_imported_column(score) for score in found if not score.is_published}
    return tuple(sorted((*columns, *own.values()), key=lambda column: task_order(column.task)))


def imported_column_key(score: ImportedScore) -> ColumnKey:
    """The column of an imported score of an unknown split."""
    return (score.task.id, "imported", score.file, score.data or "unknown")


def holds_imported(column: Column, score: ImportedScore) -> bool:
    """Whether an imported score stands in a column."""
    if score.is_published:
        return column.is_published and column.task == score.task.id
    return column.key == imported_column_key(score)


def has_published_conditions(protocol: ProtocolIdentity, data: DataIdentity) -> bool:
    """Whether the paper's scores may stand beside such a score: its images, its split, its protocol."""
    return data.genuine and data.split == PUBLISHED and protocol.name == "full"


def task_order(task_id: str) -> tuple[int, str]:
    """Sort key: the paper's numbers, by which tasks of one data set stand together; unknown tasks last."""
    return (_NUMBERS.get(task_id, len(TASKS) + 1000), task_id)


def _build_column(cell: Cell) -> Column:
    return Column(
        key=column_key(cell),
        task=cell.task,
        metric=cell.metric,
        marks=(*_protocol_marks(cell.protocol), *_data_marks(cell.data)),
        is_published=has_published_conditions(cell.protocol, cell.data),
    )


def _build_open_column(open_task: OpenTask) -> Column:
    protocol, data = open_task.protocol, open_task.data
    return Column(
        key=open_column_key(open_task),
        task=open_task.task.id,
        metric=open_task.task.metric,
        marks=(*_protocol_marks(protocol), *((f"{open_task.split} split",) if data is None else _data_marks(data))),
        is_published=data is not None and has_published_conditions(protocol, data),
    )


def _build_published_column(task: Task) -> Column:
    key = (task.id, "published", "published", "published")
    return Column(key, task.id, task.metric, (f"{PUBLISHED} split",), is_published=True)


def _build_imported_column(score: ImportedScore) -> Column:
    data = (f"data as it says: {score.data}",) if score.data else ()
    marks = (f"imported from {score.file}", *data, "unknown split")
    return Column(imported_column_key(score), score.task.id, score.task.metric, marks, is_published=False)


def _short_key(key: ColumnKey) -> str:
    """What tells apart columns that read alike: data prepared differently, or another version's protocol."""
    _, protocol, data, split = key
    return f"protocol {protocol[:4]}, data {data[:4]}, split {split[:4]}"


def _protocol_marks(protocol: ProtocolIdentity) -> tuple[str, ...]:
    name = () if protocol.name in ("full", "adapted") else (protocol.name,)
    return (*name, *protocol.marks)


def _data_marks(data: DataIdentity) -> tuple[str, ...]:
    other = () if data.genuine else ("synthetic data" if data.synthetic else "other data",)
    return (*other, f"{data.split} split")
