"""Sentences that must be read with a score, and below the table."""

from collections.abc import Iterator, Sequence

from lovt_core.results.best_cells import describe_best_cells, judge_best_cells
from lovt_core.results.cells import Cell, Overlap
from lovt_core.results.imported import ImportedScore
from lovt_core.results.published import PublishedScore
from lovt_core.results.significance import Interval

_INTERVALS: dict[Interval, str] = {
    "student": "± half width of the 95 % interval of the mean (Student's t)",
    "published": "± half width of the 95 % interval of the mean as in the paper (1.96 standard errors)",
}
_PUBLISHED_SUMMARY = "published: five runs of the authors that share a seed: their intervals are too small"
UNKNOWN_RUNS_NOTE = "published, its five runs unknown: interval of 1.96 standard errors as in the paper, not tested"


def describe_cell(cell: Cell, num_evaluations: int) -> tuple[str, ...]:
    """Notes of one's own score, the newest of `num_evaluations`."""
    return tuple(_cell_notes(cell, num_evaluations))


def describe_published(score: PublishedScore) -> tuple[str, ...]:
    """Notes of one of the paper's scores."""
    if not score.values:
        return (UNKNOWN_RUNS_NOTE,)
    return tuple(_duplicate_notes(len(set(score.values)), len(score.values)))


def describe_imported(score: ImportedScore) -> tuple[str, ...]:
    """Notes of a score that comes from a file."""
    return (score.note, *_duplicate_notes(len(set(score.values)), len(score.values)))


def _cell_notes(cell: Cell, num_evaluations: int) -> Iterator[str]:
    if cell.overlap is not None:
        yield _overlap_note(cell.overlap)
    repeated = sum(len(group) - 1 for group in cell.duplicates)
    yield from _duplicate_notes(len(cell.values) - repeated, len(cell.values))
    if num_evaluations > 1:
        yield f"the newest of {num_evaluations} evaluations"


def _duplicate_notes(num_distinct: int, num_values: int) -> Iterator[str]:
    if num_distinct < num_values:
        scores = "one score" if num_distinct == 1 else f"{num_distinct} different scores"
        yield f"{scores} among {num_values} replicates, the others equal to the bit: the interval is no precision"


def _overlap_note(overlap: Overlap) -> str:
    data = ", ".join(overlap.data)
    if overlap.num_images is None:
        return f"whether test images are in the pre-training data ({data}) is unknown: it was not prepared there"
    return f"{overlap.num_images} of {overlap.num_test_images} test images are also in the pre-training data ({data})"


def describe_newer(state: str) -> str:
    """Note of a score that a newer evaluation is to replace, or failed to."""
    return "a newer evaluation has failed" if state == "failed" else f"a newer evaluation is {state}"


def summarise(published: Sequence[PublishedScore], interval: Interval) -> tuple[str, ...]:
    """Sentences below the table, with the paper's rows or without."""
    if not published:
        return (_INTERVALS[interval],)
    return (_INTERVALS[interval], _PUBLISHED_SUMMARY, describe_best_cells(judge_best_cells(published)))
