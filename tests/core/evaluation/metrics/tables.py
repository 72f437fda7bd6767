"""Box tables for tests: of the reference vectors, by hand, at random."""

import numpy as np

from lovt_core.evaluation.metrics.box_table import BoxTable


def read_tables(case):
    """Ground truth and predictions of a case of the vectors, and its number of images."""
    arrays = case.arrays
    truth = BoxTable(arrays["gt_boxes"], arrays["gt_classes"], arrays["gt_image"])
    predictions = BoxTable(arrays["pred_boxes"], arrays["pred_classes"], arrays["pred_image"], arrays["pred_conf"])
    return truth, predictions, int(arrays["num_images"])


def make_truth(*rows):
    """Rows (image, left, top, width, height[, class])."""
    table = np.array([(*row, 0)[:6] for row in rows], dtype=np.float32).reshape(-1, 6)
    return BoxTable(table[:, 1:5].copy(), table[:, 5].astype(np.int64), table[:, 0].astype(np.int64))


def make_predictions(*rows):
    """Rows (confidence, image, left, top, width, height[, class])."""
    truth = make_truth(*(row[1:] for row in rows))
    confidence = np.array([row[0] for row in rows], dtype=np.float32)
    return BoxTable(truth.boxes, truth.classes, truth.images, confidence)


def draw_tables(seed, num_images=40, num_classes=3, boxes=3, found=6):
    """Up to `boxes` boxes an image, and up to `found` predictions near them or anywhere, confidences all distinct."""
    generator = np.random.default_rng(seed)
    truth, predictions = [], []
    for image in range(num_images):
        here = [_draw_box(generator) for _ in range(generator.integers(boxes + 1))]
        labels = generator.integers(num_classes, size=len(here)).tolist()
        truth += [(image, *box, label) for box, label in zip(here, labels, strict=True)]
        for _ in range(generator.integers(found + 1)):
            box, label = _draw_box(generator), int(generator.integers(num_classes))
            if here and generator.random() < 0.7:
                near = generator.integers(len(here))
                label = labels[near]
                box = (np.array(here[near]) + generator.normal(0, 5, 4)).clip(2).tolist()
            predictions.append((image, *box, label))
    confidence = generator.permutation(len(predictions)) / len(predictions)
    return make_truth(*truth), make_predictions(
        *((score, *row) for score, row in zip(confidence.tolist(), predictions, strict=True))
    )


def _draw_box(generator):
    return (*generator.uniform(0, 150, 2).tolist(), *generator.uniform(10, 70, 2).tolist())


def take_rows(table, rows):
    """The table with these rows, in this order."""
    confidence = None if table.confidence is None else table.confidence[rows]
    return BoxTable(table.boxes[rows], table.classes[rows], table.images[rows], confidence)
