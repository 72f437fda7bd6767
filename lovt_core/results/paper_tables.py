"""The comparison as in the paper: a table for RSNA, another for all other data sets, headings on several levels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from lovt_core.results.column import Column
from lovt_core.results.comparison import PUBLISHED_SUFFIX, Comparison, Missing, Row
from lovt_core.results.footnotes import describe_pin, describe_significance
from lovt_core.results.groups import PAPER_GROUPS
from lovt_core.tasks import TASKS

PUBLISHED_NOTE: Final = "† published by the authors"
_RSNA: Final = "rsna"
_TITLES: Final = {task.id: task.title.split(", ") for task in TASKS}
"""Data set, head, encoder, and of RSNA the share of the training list."""


@dataclass(frozen=True)
class Heading:
    """A text above one or several columns."""

    text: str
    span: int


@dataclass(frozen=True)
class PaperTable:
    """Some columns of the comparison, and the rows that have something to say about them."""

    name: str
    """`rsna` or `others`."""
    title: str
    comparison: Comparison
    headings: tuple[tuple[Heading, ...], ...]
    """Levels from the top: what several columns share, tasks, metrics, marks; each level spans all columns."""

    @property
    def is_mixed(self) -> bool:
        """Whether published rows stand beside others and must be told apart."""
        return len({row.is_published for row in self.comparison.rows}) > 1


def split_as_in_paper(comparison: Comparison) -> tuple[PaperTable, ...]:
    """The tables of the paper that have columns; a row without anything but "not run" in a table is left out of it."""
    found = (
        _build("rsna", _select(comparison, lambda column: column.data == _RSNA)),
        _build("others", _select(comparison, lambda column: column.data != _RSNA)),
    )
    return tuple(table for table in found if table.comparison.columns)


def format_label(row: Row) -> str:
    """The row's name without what its group says already, such as `LoVT` under `30 % of MIMIC-CXR`."""
    if not row.is_published:
        return row.label
    label = row.label.removesuffix(PUBLISHED_SUFFIX)
    return label.removesuffix(f" ({row.group.partition(' of ')[0]})") if row.group in PAPER_GROUPS else label


def describe_table(table: PaperTable) -> str:
    """What is in the table, as its caption."""
    return f"{table.title}: test scores in per cent, best in bold, second best underlined."


def collect_remarks(comparison: Comparison, with_significance: bool) -> tuple[str, ...]:
    """Sentences below the tables that hold for all of the comparison, which is not one table of it alone."""
    pinned = comparison.pin is not None
    return (
        *([describe_pin(comparison)] if pinned else []),
        *([describe_significance(comparison)] if pinned and with_significance else []),
        *comparison.summary,
        *(f"run {run} holds results that this version cannot read" for run in comparison.unreadable),
    )


def _select(comparison: Comparison, wanted: Callable[[Column], bool]) -> Comparison:
    places = [place for place, column in enumerate(comparison.columns) if wanted(column)]
    rows = (replace(row, scores=tuple(row.scores[place] for place in places)) for row in comparison.rows)
    return replace(
        comparison,
        columns=tuple(comparison.columns[place] for place in places),
        rows=tuple(row for row in rows if any(entry != Missing("not run") for entry in row.scores)),
    )


def _build(name: str, comparison: Comparison) -> PaperTable:
    columns = comparison.columns
    title = ", ".join(dict.fromkeys(_data_title(column) for column in columns))
    upper = [_upper(column) for column in columns]
    levels = (
        _merge(upper),
        tuple(Heading(_lower(column), 1) for column in columns),
        _merge(list(zip(upper, (column.metric_title for column in columns), strict=True))),
        _merge([", ".join(column.marks) for column in columns]),
    )
    return PaperTable(name, title, comparison, levels)


def _data_title(column: Column) -> str:
    return _TITLES[column.task][0] if column.task in _TITLES else "other tasks"


def _upper(column: Column) -> str:
    return ", ".join(_TITLES[column.task][1:3]) if column.data == _RSNA else _data_title(column)


def _lower(column: Column) -> str:
    parts = _TITLES.get(column.task)
    if parts is None:
        return column.task
    return parts[3] if column.data == _RSNA else ", ".join(parts[1:3])


def _merge(texts: Sequence[str | tuple[str, str]]) -> tuple[Heading, ...]:
    """Neighbours with equal texts under one heading; of pairs the first part only tells them apart."""
    groups = [(text, len(list(group))) for text, group in groupby(texts)]
    return tuple(Heading(text if isinstance(text, str) else text[1], span) for text, span in groups)
