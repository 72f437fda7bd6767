"""Which of the paper's best cells stand: are they significantly better than the second best of their task?"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from lovt_core.results.published import PublishedScore
from lovt_core.results.significance import LEVEL, compute_welch, correct_holm


@dataclass(frozen=True)
class BestCell:
    """The paper's largest mean on one task, beside the second largest."""

    task_number: int
    p_value: float | None
    """Two-sided Welch's t of their five runs, Holm-corrected over all tasks; None: it cannot be tested."""

    @property
    def stands(self) -> bool:
        """Whether the best is significantly better than the second best."""
        return self.p_value is not None and self.p_value < LEVEL


def judge_best_cells(published: Sequence[PublishedScore]) -> tuple[BestCell, ...]:
    """One verdict for each task, in the order of task numbers.

    Best and second best are rows, whatever share of the data they were pre-trained on. Their order is that of the
    printed means, of the runs' means where those are equal. A task cannot be tested where the runs of the best, of the
    second best, or of a row that prints like the second best are unknown. Holm's correction counts every task, those
    that cannot be tested with p = 1.
    """
    numbers = sorted({score.task_number for score in published})
    found = [_compare_two_best([score for score in published if score.task_number == number]) for number in numbers]
    corrected = correct_holm([1.0 if p_value is None else p_value for p_value in found])
    return tuple(
        BestCell(number, None if p_value is None else adjusted)
        for number, p_value, adjusted in zip(numbers, found, corrected, strict=True)
    )


def describe_best_cells(cells: Sequence[BestCell]) -> str:
    """One sentence: how many stand, and how many cannot be tested."""
    standing = sum(cell.stands for cell in cells)
    untested = sum(cell.p_value is None for cell in cells)
    return (
        f"{standing} of the paper's {len(cells)} best cells stand: significantly better than the second best (Welch's "
        f"t, Holm over {len(cells)} tasks, exploratory at n = 5); {untested} cannot be tested, runs unknown"
    )


def _compare_two_best(scores: Sequence[PublishedScore]) -> float | None:
    by_print = sorted(scores, key=lambda score: score.mean, reverse=True)
    if len(by_print) < 2:
        return None
    candidates = [score for score in scores if score.mean >= by_print[1].mean]
    if not all(score.values for score in candidates):
        return None
    best, second = sorted(candidates, key=lambda score: fmean(score.values), reverse=True)[:2]
    return compute_welch(best.values, second.values)
