"""Free-response ROC: how many boxes are found at so many false alarms an image (PROTOCOL A.1; vectors section 13).

Shapes: n predictions, m boxes of the ground truth, k pairs of both.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lovt_core.evaluation.metrics.box_table import BoxTable, Integers, order_by_confidence, pair_up

BUDGETS: Final = (0.125, 0.25, 0.5, 1, 2, 4, 8)
"""False positives an image."""


@dataclass(frozen=True)
class Froc:
    """The curve, and what the score is made of; classes play no part."""

    score: float
    """Mean of `sensitivities`."""
    sensitivities: tuple[float, ...]
    """One for each of `BUDGETS`; those that are not reached have that of the last prediction that reached one."""
    false_positives: npt.NDArray[np.float64]
    """(n,) a mean image has after each prediction, by falling confidence."""
    found: npt.NDArray[np.float64]
    """(n,) share of the boxes that are hit by then; 0 where there are none."""


def compute_froc(truth: BoxTable, predictions: BoxTable, num_images: int) -> Froc:
    """Score of all predictions by falling confidence (`order_by_confidence` says which of equal ones is first).

    A prediction hits each box of its image in which its centre lies, borders included; in none, it is a false
    positive; in boxes hit before, neither. After each prediction at most one budget is passed, so that budgets passed
    together take the sensitivities of the predictions that follow. Where no budget is reached, all sensitivities are
    the share that is found in the end.

    Without any boxes: 1 as long as no budget is reached, else 0 (the reference divides by zero there).
    """
    order = order_by_confidence(predictions)
    rank, box = _find_hits(truth, predictions, order)
    misses = np.ones(len(order), dtype=bool)
    misses[rank] = False
    false_positives = np.cumsum(misses) / num_images
    first_hit = np.full(len(truth), len(order))
    np.minimum.at(first_hit, box, rank)
    found = np.cumsum(np.bincount(first_hit, minlength=len(order))[: len(order)]) / max(len(truth), 1)
    sensitivities = _read_budgets(false_positives, found, empty=0.0 if len(truth) else 1.0)
    return Froc(float(np.mean(sensitivities)), sensitivities, false_positives, found)


def _find_hits(truth: BoxTable, predictions: BoxTable, order: Integers) -> tuple[Integers, Integers]:
    """Pairs of a place in `order` and a box that its centre lies in, (k,) each."""
    rank, box = pair_up(predictions.images[order], truth.images)
    with np.errstate(invalid="ignore", over="ignore"):
        centres = (predictions.boxes[:, :2] + predictions.boxes[:, 2:] / 2)[order[rank]]
    corners = truth.corners[box]
    inside = ((centres >= corners[:, :2]) & (centres <= corners[:, 2:])).all(axis=1)
    return rank[inside], box[inside]


def _read_budgets(
    false_positives: npt.NDArray[np.float64], found: npt.NDArray[np.float64], empty: float
) -> tuple[float, ...]:
    """Sensitivity at each budget; `empty` where there is neither a prediction nor a box that could be missed."""
    values: list[float] = []
    place = -1
    for reached in np.searchsorted(false_positives, BUDGETS, side="left").tolist():
        place = max(place + 1, reached)
        if place >= len(found):
            break
        values.append(float(found[place]))
    if not values:
        values = [empty if empty or not len(found) else float(found[-1])]
    return tuple(values + values[-1:] * (len(BUDGETS) - len(values)))
