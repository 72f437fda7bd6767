"""Seconds for mAP and fROC of a large data set, beside pycocotools' mAP.

`python benchmarks/detection_metrics.py [--images 5000] [--predictions 20] [--boxes 2]` draws so many boxes and
predictions an image, two thirds of the predictions near a box, and prints the shortest of three times of ours and one
of pycocotools'. Targets for the defaults: 2 s for mAP, 1 s for fROC.
"""

import argparse
import contextlib
import io
import time
from collections.abc import Callable

import numpy as np

from lovt_core.evaluation.metrics.average_precision import IOU_THRESHOLDS, RECALL_THRESHOLDS, compute_average_precision
from lovt_core.evaluation.metrics.box_table import BoxTable
from lovt_core.evaluation.metrics.froc import compute_froc

TARGETS = {"mAP": 2.0, "fROC": 1.0}
REPEATS = 3


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=5000, help="images of the data set")
    parser.add_argument("--predictions", type=int, default=20, help="predictions an image")
    parser.add_argument("--boxes", type=int, default=2, help="boxes an image")
    return parser.parse_args()


def draw_tables(generator: np.random.Generator, images: int, boxes: int, predictions: int) -> tuple[BoxTable, BoxTable]:
    """Ground truth and predictions on images of 224 pixels a side."""
    truth = draw_boxes(generator, images * boxes)
    found = draw_boxes(generator, images * predictions)
    numbers = np.repeat(np.arange(images), predictions)
    if boxes:
        near = generator.random(len(found)) < 2 / 3
        aims = numbers[near] * boxes + generator.integers(boxes, size=int(near.sum()))
        found[near] = (truth[aims] + generator.normal(0, 10, (len(aims), 4))).clip(1, 223)
    return (
        BoxTable(truth, np.zeros(len(truth), np.int64), np.repeat(np.arange(images), boxes)),
        BoxTable(found, np.zeros(len(found), np.int64), numbers, generator.random(len(found), dtype=np.float32)),
    )


def draw_boxes(generator: np.random.Generator, count: int) -> np.ndarray:
    sides = generator.uniform(20, 100, (count, 2))
    corners = generator.uniform(0, 1, (count, 2)) * (224 - sides)
    return np.concatenate((corners, sides), axis=1).astype(np.float32)


def measure(work: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Shortest of `repeats` times in seconds, and the result."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - began)
    return min(times), result


def judge_with_coco(truth: BoxTable, predictions: BoxTable, images: int) -> float:
    """mAP over the same thresholds; boxes are a pixel longer because COCO measures right - left."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    longer = np.array([0, 0, 1, 1], dtype=np.float64)
    annotations = [
        {"id": 1 + row, "image_id": image, "category_id": 0, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for row, (image, box) in enumerate(zip(truth.images.tolist(), (truth.boxes + longer).tolist(), strict=True))
    ]
    rows = np.column_stack(
        (predictions.images, predictions.boxes + longer, predictions.confidence, predictions.classes)
    )
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(images)],
            "categories": [{"id": 0}],
            "annotations": annotations,
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(rows), "bbox")
        judge.params.iouThrs, judge.params.recThrs = np.array(IOU_THRESHOLDS), RECALL_THRESHOLDS
        judge.params.maxDets = [10_000]
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    return float(judge.eval["precision"].mean())


def main() -> None:
    arguments = parse_arguments()
    images = arguments.images
    truth, predictions = draw_tables(np.random.default_rng(0), images, arguments.boxes, arguments.predictions)
    print(f"{images:,} images, {len(truth):,} boxes, {len(predictions):,} predictions, 8 IoU thresholds")
    for name, work in (
        ("mAP", lambda: compute_average_precision(truth, predictions, 1).mean),
        ("fROC", lambda: compute_froc(truth, predictions, images).score),
    ):
        seconds, score = measure(work, REPEATS)
        print(f"{name:18s} {seconds:7.3f} s   score {score:.6f}   target {TARGETS[name]:g} s")
    seconds, score = measure(lambda: judge_with_coco(truth, predictions, images), 1)
    print(f"{'mAP (pycocotools)':18s} {seconds:7.3f} s   score {score:.6f}")


if __name__ == "__main__":
    main()
