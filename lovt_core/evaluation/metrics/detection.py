"""All scores of boxes that are found, collected batch by batch.

Shapes: n detections and m boxes of one image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lovt_core.evaluation.metrics.average_precision import AT_50, compute_average_precision
from lovt_core.evaluation.metrics.box_table import BoxTable
from lovt_core.evaluation.metrics.froc import compute_froc
from lovt_core.models.heads.yolo_detections import Detections


@dataclass(frozen=True)
class DetectionScores:
    """Scores of a data set, fractions; all of what needs a box or a prediction is 0 where there is none, but `froc`."""

    map: float
    """Average precision over IoU 0.4 to 0.75 and classes."""
    map_50: float
    map_75: float
    map_per_class: tuple[float, ...]
    froc: float
    """Mean of `sensitivities`; 1 where nothing is to be found and few predictions are wrong (`froc.py`)."""
    sensitivities: tuple[float, ...]
    """Share of the boxes found at 1/8, 1/4, 1/2, 1, 2, 4, 8 false positives an image."""
    precision: float
    """Share of the predictions, as they were given, that match a box at IoU 0.5."""
    recall: float
    """Share of the boxes that are matched then."""
    num_images: int
    num_boxes: int
    """Without those of zero area."""
    num_flat_boxes: int
    """Boxes of zero area: left out, because nothing can find them."""
    num_predictions: int


class DetectionMetric:
    """Collects the detections and boxes of image after image; neither the order nor the batches matter.

    (Of equally confident detections that of the earlier image counts first.)
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self._num_images = 0
        self._num_flat_boxes = 0
        self._truth: list[BoxTable] = []
        self._predictions: list[BoxTable] = []

    def update(self, detections: Sequence[Detections], boxes: Sequence[Tensor], classes: Sequence[Tensor]) -> None:
        """Take in a batch: for each image its detections, its boxes (m, 4) and their classes (m,), on any device.

        Boxes are left, top, width, height in pixels of the same image.
        """
        truth = _gather_truth(boxes, classes, self._num_images)
        whole = (truth.boxes[:, 2:] > 0).all(axis=1)
        self._num_flat_boxes += int((~whole).sum())
        self._truth.append(BoxTable(truth.boxes[whole], truth.classes[whole], truth.images[whole]))
        self._predictions.append(_gather_predictions(detections, self._num_images))
        self._num_images += len(boxes)

    def compute(self) -> DetectionScores:
        """The scores of everything taken in so far."""
        truth, predictions = _join(self._truth), _join(self._predictions)
        precision = compute_average_precision(truth, predictions, self.num_classes)
        froc = compute_froc(truth, predictions, max(self._num_images, 1))
        matched = precision.true_positives[AT_50]
        return DetectionScores(
            map=precision.mean,
            map_50=precision.at_50,
            map_75=precision.at_75,
            map_per_class=precision.per_class,
            froc=froc.score,
            sensitivities=froc.sensitivities,
            precision=matched / max(len(predictions), 1),
            recall=matched / max(len(truth), 1),
            num_images=self._num_images,
            num_boxes=len(truth),
            num_flat_boxes=self._num_flat_boxes,
            num_predictions=len(predictions),
        )


def score_image(detections: Detections, boxes: Tensor, classes: Tensor) -> float:
    """How well one image is done, to rank images: average precision over IoU 0.4 to 0.75 and the classes that occur.

    A class occurs if it is detected or has a box (m, 4; classes (m,)). 1 where there is neither.
    """
    truth, predictions = _gather_truth([boxes], [classes], 0), _gather_predictions([detections], 0)
    occurring, labels = np.unique(np.concatenate((truth.classes, predictions.classes)), return_inverse=True)
    if not len(occurring):
        return 1.0
    truth = BoxTable(truth.boxes, labels[: len(truth)], truth.images)
    predictions = BoxTable(predictions.boxes, labels[len(truth) :], predictions.images, predictions.confidence)
    return compute_average_precision(truth, predictions, len(occurring)).mean


def _gather_truth(boxes: Sequence[Tensor], classes: Sequence[Tensor], first_image: int) -> BoxTable:
    return BoxTable(
        boxes=_to_array(boxes, torch.float32).reshape(-1, 4),
        classes=_to_array(classes, torch.int64),
        images=_number(boxes, first_image),
    )


def _gather_predictions(detections: Sequence[Detections], first_image: int) -> BoxTable:
    boxes = [found.boxes for found in detections]
    return BoxTable(
        boxes=_to_array(boxes, torch.float32).reshape(-1, 4),
        classes=_to_array([found.classes for found in detections], torch.int64),
        images=_number(boxes, first_image),
        confidence=_to_array([found.confidence for found in detections], torch.float32),
    )


def _to_array(parts: Sequence[Tensor], kind: torch.dtype) -> np.ndarray:
    """Joined where they are, so that one batch is one copy from a GPU."""
    joined = torch.cat(list(parts)) if parts else torch.empty(0)
    array: np.ndarray = joined.detach().to(kind).cpu().numpy()
    return array


def _number(boxes: Sequence[Tensor], first_image: int) -> np.ndarray:
    return np.repeat(np.arange(first_image, first_image + len(boxes)), [len(each) for each in boxes])


def _join(tables: Sequence[BoxTable]) -> BoxTable:
    """All rows of the tables, which have confidences either all or none."""
    if not tables:
        none = np.empty(0, np.int64)
        return BoxTable(np.empty((0, 4), np.float32), none, none, np.empty(0, np.float32))
    confidences = [table.confidence for table in tables if table.confidence is not None]
    return BoxTable(
        boxes=np.concatenate([table.boxes for table in tables]),
        classes=np.concatenate([table.classes for table in tables]),
        images=np.concatenate([table.images for table in tables]),
        confidence=np.concatenate(confidences) if confidences else None,
    )
