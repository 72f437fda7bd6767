"""The comparison: encoders by tasks. Scores share a column only where protocol, data and split are the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import fmean
from typing import Literal

from lovt_core.results.cells import Cell, CellCollection, EncoderIdentity
from lovt_core.results.column import (
    Column,
    ColumnKey,
    add_imported_columns,
    add_published_columns,
    build_columns,
    column_key,
    holds_imported,
    open_column_key,
)
from lovt_core.results.groups import group_of_encoder, group_of_published, name_rows, order_in_group, order_of_group
from lovt_core.results.imported import ImportedScore, group_by_encoder
from lovt_core.results.notes import describe_cell, describe_imported, describe_newer, describe_published, summarise
from lovt_core.results.open_tasks import OpenTask, find_open_tasks
from lovt_core.results.pinning import find_label
from lovt_core.results.published import NUM_RUNS, PublishedScore
from lovt_core.results.significance import EXPLORATORY, LEVEL, Interval, compute_half_width, compute_welch, correct_holm
from lovt_core.runs.records import RunRow
from lovt_core.tasks import TASKS, Task

State = Literal["not run", "queued", "running", "failed"]
PUBLISHED_SUFFIX = ", published"
"""Of the labels of the paper's rows."""


@dataclass(frozen=True)
class Score:
    """One entry of the table."""

    mean: float
    """As a fraction."""
    ci95: float | None
    """Half width of the 95 % interval as `Comparison.interval` says, as a fraction; None for a single replicate."""
    num_replicates: int
    notes: tuple[str, ...]
    """Sentences that must be read with the number."""
    values: tuple[float, ...] = ()
    """Score of each replicate; empty where they are unknown."""
    rank: int | None = None
    """1 best, 2 second of its column, else None. Scores that print alike (0.1 per cent) share a rank."""
    difference: float | None = None
    """Mean minus the pinned row's mean, as a fraction; None without a pin, for the pin itself, and beside no score."""
    p_value: float | None = None
    """Welch's t against the pin, Holm-corrected over all scores of the table that are tested; None: not tested."""
    is_exploratory: bool = False
    """Whether it is tested with five replicates or fewer on a side."""
    cell: Cell | None = None
    """None for a published or imported score."""

    @property
    def is_significant(self) -> bool:
        """Whether it differs from the pin's at 5 %."""
        return self.p_value is not None and self.p_value < LEVEL


@dataclass(frozen=True)
class Missing:
    """An entry without a score."""

    state: State
    run_id: str | None = None
    """The evaluation that is to bring the score, or failed to; None where there is none."""


Entry = Score | Missing


@dataclass(frozen=True)
class Row:
    """One encoder."""

    label: str
    group: str
    """Heading under which it stands (groups.py)."""
    is_published: bool
    scores: tuple[Entry, ...]
    """One for each column."""


@dataclass(frozen=True)
class Comparison:
    """The whole table."""

    columns: tuple[Column, ...]
    """Those of one data set stand together."""
    rows: tuple[Row, ...]
    """Those of one group stand together."""
    unreadable: tuple[str, ...]
    """Ids of runs with results that this version cannot read."""
    pin: str | None = None
    """Label of the row with which the others are compared."""
    interval: Interval = "student"
    """`student`: Student's t. `published`: 1.96 standard errors, as in the paper (PROTOCOL A.6)."""
    summary: tuple[str, ...] = ()
    """Sentences below the table that hold for all of it."""


@dataclass(frozen=True)
class ComparisonOptions:
    """What is asked of the table."""

    tasks: tuple[Task, ...] | None = None
    """None: those that were evaluated, all 18 beside the paper's rows if none was."""
    pin: str | None = None
    """Label of a row, or what only one row's begins with."""
    interval: Interval = "student"


@dataclass(frozen=True)
class _Encoder:
    """What is known of one encoder of one's own."""

    identity: EncoderIdentity
    """Of its newest cell."""
    cells: dict[ColumnKey, list[Cell]]
    open: dict[ColumnKey, OpenTask]


