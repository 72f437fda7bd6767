"""The comparison: encoders by tasks. Scores share a column only where protocol, data and split are the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from lovt_core.results.cells import Cell, CellCollection, EncoderIdentity, Overlap
from lovt_core.results.column import (
    Column,
    ColumnKey,
    build_column,
    build_published_column,
    column_key,
    task_order,
)
from lovt_core.results.published import PublishedScore
from lovt_core.tasks import TASKS

_PUBLISHED_NOTE = "published by the authors: interval of 1.96 standard errors of five runs that share a seed"


@dataclass(frozen=True)
class Score:
    """One entry of the table."""

    mean: float
    """As a fraction."""
    ci95: float | None
    num_replicates: int
    notes: tuple[str, ...]
    """Sentences that must be read with the number."""
    is_best: bool = False
    """No score of its column is larger."""
    cell: Cell | None = None
    """None for a published score."""


@dataclass(frozen=True)
class Row:
    """One encoder."""

    label: str
    is_published: bool
    scores: tuple[Score | None, ...]
    """One for each column; None: not evaluated."""


@dataclass(frozen=True)
class Comparison:
    """The whole table."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    unreadable: tuple[str, ...]
    """Ids of runs with results that this version cannot read."""


def compare(collection: CellCollection, published: Sequence[PublishedScore] = ()) -> Comparison:
    """The table of all cells, with the paper's rows if given."""
    columns = _own_columns(collection.cells)
    if published:
        columns = _with_published_columns(columns)
    rows = [*_own_rows(collection.cells, columns), *_published_rows(published, columns)]
    return Comparison(columns, _mark_best(rows), collection.unreadable)


def _own_columns(cells: Iterable[Cell]) -> tuple[Column, ...]:
    columns = {column_key(cell): build_column(cell) for cell in cells}
    ordered = sorted(columns.values(), key=lambda column: (task_order(column.task), column.marks))
    return tuple(
        column if len(same) == 1 else replace(column, marks=(*column.marks, _short_key(column.key)))
        for _, group in groupby(ordered, key=lambda column: (column.task, column.marks))
        for same in [list(group)]
        for column in same
    )


def _short_key(key: ColumnKey) -> str:
    """What tells apart columns that read alike: data prepared differently, or another version's protocol."""
    _, protocol, data, split = key
    return f"protocol {protocol[:4]}, data {data[:4]}, split {split[:4]}"


def _with_published_columns(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Add a column of its own for the paper's scores to every task that has none they may share."""
    shown = {column.task for column in columns} or {task.id for task in TASKS}
    shared = {column.task for column in columns if column.is_published}
    added = [build_published_column(task) for task in TASKS if task.id in shown - shared]
    return tuple(sorted((*columns, *added), key=lambda column: task_order(column.task)))


def _own_rows(cells: Sequence[Cell], columns: tuple[Column, ...]) -> list[Row]:
    """One row for each label and fingerprint, in the order of their first evaluation."""
    encoders: dict[tuple[str, str], dict[ColumnKey, list[Cell]]] = {}
    for cell in cells:
        by_column = encoders.setdefault((cell.encoder.label, cell.encoder.fingerprint), {})
        by_column.setdefault(column_key(cell), []).append(cell)
    names = _row_names([by_column[next(iter(by_column))][-1].encoder for by_column in encoders.values()])
    return [
        Row(name, is_published=False, scores=tuple(_own_score(by_column.get(column.key, [])) for column in columns))
        for name, by_column in zip(names, encoders.values(), strict=True)
    ]


def _row_names(encoders: Sequence[EncoderIdentity]) -> list[str]:
    """Labels; encoders that share one also get their backbone, or else the beginning of their fingerprint."""
    labels = [encoder.label for encoder in encoders]
    with_backbone = [f"{encoder.label} ({encoder.backbone})" for encoder in encoders]
    with_fingerprint = [f"{encoder.label} [{encoder.fingerprint[:6]}]" for encoder in encoders]
    names = []
    for own in zip(labels, with_backbone, with_fingerprint, strict=True):
        is_unique = (labels.count(own[0]) == 1, with_backbone.count(own[1]) == 1, True)
        names.append(own[is_unique.index(True)])
    return names


def _own_score(cells: Sequence[Cell]) -> Score | None:
    """The newest of the cells."""
    if not cells:
        return None
    cell = cells[-1]
    return Score(cell.mean, cell.ci95, len(cell.values), tuple(_notes(cell, len(cells))), cell=cell)


def _notes(cell: Cell, num_runs: int) -> Iterable[str]:
    if cell.overlap is not None:
        yield _overlap_note(cell.overlap)
    for group in cell.duplicates:
        numbers = ", ".join(str(replicate + 1) for replicate in group)
        yield f"replicates {numbers} have the same score to the bit: the interval is no precision"
    if num_runs > 1:
        yield f"the newest of {num_runs} evaluations"


def _overlap_note(overlap: Overlap) -> str:
    data = ", ".join(overlap.data)
    if overlap.num_images is None:
        return f"whether test images are in the pre-training data ({data}) is unknown: it was not prepared there"
    return f"{overlap.num_images} of {overlap.num_test_images} test images are also in the pre-training data ({data})"


def _published_rows(published: Sequence[PublishedScore], columns: tuple[Column, ...]) -> list[Row]:
    by_label: dict[str, dict[int, PublishedScore]] = {}
    for score in published:
        by_label.setdefault(score.label, {})[score.task_number] = score
    numbers = {task.id: task.number for task in TASKS}
    rows = [
        Row(
            label=f"{label}, published",
            is_published=True,
            scores=tuple(
                _published_score(scores.get(numbers.get(column.task, 0))) if column.is_published else None
                for column in columns
            ),
        )
        for label, scores in by_label.items()
    ]
    return [row for row in rows if any(row.scores)]


def _published_score(score: PublishedScore | None) -> Score | None:
    return None if score is None else Score(score.mean, score.ci95, num_replicates=5, notes=(_PUBLISHED_NOTE,))


def _mark_best(rows: Sequence[Row]) -> tuple[Row, ...]:
    by_column = zip(*(row.scores for row in rows), strict=True)
    best = [max((score.mean for score in scores if score is not None), default=0.0) for scores in by_column]
    return tuple(
        replace(
            row,
            scores=tuple(
                None if score is None else replace(score, is_best=score.mean >= top)
                for score, top in zip(row.scores, best, strict=True)
            ),
        )
        for row in rows
    )
