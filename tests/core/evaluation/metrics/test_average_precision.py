import contextlib
import io

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from lovt_core.evaluation.metrics.average_precision import (
    IOU_THRESHOLDS,
    RECALL_THRESHOLDS,
    compute_average_precision,
    match_boxes,
)
from lovt_core.evaluation.metrics.box_table import BoxTable
from tests.core.evaluation.metrics.tables import draw_tables, make_predictions, make_truth, read_tables, take_rows


@pytest.mark.vectors("12_map")
def test_reference(case):
    truth, predictions, _ = read_tables(case)
    num_classes = len(case.settings["classes"])
    assert case.settings["iou_thresholds"] == pytest.approx(IOU_THRESHOLDS)
    assert np.array_equal(case.arrays["recall_thresholds"], RECALL_THRESHOLDS)
    scores = compute_average_precision(truth, predictions, num_classes)
    for key, got in (
        ("ap_per_threshold", scores.per_threshold),
        ("mAP", scores.mean),
        ("mAP_50", scores.at_50),
        ("mAP_75", scores.at_75),
        ("per_class_mAP", scores.per_class),
    ):
        case.check(key, torch.tensor(np.asarray(got)))


@pytest.mark.parametrize("seed", range(6))
def test_pycocotools_agrees(seed):
    num_classes = 1 + seed % 3
    truth, predictions = draw_tables(seed, num_classes=num_classes)
    ours = compute_average_precision(truth, predictions, num_classes)
    assert 0.05 < ours.mean < 0.95
    np.testing.assert_allclose(
        ours.per_threshold, average_precision_of_coco(truth, predictions, num_classes), atol=1e-6
    )


def average_precision_of_coco(truth, predictions, num_classes):
    """(8, C). COCO's lengths are right - left: boxes one pixel longer give the same IoU as ours."""
    annotations = [
        {"id": 1 + row, "image_id": image, "category_id": label, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for row, (image, label, box) in enumerate(list_rows(truth))
    ]
    found = [
        {"image_id": image, "category_id": label, "bbox": box, "score": score}
        for (image, label, box), score in zip(list_rows(predictions), predictions.confidence.tolist(), strict=True)
    ]
    images = sorted({*truth.images.tolist(), *predictions.images.tolist()})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": image} for image in images],
            "categories": [{"id": label} for label in range(num_classes)],
            "annotations": annotations,
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(found), "bbox")
        judge.params.iouThrs = np.array(IOU_THRESHOLDS)
        judge.params.recThrs = RECALL_THRESHOLDS
        judge.params.maxDets = [10_000]
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][:, :, :, 0, 0].mean(axis=1)


def list_rows(table):
    boxes = table.boxes.astype(np.float64) + np.array([0, 0, 1, 1])
    return zip(table.images.tolist(), table.classes.tolist(), boxes.tolist(), strict=True)


@pytest.mark.parametrize("seed", range(4))
def test_matching_together_equals_matching_one_after_the_other(seed):
    truth, predictions = draw_tables(seed, num_images=12, num_classes=2, boxes=8, found=25)
    # Boxes close together compete, so that predictions go to their second and third best.
    truth = BoxTable((truth.boxes / (4, 4, 1, 1)).astype(np.float32), truth.classes, truth.images)
    shrunk = (predictions.boxes / (4, 4, 1, 1)).astype(np.float32)
    predictions = BoxTable(shrunk, predictions.classes, predictions.images, predictions.confidence)
    assert np.array_equal(match_boxes(truth, predictions), match_one_by_one(truth, predictions))


def match_one_by_one(truth, predictions):
    hits = np.zeros((len(IOU_THRESHOLDS), len(predictions)), dtype=bool)
    for place, threshold in enumerate(IOU_THRESHOLDS):
        taken = set()
        for row in np.argsort(-predictions.confidence, kind="stable").tolist():
            same = (truth.images == predictions.images[row]) & (truth.classes == predictions.classes[row])
            overlaps = {box: overlap(predictions.boxes[row], truth.boxes[box]) for box in np.flatnonzero(same).tolist()}
            free = [box for box in overlaps if box not in taken and overlaps[box] > threshold]
            if free:
                taken.add(max(free, key=overlaps.__getitem__))
                hits[place, row] = True
    return hits