def compare(
    collection: CellCollection,
    published: Sequence[PublishedScore] = (),
    runs: Sequence[RunRow] = (),
    options: ComparisonOptions = ComparisonOptions(),
    imported: Sequence[ImportedScore] = (),
) -> Comparison:
    """The table of all cells, with the paper's and imported rows if given, and with what `runs` are still to do.

    Raises InputError for a pin that names no row, or several.
    """
    wanted = {task.id for task in options.tasks} if options.tasks is not None else None
    cells = [cell for cell in collection.cells if wanted is None or cell.task in wanted]
    opened = find_open_tasks(runs, collection.cells)
    opened = tuple(each for each in opened if wanted is None or each.task.id in wanted)
    columns = build_columns(cells, opened)
    imported = [score for score in imported if wanted is None or score.task.id in wanted]
    columns = add_imported_columns(columns, imported)
    if published:
        shown = wanted or {column.task for column in columns} or {task.id for task in TASKS}
        columns = add_published_columns(columns, [task for task in TASKS if task.id in shown])
    encoders = _collect_encoders(cells, opened)
    interval = options.interval
    foreign = [*_published_rows(published, columns, interval), *_imported_rows(imported, columns, interval)]
    rows = _rank(_sort_groups([*foreign, *_own_rows(encoders, columns, interval)]))
    pin = None if options.pin is None else find_label(options.pin, [row.label for row in rows])
    rows = rows if pin is None else _compare_with_pin(rows, pin)
    summary = summarise(published, interval) if rows else ()
    return Comparison(columns, tuple(rows), collection.unreadable, pin, interval, summary)


def _collect_encoders(cells: Sequence[Cell], opened: Sequence[OpenTask]) -> list[_Encoder]:
    """One for each row, in the order of their first evaluation."""
    encoders: dict[tuple[str, ...], _Encoder] = {}
    for cell in cells:
        known = encoders.get(cell.encoder.key) or _Encoder(cell.encoder, {}, {})
        known.cells.setdefault(column_key(cell), []).append(cell)
        encoders[cell.encoder.key] = replace(known, identity=cell.encoder)
    for each in opened:
        encoder = encoders.setdefault(each.encoder.key, _Encoder(each.encoder, {}, {}))
        encoder.open[open_column_key(each)] = each
    return list(encoders.values())


def _own_rows(encoders: Sequence[_Encoder], columns: Sequence[Column], interval: Interval) -> list[Row]:
    named = zip(name_rows([encoder.identity for encoder in encoders]), encoders, strict=True)
    return [
        Row(
            label=name,
            group=group_of_encoder(encoder.identity),
            is_published=False,
            scores=tuple(_own_entry(encoder, column.key, interval) for column in columns),
        )
        for name, encoder in sorted(named, key=lambda pair: order_in_group(pair[1].identity))
    ]


def _own_entry(encoder: _Encoder, key: ColumnKey, interval: Interval) -> Entry:
    """The newest cell; without one what is to bring it."""
    cells, opened = encoder.cells.get(key, []), encoder.open.get(key)
    if not cells:
        return Missing("not run") if opened is None else Missing(opened.state, opened.run_id)
    cell = cells[-1]
    notes = describe_cell(cell, len(cells))
    if opened is not None and opened.run_id > cell.run_id:
        notes = (*notes, describe_newer(opened.state))
    ci95 = cell.ci95 if interval == "student" else compute_half_width(cell.values, interval)
    return Score(cell.mean, ci95, len(cell.values), notes, cell.values, cell=cell)


