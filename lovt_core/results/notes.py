"""Sentences that must be read with a score."""

from collections.abc import Iterator

from lovt_core.results.cells import Cell, Overlap
from lovt_core.results.published import PublishedScore

UNKNOWN_RUNS_NOTE = "published, its five runs unknown: interval of 1.96 standard errors as in the paper, not tested"


def describe_cell(cell: Cell, num_evaluations: int) -> tuple[str, ...]:
    """Notes of one's own score, the newest of `num_evaluations`."""
    return tuple(_cell_notes(cell, num_evaluations))


def describe_published(score: PublishedScore) -> tuple[str, ...]:
    """Notes of one of the paper's scores."""
    if not score.values:
        return (UNKNOWN_RUNS_NOTE,)
    return tuple(_duplicate_notes(len(set(score.values)), len(score.values)))


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
