"""Dice of a whole data set (PROTOCOL A.1, vectors section 11, `11_dice_metric`).

Shapes: B batch, C classes, H x W pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SegmentationScores:
    """Scores over all pixels of all images, one value a class except `average_dice`."""

    dice: tuple[float, ...]
    """2 TP / (2 TP + FP + FN), 0 where the denominator is 0."""
    average_dice: float
    """Mean of `dice` over the classes; a class without positive or predicted pixels counts as 0."""
    positive_dice: tuple[float, ...]
    """Mean Dice of the single images that contain the class, -1 where there is none."""
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    true_positives: tuple[int, ...]
    false_positives: tuple[int, ...]
    false_negatives: tuple[int, ...]


class DiceMetric:
    """Counts pixels batch by batch; a pixel is predicted where its probability is at least `threshold`."""

    def __init__(self, num_classes: int, device: str | torch.device = "cpu", threshold: float = 0.5) -> None:
        self.threshold = threshold
        self._true_positives = torch.zeros(num_classes, dtype=torch.int64, device=device)
        self._predicted = torch.zeros_like(self._true_positives)
        self._positive = torch.zeros_like(self._true_positives)
        self._image_dice = torch.zeros(num_classes, dtype=torch.float64, device=device)
        self._num_positive_images = torch.zeros_like(self._true_positives)

    def update(self, probabilities: Tensor, targets: Tensor) -> None:
        """Take in probabilities (B, C, H, W) and boolean targets of the same shape."""
        prediction = probabilities >= self.threshold
        hits = (prediction & targets).sum((-2, -1))
        predicted, positive = prediction.sum((-2, -1)), targets.sum((-2, -1))
        self._true_positives += hits.sum(0)
        self._predicted += predicted.sum(0)
        self._positive += positive.sum(0)
        # An image with a positive pixel has a denominator above 0; the others are left out, so 1 changes nothing.
        image_dice = 2 * hits.double() / (predicted + positive).clamp_min(1)
        self._image_dice += torch.where(positive > 0, image_dice, 0.0).sum(0)
        self._num_positive_images += (positive > 0).sum(0)

    def compute(self) -> SegmentationScores:
        """The scores of everything taken in so far."""
        hits = self._true_positives.tolist()
        predicted = self._predicted.tolist()
        positive = self._positive.tolist()
        per_class = tuple(zip(hits, predicted, positive, strict=True))
        dice = tuple(_ratio(2 * tp, p + t) for tp, p, t in per_class)
        images = zip(self._image_dice.tolist(), self._num_positive_images.tolist(), strict=True)
        return SegmentationScores(
            dice=dice,
            average_dice=sum(dice) / len(dice),
            positive_dice=tuple(total / count if count else -1.0 for total, count in images),
            precision=tuple(_ratio(tp, p) for tp, p, _ in per_class),
            recall=tuple(_ratio(tp, t) for tp, _, t in per_class),
            true_positives=tuple(hits),
            false_positives=tuple(p - tp for tp, p, _ in per_class),
            false_negatives=tuple(t - tp for tp, _, t in per_class),
        )


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else 0.0
