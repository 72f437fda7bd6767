"""Masks and boxes against the reference vectors, and against shapes that were drawn by hand."""

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.annotations.rasterise import find_boxes, rasterise
from lovt_core.data.annotations.run_lengths import encode_runs
from lovt_core.data.annotations.shapes import Annotation, Box, Ellipse, MaskFile, Polygon, RunLengths
from lovt_core.data.sources.object_cxr import parse_annotation


def draw(shape, height, width):
    return rasterise([Annotation(shape, "here")], 1, height, width)[0]


def overlap(first, second):
    """Intersection over union; 1 for two empty masks."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0


@pytest.mark.vectors("17_object_cxr")
def test_object_cxr_vectors(case):
    correct = case.arrays["correct_mask"]
    annotations = parse_annotation(case.settings["annotation"], "here")
    mask = rasterise(annotations, 1, *correct.shape)
    assert mask.shape == (1, *correct.shape)
    assert mask.dtype == np.uint8
    boxes, labels = find_boxes(annotations)
    assert np.array_equal(boxes, case.arrays["correct_boxes"])
    assert labels.tolist() == [0] * len(case.arrays["labels"])
    kinds = {type(each.shape) for each in annotations}
    if kinds <= {Box}:
        assert np.array_equal(mask[0], correct)
    assert overlap(mask[0] == 1, correct) >= (0.95 if Polygon in kinds else 0.97)


@pytest.mark.vectors("17_object_cxr")
def test_what_was_published_wrong_is_right_here(case):
    for wrong, equal in (("reference_mask", "masks_equal"), ("reference_boxes", "boxes_equal")):
        annotations = parse_annotation(case.settings["annotation"], "here")
        reference = case.arrays[wrong]
        got = rasterise(annotations, 1, *reference.shape)[0] if wrong.endswith("mask") else find_boxes(annotations)[0]
        assert np.array_equal(got, reference) == case.settings[equal]


@pytest.mark.vectors("18_nih_masks")
def test_nih_vectors(case):
    correct, boxes = case.arrays["correct_masks"], case.arrays["boxes"]
    for image, masks in enumerate(correct):
        rows = np.flatnonzero(case.arrays["box_image"] == image)
        labels = case.arrays["box_classes"][rows]
        annotations = [
            Annotation(Box(*boxes[row]), "here", int(label)) for row, label in zip(rows, labels, strict=True)
        ]
        assert np.array_equal(rasterise(annotations, *masks.shape), masks)
        found, found_labels = find_boxes(annotations)
        assert np.array_equal(found, boxes[rows])
        assert np.array_equal(found_labels, labels)


def test_boxes_round_half_to_even_and_are_cut_off():
    assert np.argwhere(draw(Box(0.5, 1.5, 2, 2), 5, 6)).tolist() == [[2, 0], [2, 1], [3, 0], [3, 1]]
    assert np.argwhere(draw(Box(-3, 4, 4, 9), 5, 6)).tolist() == [[4, 0]]
    assert not draw(Box(1, -9, 2, 8), 5, 6).any()
    assert not draw(Box(-9, 1, 8, 2), 5, 6).any()
    assert draw(Box(-1, -1, 8, 7), 5, 6).all()


def test_an_ellipse_is_as_wide_as_its_rectangle():
    mask = draw(Ellipse(2, 4, 20, 6), 14, 30)
    rows, columns = np.nonzero(mask)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (2, 22, 4, 10)
    assert mask[7, 2:23].all()
    assert not mask[4, :10].any()
    assert abs(mask.sum() - np.pi * 10 * 3) < 12
    assert np.array_equal(mask[:, 2:23], mask[:, 22:1:-1])


def test_a_polygon_has_points_of_column_and_row():
    mask = draw(Polygon(((1, 2), (8, 2), (8, 5))), 7, 10)
    assert np.argwhere(mask)[:8].tolist() == [[2, column] for column in range(1, 9)]
    assert np.flatnonzero(mask[:, 8]).tolist() == [2, 3, 4, 5]
    assert mask[5].sum() <= 3
    assert draw(Polygon(((-5.0, -5.0), (20.5, -5.0), (20.5, 20.0), (-5.0, 20.0))), 7, 10).all()


def test_runs_of_the_size_of_the_image():
    mask = np.zeros((5, 8), dtype=bool)
    mask[1:3, 4:7] = True
    assert np.array_equal(draw(RunLengths(encode_runs(mask), 5, 8), 5, 8), mask)
    assert not draw(RunLengths("-1", 5, 8), 5, 8).any()


def test_runs_of_another_size_are_resized_to_the_nearest_pixel():
    mask = np.random.default_rng(0).random((20, 12)) < 0.5
    expected = Image.fromarray(mask.astype(np.uint8)).resize((9, 7), Image.Resampling.NEAREST)
    assert np.array_equal(draw(RunLengths(encode_runs(mask), 20, 12), 7, 9), np.asarray(expected))


def test_shapes_of_a_class_are_united_and_classes_held_apart():
    annotations = [
        Annotation(Box(0, 0, 2, 1), "1", 2),
        Annotation(Box(1, 0, 2, 1), "2", 2),
        Annotation(Ellipse(0, 1, 4, 2), "3", 0),
    ]
    masks = rasterise(annotations, 3, 4, 5)
    assert masks[2, 0].tolist() == [1, 1, 1, 0, 0]
    assert not masks[1].any()
    assert masks[0, 2, :5].tolist() == [1, 1, 1, 1, 1]
    assert set(np.unique(masks)) == {0, 1}
    boxes, labels = find_boxes(annotations)
    assert boxes.tolist() == [[0, 0, 2, 1], [1, 0, 2, 1], [0, 1, 4, 2]]
    assert labels.tolist() == [2, 2, 0]


def test_runs_and_files_are_nothing_to_detect():
    boxes, labels = find_boxes([Annotation(RunLengths("0 1"), "1"), Annotation(MaskFile("a.png"), "2")])
    assert (boxes.shape, boxes.dtype, labels.shape, labels.dtype) == ((0, 4), np.float64, (0,), np.int64)
    assert rasterise([], 2, 3, 4).shape == (2, 3, 4)


def test_mask_files_are_not_drawn():
    with pytest.raises(TypeError, match=r"a\.png: a mask file is loaded, not drawn"):
        rasterise([Annotation(MaskFile("a.png"), "a.png")], 1, 4, 4)