def overlap(box, other):
    (left, top, width, height), (other_left, other_top, other_width, other_height) = box.tolist(), other.tolist()
    across = min(left + width, other_left + other_width) - max(left, other_left) + 1
    down = min(top + height, other_top + other_height) - max(top, other_top) + 1
    shared = max(across, 0) * max(down, 0)
    return shared / ((width + 1) * (height + 1) + (other_width + 1) * (other_height + 1) - shared)


def test_by_hand():
    truth = make_truth((0, 0, 0, 9, 9), (1, 0, 0, 9, 9))
    predictions = make_predictions((0.9, 0, 0, 0, 9, 9), (0.8, 0, 50, 50, 9, 9), (0.7, 1, 0, 0, 9, 9))
    scores = compute_average_precision(truth, predictions, 1)
    # Recall 0 to 0.5 at precision 1: 51 of the 101 recalls; 0.51 to 1 at precision 2 / 3.
    assert scores.mean == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert scores.true_positives == (2,) * 8


def test_an_iou_equal_to_the_threshold_is_not_enough():
    truth = make_truth((0, 0, 0, 9, 9))
    half = make_predictions((0.9, 0, 0, 0, 9, 4))
    assert compute_average_precision(truth, half, 1).per_threshold[:, 0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]


def test_of_two_equally_confident_the_earlier_image_then_the_earlier_row_is_first():
    truth = make_truth((0, 0, 0, 9, 9), (1, 0, 0, 9, 9))
    good, bad = (0.5, 0, 0, 0, 9, 9), (0.5, 1, 50, 50, 9, 9)
    first = compute_average_precision(truth, make_predictions(good, bad), 1).mean
    assert first == pytest.approx(51 / 101)
    assert compute_average_precision(truth, make_predictions(bad, good), 1).mean == first
    in_one = [(0.5, 0, 50, 50, 9, 9), good]
    assert compute_average_precision(truth, make_predictions(*in_one), 1).mean == pytest.approx(51 / 101 / 2)
    assert compute_average_precision(truth, make_predictions(*in_one[::-1]), 1).mean == first


def test_neither_rows_nor_image_numbers_matter_and_nothing_is_changed():
    truth, predictions = draw_tables(7)
    kept = [table.boxes.copy() for table in (truth, predictions)]
    reference = compute_average_precision(truth, predictions, 3)
    generator = np.random.default_rng(0)
    numbers = generator.permutation(40)
    moved = []
    for table in (truth, predictions):
        mixed = take_rows(table, generator.permutation(len(table)))
        moved.append(BoxTable(mixed.boxes, mixed.classes, numbers[mixed.images], mixed.confidence))
    assert np.array_equal(compute_average_precision(*moved, 3).per_threshold, reference.per_threshold)
    assert all(np.array_equal(old, new.boxes) for old, new in zip(kept, (truth, predictions), strict=True))


def test_a_class_without_boxes_counts_as_zero():
    truth, predictions = draw_tables(3, num_classes=2)
    two, three = (compute_average_precision(truth, predictions, count) for count in (2, 3))
    assert three.per_class == (*two.per_class, 0.0)
    assert three.mean == pytest.approx(two.mean * 2 / 3)


def test_boxes_that_are_not_finite_match_nothing():
    truth = make_truth((0, 0, 0, 9, 9))
    wild = make_predictions((0.9, 0, -np.inf, 0, np.inf, 9), (0.8, 0, 0, 0, 3e38, 3e38), (0.7, 0, 0, 0, 9, 9))
    assert compute_average_precision(truth, wild, 1).true_positives == (1,) * 8


def test_unknown_classes_and_missing_confidences_are_refused():
    truth, predictions = make_truth((0, 0, 0, 9, 9, 2)), make_predictions((0.9, 0, 0, 0, 9, 9))
    with pytest.raises(ValueError, match="classes must be 0 to 1"):
        compute_average_precision(truth, predictions, 2)
    with pytest.raises(ValueError, match="need confidences"):
        compute_average_precision(truth, truth, 3)
    with pytest.raises(ValueError, match="as many classes"):
        BoxTable(truth.boxes, truth.classes, np.zeros(2, np.int64))