def _published_rows(published: Sequence[PublishedScore], columns: Sequence[Column], interval: Interval) -> list[Row]:
    by_label: dict[str, dict[int, PublishedScore]] = {}
    for score in published:
        by_label.setdefault(score.label, {})[score.task_number] = score
    numbers = {task.id: task.number for task in TASKS}
    rows = []
    for label, scores in by_label.items():
        found = [scores.get(numbers.get(column.task, 0)) if column.is_published else None for column in columns]
        entries = tuple(Missing("not run") if score is None else _published_entry(score, interval) for score in found)
        group = group_of_published(next(iter(scores.values())))
        rows.append(Row(f"{label}{PUBLISHED_SUFFIX}", group, is_published=True, scores=entries))
    return [row for row in rows if any(isinstance(entry, Score) for entry in row.scores)]


def _published_entry(score: PublishedScore, interval: Interval) -> Score:
    notes = describe_published(score)
    if not score.values:
        return Score(score.mean, score.ci95, NUM_RUNS, notes)
    return Score(fmean(score.values), compute_half_width(score.values, interval), NUM_RUNS, notes, score.values)


def _imported_rows(imported: Sequence[ImportedScore], columns: Sequence[Column], interval: Interval) -> list[Row]:
    rows = []
    for row in group_by_encoder(imported):
        found = [next((each for each in row.scores if holds_imported(column, each)), None) for column in columns]
        entries = tuple(Missing("not run") if score is None else _imported_entry(score, interval) for score in found)
        rows.append(Row(row.label, row.group, is_published=False, scores=entries))
    return rows


def _imported_entry(score: ImportedScore, interval: Interval) -> Score:
    half_width = compute_half_width(score.values, interval)
    return Score(fmean(score.values), half_width, len(score.values), describe_imported(score), score.values)


def _sort_groups(rows: Sequence[Row]) -> list[Row]:
    own_groups = list(dict.fromkeys(row.group for row in rows))
    return sorted(rows, key=lambda row: order_of_group(row.group, own_groups))


def _rank(rows: Sequence[Row]) -> list[Row]:
    """Mark best and second best of each column, by the means as they are printed."""
    places: list[dict[float, int]] = []
    for entries in zip(*(row.scores for row in rows), strict=True):
        printed = {_printed(entry) for entry in entries if isinstance(entry, Score) and isfinite(entry.mean)}
        places.append({mean: place for place, mean in enumerate(sorted(printed, reverse=True)[:2], start=1)})
    return [
        replace(
            row,
            scores=tuple(
                replace(entry, rank=place.get(_printed(entry))) if isinstance(entry, Score) else entry
                for entry, place in zip(row.scores, places, strict=True)
            ),
        )
        for row in rows
    ]


def _printed(score: Score) -> float:
    return round(100 * score.mean, 1)


def _compare_with_pin(rows: Sequence[Row], pin: str) -> list[Row]:
    """Put in differences, and p-values corrected over all of them."""
    place = next(place for place, row in enumerate(rows) if row.label == pin)
    bases = rows[place].scores
    others = [row for row in rows if row is not rows[place]]
    tested = {
        (row_place, column_place): compute_welch(entry.values, base.values)
        for row_place, row in enumerate(others)
        for column_place, (entry, base) in enumerate(zip(row.scores, bases, strict=True))
        if isinstance(entry, Score) and isinstance(base, Score)
    }
    p_values = {where: p_value for where, p_value in tested.items() if p_value is not None}
    corrected = dict(zip(p_values, correct_holm(list(p_values.values())), strict=True))
    related = [
        replace(
            row,
            scores=tuple(
                _relate(entry, base, corrected.get((row_place, column_place)))
                for column_place, (entry, base) in enumerate(zip(row.scores, bases, strict=True))
            ),
        )
        for row_place, row in enumerate(others)
    ]
    return [*related[:place], rows[place], *related[place:]]


def _relate(entry: Entry, base: Entry, p_value: float | None) -> Entry:
    if isinstance(entry, Missing) or isinstance(base, Missing):
        return entry
    smallest = min(entry.num_replicates, base.num_replicates)
    return replace(
        entry,
        difference=entry.mean - base.mean,
        p_value=p_value,
        is_exploratory=p_value is not None and smallest <= EXPLORATORY,
    )
