import numpy as np
import pytest

from lovt_core.evaluation.metrics.box_table import BoxTable
from lovt_core.evaluation.metrics.froc import BUDGETS, compute_froc
from tests.core.evaluation.metrics.tables import draw_tables, make_predictions, make_truth, read_tables, take_rows


@pytest.mark.vectors("13_froc")
def test_reference(case, vector_settings):
    truth, predictions, num_images = read_tables(case)
    assert vector_settings["fps"] == list(BUDGETS)
    expected = vector_settings["cases"][case.name]
    froc = compute_froc(truth, predictions, num_images)
    if expected["reference_froc"] is None:
        assert expected["reference_error"] == "ZeroDivisionError"
        assert froc.score == 0.0
    else:
        assert froc.score == pytest.approx(expected["reference_froc"], rel=1e-5, abs=1e-6)
    if expected["official_froc"] is not None:
        assert froc.score == pytest.approx(expected["official_froc"], rel=1e-9)
        rounded = [f"{value:.3f}" for value in froc.sensitivities]
        assert rounded == expected["official_sensitivities_rounded"]


def test_by_hand():
    """Two images, three boxes; one false positive an image at the third miss."""
    truth = make_truth((0, 0, 0, 10, 10), (0, 5, 5, 10, 10), (1, 0, 0, 10, 10))
    predictions = make_predictions(
        (0.9, 0, 6, 6, 2, 2),  # its centre is in both boxes of image 0
        (0.8, 0, 0, 0, 2, 2),  # in one that is hit: neither
        (0.7, 1, 90, 90, 2, 2),  # 0.5 false positives an image: the first budget
        (0.6, 1, 4, 4, 2, 2),  # the third box: the second budget
        (0.5, 0, 90, 90, 2, 2),  # 1 false positive an image: the third budget
    )
    froc = compute_froc(truth, predictions, 2)
    assert froc.found.tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1, 1])
    assert froc.false_positives.tolist() == [0, 0, 0.5, 0.5, 1]
    assert froc.sensitivities == pytest.approx((2 / 3, 1, 1, 1, 1, 1, 1))
    assert froc.score == pytest.approx((2 / 3 + 6) / 7)


def test_one_prediction_passes_one_budget():
    truth = make_truth((0, 0, 0, 10, 10))
    misses = [(0.9 - row / 100, 0, 90, 90, 2, 2) for row in range(3)]
    late = (0.5, 0, 4, 4, 2, 2)
    froc = compute_froc(truth, make_predictions(*misses, late), 1)
    assert froc.sensitivities == (0, 0, 0, 1, 1, 1, 1)


def test_edges_without_boxes_or_predictions():
    boxes, nothing = make_truth((0, 0, 0, 10, 10)), make_truth()
    none, hit, miss = (make_predictions(*rows) for rows in ((), [(0.9, 0, 4, 4, 2, 2)], [(0.9, 0, 90, 90, 2, 2)]))
    assert [compute_froc(boxes, each, 4).score for each in (none, hit, miss)] == [0, 1, 0]
    assert [compute_froc(nothing, each, 100).score for each in (none, miss)] == [1, 1]
    assert compute_froc(nothing, miss, 1).score == 0


def test_neither_rows_nor_image_numbers_matter_and_nothing_is_changed():
    truth, predictions = draw_tables(11, num_classes=1)
    kept = [table.boxes.copy() for table in (truth, predictions)]
    reference = compute_froc(truth, predictions, 40)
    assert 0 < reference.score < 1
    generator = np.random.default_rng(0)
    numbers = generator.permutation(40)
    moved = []
    for table in (truth, predictions):
        mixed = take_rows(table, generator.permutation(len(table)))
        moved.append(BoxTable(mixed.boxes, mixed.classes, numbers[mixed.images], mixed.confidence))
    again = compute_froc(*moved, 40)
    assert again.sensitivities == reference.sensitivities
    assert np.array_equal(again.found, reference.found)
    assert all(np.array_equal(old, new.boxes) for old, new in zip(kept, (truth, predictions), strict=True))


def test_boxes_that_are_not_finite_are_false_positives():
    wild = make_predictions((0.9, 0, -np.inf, 0, np.inf, 9), (0.8, 0, 3e38, 3e38, 3e38, 3e38))
    froc = compute_froc(make_truth((0, 0, 0, 10, 10)), wild, 1)
    assert froc.false_positives.tolist() == [1, 2]
    assert froc.score == 0
