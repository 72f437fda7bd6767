"""What a head learns and how it is judged: masks by soft Dice and Dice, boxes by YOLOv3's loss and mAP or fROC.

Shapes: B batch, C classes, H x W pixels.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from lovt_core.evaluation.metrics.detection import DetectionMetric, score_image
from lovt_core.evaluation.metrics.dice import DiceMetric
from lovt_core.evaluation.task_data import Boxes, Targets
from lovt_core.models.heads.yolo_detections import Detections, suppress
from lovt_core.models.heads.yolov3 import ANCHORS, decode
from lovt_core.objectives.dice import DiceLoss
from lovt_core.objectives.yolov3 import YoloLoss
from lovt_core.tasks import Task


@dataclass(frozen=True)
class Scores:
    """How a head did on one part of a split."""

    value: float
    """The task's metric, a fraction."""
    details: dict[str, Any]
    """All other scores, JSON values."""


@dataclass(frozen=True)
class ImagePrediction:
    """What a head says of one image, and how well that fits."""

    score: float
    has_targets: bool
    """Whether there is anything to find."""
    mask: Tensor | None = None
    """(C, H, W) bool."""
    detections: Detections | None = None


class Tally(Protocol):
    """Collects predictions batch by batch."""

    def add(self, output: Any, targets: Targets) -> None:
        """Take in a head's output for a batch."""

    def compute(self) -> Scores:
        """Scores of everything taken in so far."""


class Criterion(Protocol):
    """Loss and metric of a task."""

    def compute_loss(self, output: Any, targets: Targets) -> Tensor:
        """Loss of a batch (scalar), float32."""

    def new_tally(self, device: str) -> Tally:
        """An empty tally."""

    def predict(self, output: Any, targets: Targets) -> list[ImagePrediction]:
        """The single images of a batch."""


class SegmentationCriterion:
    """Masks: outputs are logits (B, C, H, W)."""

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.loss = DiceLoss()

    def compute_loss(self, output: Any, targets: Targets) -> Tensor:
        """Soft Dice of the whole batch."""
        loss: Tensor = self.loss(output.float(), targets)
        return loss

    def new_tally(self, device: str) -> Tally:
        """Counts pixels."""
        return _PixelTally(self.num_classes, device)

    def predict(self, output: Any, targets: Targets) -> list[ImagePrediction]:
        """Masks at probability 0.5; scored by the Dice of the image, all classes pooled."""
        assert isinstance(targets, Tensor)
        masks = torch.sigmoid(output.float()) >= 0.5
        found = []
        for mask, target in zip(masks, targets, strict=True):
            total = int(mask.sum() + target.sum())
            score = 2 * int((mask & target).sum()) / total if total else 1.0
            found.append(ImagePrediction(score, bool(target.any()), mask=mask))
        return found


class _PixelTally:
    def __init__(self, num_classes: int, device: str) -> None:
        self._metric = DiceMetric(num_classes, device)

    def add(self, output: Any, targets: Targets) -> None:
        assert isinstance(targets, Tensor)
        self._metric.update(torch.sigmoid(output.float()), targets)

    def compute(self) -> Scores:
        scores = self._metric.compute()
        return Scores(scores.average_dice, asdict(scores))


class DetectionCriterion:
    """Boxes: outputs are YOLOv3's three raw maps."""

    def __init__(self, num_classes: int, metric: str) -> None:
        """`metric`: `map` or `froc`."""
        self.num_classes = num_classes
        self.metric = metric
        self.loss = YoloLoss(num_classes, ANCHORS)

    def compute_loss(self, output: Any, targets: Targets) -> Tensor:
        """Sum over the three scales."""
        assert isinstance(targets, Boxes)
        total: Tensor = self.loss(output, targets.boxes, targets.classes).total
        return total

    def new_tally(self, device: str) -> Tally:
        """Collects boxes."""
        return _BoxTally(self.num_classes, self.metric)

    def predict(self, output: Any, targets: Targets) -> list[ImagePrediction]:
        """Boxes after suppression; scored by the mean average precision of the image."""
        assert isinstance(targets, Boxes)
        return [
            ImagePrediction(score_image(found, boxes, classes), len(boxes) > 0, detections=found)
            for found, boxes, classes in zip(_detect(output), targets.boxes, targets.classes, strict=True)
        ]


class _BoxTally:
    def __init__(self, num_classes: int, metric: str) -> None:
        self._metric = DetectionMetric(num_classes)
        self._name = metric

    def add(self, output: Any, targets: Targets) -> None:
        assert isinstance(targets, Boxes)
        self._metric.update(_detect(output), targets.boxes, targets.classes)

    def compute(self) -> Scores:
        details = asdict(self._metric.compute())
        return Scores(float(details[self._name]), details)


def _detect(maps: Sequence[Tensor]) -> list[Detections]:
    return suppress(decode([each.float() for each in maps]))


def build_criterion(task: Task) -> Criterion:
    """Loss and metric of a task."""
    if task.is_detection:
        return DetectionCriterion(len(task.classes), task.metric)
    return SegmentationCriterion(len(task.classes))


def to_numpy(tensor: Tensor) -> np.ndarray:
    """On the CPU."""
    array: np.ndarray = tensor.detach().cpu().numpy()
    return array
