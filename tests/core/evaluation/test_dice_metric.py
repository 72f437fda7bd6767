from dataclasses import replace

import numpy as np
import pytest
import torch

from lovt_core.evaluation.metrics.dice import DiceMetric


@pytest.mark.vectors("11_dice_metric")
def test_reference(case):
    probabilities, targets = case.tensor("probs"), case.tensor("targets")
    metric = DiceMetric(probabilities.shape[1], threshold=case.settings["threshold"])
    batches = case.arrays["batch_index"]
    for batch in np.unique(batches):
        metric.update(probabilities[batches == batch], targets[batches == batch])
    scores = metric.compute()
    for key, got in (("tp", "true_positives"), ("fp", "false_positives"), ("fn", "false_negatives")):
        case.check(key, torch.tensor(getattr(scores, got)))
    for key, got in (("dice", "dice"), ("pos_dice", "positive_dice"), ("precision", "precision"), ("recall", "recall")):
        case.check(key, torch.tensor(getattr(scores, got), dtype=torch.float64))
    case.check("avg_dice", torch.tensor(scores.average_dice, dtype=torch.float64))


def test_pixels_are_counted_over_the_data_set_not_averaged_per_image():
    metric = DiceMetric(1)
    truth = torch.zeros(2, 1, 2, 2, dtype=torch.bool)
    truth[0] = True
    truth[1, 0, 0, 0] = True
    prediction = truth.float()
    prediction[1] = 0
    for image in range(2):
        metric.update(prediction[image, None], truth[image, None])
    scores = metric.compute()
    assert scores.dice == (pytest.approx(2 * 4 / (4 + 5)),)
    assert scores.positive_dice == (pytest.approx(0.5),)
    assert scores.precision == (1.0,)
    assert scores.recall == (pytest.approx(4 / 5),)


def test_batches_do_not_matter():
    probabilities, targets = torch.rand(9, 3, 8, 8), torch.rand(9, 3, 8, 8) > 0.6
    whole, parts = DiceMetric(3), DiceMetric(3)
    whole.update(probabilities, targets)
    for start in range(0, 9, 2):
        parts.update(probabilities[start : start + 2], targets[start : start + 2])
    one, other = whole.compute(), parts.compute()
    assert replace(one, positive_dice=()) == replace(other, positive_dice=())
    assert one.positive_dice == pytest.approx(other.positive_dice)
