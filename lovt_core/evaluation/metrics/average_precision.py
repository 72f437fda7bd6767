"""Mean average precision over the IoU thresholds 0.4 to 0.75 (PROTOCOL A.1, C.16; vectors section 12).

Shapes: n predictions, m boxes of the ground truth, k pairs of both, C classes, 8 IoU thresholds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lovt_core.evaluation.metrics.box_table import (
    BoxTable,
    Floats,
    Integers,
    count_within,
    order_by_confidence,
    pair_up,
)

IOU_THRESHOLDS: Final = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)
AT_50: Final = IOU_THRESHOLDS.index(0.5)
AT_75: Final = IOU_THRESHOLDS.index(0.75)
RECALL_THRESHOLDS: Final = np.arange(0.0, 1.01, 0.01)
"""101 floats to be taken literally: 0.35000000000000003 is not reached by 7 of 20."""

Doubles = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class AveragePrecision:
    """Average precision of a data set; 0 for a class without boxes or without predictions."""

    mean: float
    """Over thresholds and classes."""
    at_50: float
    """Over classes at IoU 0.5."""
    at_75: float
    per_class: tuple[float, ...]
    """(C,) over thresholds."""
    per_threshold: Doubles
    """(8, C)."""
    true_positives: tuple[int, ...]
    """(8,) predictions that match, of all classes."""


def compute_average_precision(truth: BoxTable, predictions: BoxTable, num_classes: int) -> AveragePrecision:
    """Average precision for each IoU threshold and class.

    All images' predictions of a class are taken by falling confidence (`order_by_confidence` says which of equally
    confident ones is first). Recall is TP / boxes, precision TP / (TP + FP); the average is that over
    `RECALL_THRESHOLDS` of the best precision at this recall or a higher one, 0 where it is never reached. Raises
    ValueError for a class that is not below `num_classes`.
    """
    for table in (truth, predictions):
        if len(table) and not 0 <= table.classes.min() <= table.classes.max() < num_classes:
            raise ValueError(f"classes must be 0 to {num_classes - 1}, not {np.unique(table.classes).tolist()}")
    order = order_by_confidence(predictions)
    hits = match_boxes(truth, predictions)
    scores = np.zeros((len(IOU_THRESHOLDS), num_classes))
    for label in range(num_classes):
        chosen = order[predictions.classes[order] == label]
        num_boxes = int((truth.classes == label).sum())
        for row in range(len(IOU_THRESHOLDS)):
            scores[row, label] = _average(hits[row, chosen], num_boxes)
    return AveragePrecision(
        mean=float(scores.mean()),
        at_50=float(scores[AT_50].mean()),
        at_75=float(scores[AT_75].mean()),
        per_class=tuple(scores.mean(axis=0).tolist()),
        per_threshold=scores,
        true_positives=tuple(hits.sum(axis=1).tolist()),
    )


def match_boxes(truth: BoxTable, predictions: BoxTable) -> Booleans:
    """(8, n) whether a prediction is a true positive at each of `IOU_THRESHOLDS`.

    Within an image and class each prediction, by falling confidence, takes the box of highest IoU that none has taken
    before, if that IoU is above the threshold. Of equal IoUs the earlier box comes first.
    """
    order = order_by_confidence(predictions)
    num_classes = 1 + max((int(table.classes.max()) for table in (truth, predictions) if len(table)), default=0)
    groups = predictions.images[order] * num_classes + predictions.classes[order]
    rank, box = pair_up(groups, truth.images * num_classes + truth.classes)
    iou = compute_iou(predictions.corners[order[rank]], truth.corners[box])
    near = iou > IOU_THRESHOLDS[0]
    hits = np.zeros((len(predictions), len(IOU_THRESHOLDS)), dtype=bool)
    hits[order] = _take_boxes(_Pairs(groups, rank[near], box[near], iou[near]), len(truth))
    return hits.T


def compute_iou(boxes: Floats, others: Floats) -> Doubles:
    """(k,) IoU of boxes (k, 4) left, top, right, bottom, whose last pixels count: lengths are right - left + 1.

    NaN for boxes that are not finite.
    """
    first, second = boxes.astype(np.float64), others.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        sides = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2]) + 1
        shared = np.maximum(sides, 0).prod(axis=1)
        areas = [(corners[:, 2:] - corners[:, :2] + 1).prod(axis=1) for corners in (first, second)]
        iou: Doubles = shared / (areas[0] + areas[1] - shared)
    return iou


@dataclass(frozen=True)
class _Pairs:
    """Predictions and boxes of one image and class whose IoU is above the lowest threshold."""

    groups: Integers
    """(n,) image and class of each prediction, by falling confidence."""
    rank: Integers
    """(k,) row of the prediction in `groups`, ascending."""
    box: Integers
    """(k,) row of the box."""
    iou: Doubles
    """(k,)."""


def _take_boxes(pairs: _Pairs, num_boxes: int) -> Booleans:
    """(n, 8) which predictions take a box.

    Images and classes do not touch each other: the first predictions of all of them choose together, then the second
    ones, each looking first at its best box. So there are as many steps as one image needs, not as there are pairs.
    """
    hits = np.zeros((len(pairs.groups), len(IOU_THRESHOLDS)), dtype=bool)
    taken = np.zeros((num_boxes, len(IOU_THRESHOLDS)), dtype=bool)
    best_first = np.lexsort((pairs.box, -pairs.iou, pairs.rank))
    rank, box, iou = pairs.rank[best_first], pairs.box[best_first], pairs.iou[best_first]
    above = iou[:, None] > np.asarray(IOU_THRESHOLDS)
    for step in _split_into_steps(pairs.groups, rank):
        takes = above[step] & ~taken[box[step]] & ~hits[rank[step]]
        taken[box[step]] |= takes
        hits[rank[step]] |= takes
    return hits


def _split_into_steps(groups: Integers, rank: Integers) -> list[Integers]:
    """Rows of the pairs, those together that are the i-th look of the j-th prediction of their image and class."""
    if not len(rank):
        return []
    chosen, looks = np.unique(rank, return_counts=True)
    by_group = np.argsort(groups[chosen], kind="stable")
    turn = np.empty_like(chosen)
    turn[by_group] = count_within(np.unique(groups[chosen], return_counts=True)[1])
    turns, look = np.repeat(turn, looks), count_within(looks)
    order = np.lexsort((look, turns))
    step = turns[order] * (look.max() + 1) + look[order]
    return np.split(order, np.flatnonzero(np.diff(step)) + 1)


def _average(hits: Booleans, num_boxes: int) -> float:
    """Average precision of one class at one threshold; hits (n,) by falling confidence."""
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    first = np.searchsorted(found / max(num_boxes, 1), RECALL_THRESHOLDS, side="left")
    return float(best[first].mean()) if num_boxes else 0.0
