"""Columns of the comparison: what must be equal before two scores may stand under each other."""

from dataclasses import dataclass

from lovt_core.config.split_names import PUBLISHED
from lovt_core.results.cells import Cell, DataIdentity, ProtocolIdentity
from lovt_core.tasks import TASKS, Task

ColumnKey = tuple[str, str, str, str]
"""Task, and the fingerprints of protocol, data and split; the published column has its own words instead."""

_METRICS = {"dice": "Dice", "average_dice": "average Dice"}


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


def column_key(cell: Cell) -> ColumnKey:
    """The column that a cell belongs to."""
    return (cell.task, cell.protocol.fingerprint, cell.data.fingerprint, cell.data.split_fingerprint)


def build_column(cell: Cell) -> Column:
    """The column of a cell."""
    return Column(
        key=column_key(cell),
        task=cell.task,
        metric=cell.metric,
        marks=(*_protocol_marks(cell.protocol), *_data_marks(cell.data)),
        is_published=has_published_conditions(cell),
    )


def build_published_column(task: Task) -> Column:
    """A column for the paper's scores alone."""
    key = (task.id, "published", "published", "published")
    return Column(key, task.id, task.metric, (f"{PUBLISHED} split",), is_published=True)


def has_published_conditions(cell: Cell) -> bool:
    """Whether the paper's scores may stand beside this cell: its images, its split, its protocol."""
    return cell.data.genuine and cell.data.split == PUBLISHED and cell.protocol.name == "full"


def task_order(task_id: str) -> tuple[int, str]:
    """Sort key: the paper's numbers, then tasks that this version does not know."""
    numbers = {task.id: task.number for task in TASKS}
    return (numbers.get(task_id, len(TASKS) + 1000), task_id)


def _protocol_marks(protocol: ProtocolIdentity) -> tuple[str, ...]:
    name = () if protocol.name in ("full", "adapted") else (protocol.name,)
    return (*name, *protocol.marks)


def _data_marks(data: DataIdentity) -> tuple[str, ...]:
    other = () if data.genuine else ("synthetic data" if data.synthetic else "other data",)
    return (*other, f"{data.split} split")
