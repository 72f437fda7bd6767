import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from lovt_core.evaluation.metrics.average_precision import compute_average_precision
from lovt_core.evaluation.metrics.detection import DetectionMetric, score_image
from lovt_core.evaluation.metrics.froc import compute_froc
from lovt_core.models.heads.yolo_detections import Detections
from tests.core.evaluation.metrics.tables import draw_tables


def split_images(truth, predictions, num_images):
    """Detections, boxes and classes of each image as tensors."""
    images = []
    for image in range(num_images):
        rows, found = truth.images == image, predictions.images == image
        detections = Detections(
            torch.tensor(predictions.boxes[found]),
            torch.tensor(predictions.confidence[found]),
            torch.ones(int(found.sum())),
            torch.tensor(predictions.classes[found]),
        )
        images.append((detections, torch.tensor(truth.boxes[rows]), torch.tensor(truth.classes[rows])))
    return images


def collect(images, num_classes, batch_size):
    metric = DetectionMetric(num_classes)
    for start in range(0, len(images), batch_size):
        metric.update(*zip(*images[start : start + batch_size], strict=True))
    return metric.compute()


def detect(*rows):
    """Rows (confidence, left, top, width, height)."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    return Detections(table[:, 1:], table[:, 0], torch.ones(len(table)), torch.zeros(len(table), dtype=torch.int64))


NO_BOXES, NO_CLASSES = torch.empty(0, 4), torch.empty(0, dtype=torch.int64)


def test_batches_and_their_order_do_not_matter():
    truth, predictions = draw_tables(5)
    images = split_images(truth, predictions, 40)
    scores = collect(images, 3, 40)
    assert scores.map == compute_average_precision(truth, predictions, 3).mean
    assert scores.froc == compute_froc(truth, predictions, 40).score
    assert (scores.num_images, scores.num_boxes, scores.num_predictions) == (40, len(truth), len(predictions))
    for batch_size in (1, 7):
        assert collect(images, 3, batch_size) == scores
    assert collect(images[::-1], 3, 7) == scores


def test_precision_and_recall_count_matches_at_half():
    metric = DetectionMetric(1)
    boxes = torch.tensor([[0.0, 0, 9, 9], [40, 40, 9, 9], [80, 80, 9, 9]])
    metric.update(
        [detect((0.9, 0, 0, 9, 9), (0.8, 0, 0, 9, 9), (0.7, 40, 40, 9, 3), (0.6, 80, 80, 9, 9))],
        [boxes],
        [torch.zeros(3, dtype=torch.int64)],
    )
    scores = metric.compute()
    assert scores.precision == 2 / 4  # the second finds what is taken, the third has an IoU of 0.4
    assert scores.recall == pytest.approx(2 / 3)
    assert scores.map_per_class == (pytest.approx(scores.map),)


def test_scores_are_plain_json_values():
    scores = asdict(collect(split_images(*draw_tables(2), 40), 3, 8))
    assert json.loads(json.dumps(scores)) == {
        key: list(value) if isinstance(value, tuple) else value for key, value in scores.items()
    }
    assert all(type(value) in (float, int, tuple) for value in scores.values())


def test_boxes_without_an_area_are_left_out_and_counted():
    metric = DetectionMetric(1)
    boxes = torch.tensor([[5.0, 5, 0, 9], [0, 0, 9, 9], [50, 50, 9, 0]])
    metric.update([detect((0.9, 0, 0, 9, 9))], [boxes], [torch.zeros(3, dtype=torch.int64)])
    scores = metric.compute()
    assert (scores.map, scores.recall, scores.froc) == (1, 1, 1)
    assert (scores.num_boxes, scores.num_flat_boxes) == (1, 2)


def test_no_predictions_at_all():
    metric = DetectionMetric(2)
    metric.update([detect()] * 2, [torch.tensor([[0.0, 0, 9, 9]]), NO_BOXES], [torch.tensor([1]), NO_CLASSES])
    scores = metric.compute()
    assert (scores.map, scores.map_50, scores.map_75, scores.froc, scores.precision, scores.recall) == (0,) * 6
    assert scores.map_per_class == (0, 0)
    assert scores.sensitivities == (0,) * 7
    assert (scores.num_images, scores.num_predictions) == (2, 0)


def test_nothing_to_find():
    metric = DetectionMetric(1)
    metric.update([detect((0.9, 0, 0, 9, 9)), detect()], [NO_BOXES] * 2, [NO_CLASSES] * 2)
    scores = metric.compute()
    assert (scores.map, scores.froc, scores.precision, scores.recall) == (0, 0, 0, 0)


def test_nothing_taken_in():
    scores = DetectionMetric(1).compute()
    assert (scores.map, scores.num_images, scores.num_boxes) == (0, 0, 0)


def test_one_image_is_scored_by_the_classes_that_occur_in_it():
    boxes, classes = torch.tensor([[0.0, 0, 9, 9], [40, 40, 9, 9]]), torch.tensor([3, 7])
    perfect = Detections(boxes, torch.tensor([0.5, 0.6]), torch.ones(2), classes)
    assert score_image(perfect, boxes, classes) == 1
    swapped = Detections(boxes, torch.tensor([0.5, 0.6]), torch.ones(2), torch.tensor([3, 4]))
    assert score_image(swapped, boxes, classes) == pytest.approx(1 / 3)
    assert score_image(detect(), boxes, classes) == 0
    assert score_image(detect((0.9, 0, 0, 9, 9)), NO_BOXES, NO_CLASSES) == 0
    assert score_image(detect(), NO_BOXES, NO_CLASSES) == 1


def test_tensors_are_not_changed():
    truth, predictions = draw_tables(1)
    images = split_images(truth, predictions, 40)
    collect(images, 3, 8)
    for image, (found, boxes, _) in enumerate(images):
        assert np.array_equal(found.boxes.numpy(), predictions.boxes[predictions.images == image])
        assert np.array_equal(boxes.numpy(), truth.boxes[truth.images == image])
