"""Pointing game and contrast-to-noise ratio against loops over pixels."""

import math

import numpy as np
import pytest

from lovt_core.inspection.grounding_scores import GroundingScore, fill_boxes, score_map, summarise


def score_slowly(heat, inside):
    """Hit and contrast, pixel by pixel."""
    groups = {True: [], False: []}
    best, place = -math.inf, None
    for row in range(heat.shape[0]):
        for column in range(heat.shape[1]):
            groups[bool(inside[row, column])].append(heat[row, column])
            if heat[row, column] > best:
                best, place = heat[row, column], (row, column)
    mean = {key: sum(values) / len(values) for key, values in groups.items()}
    variance = {key: sum((value - mean[key]) ** 2 for value in values) / len(values) for key, values in groups.items()}
    contrast = (mean[True] - mean[False]) / math.sqrt(variance[True] + variance[False])
    return bool(inside[place]), contrast


@pytest.mark.parametrize("seed", range(20))
def test_score_equals_the_naive_one(seed):
    generator = np.random.default_rng(seed)
    heat = generator.normal(size=(13, 9))
    left, top = generator.integers(0, 6, 2)
    inside = fill_boxes(np.array([[left, top, 4, 5]], dtype=np.float32), heat.shape)
    score = score_map(heat, inside)
    hit, contrast = score_slowly(heat, inside)
    assert score.hit == hit
    assert score.contrast == pytest.approx(contrast)
    assert score.area == pytest.approx(20 / 117)


def test_a_map_that_is_bright_in_the_box_hits_it():
    inside = fill_boxes(np.array([[2, 2, 3, 3]], dtype=np.float32), (8, 8))
    heat = inside + 0.01 * np.random.default_rng(0).normal(size=inside.shape)
    assert score_map(heat, inside).hit
    assert score_map(heat, inside).contrast > 50
    assert not score_map(-heat, inside).hit
    assert score_map(-heat, inside).contrast < -50


def test_a_flat_map_has_no_contrast_and_points_nowhere():
    inside = fill_boxes(np.array([[2, 2, 4, 4]], dtype=np.float32), (8, 8))
    score = score_map(np.ones((8, 8)), inside)
    assert math.isnan(score.contrast)
    assert not score.hit


def test_boxes_are_united_and_cut_at_the_border():
    boxes = np.array([[0, 0, 2, 2], [1, 1, 2, 2], [3.4, 3.4, 10, 10], [-5, 0, 5.6, 1]], dtype=np.float32)
    expected = np.zeros((5, 5), dtype=bool)
    for row in range(5):
        for column in range(5):
            expected[row, column] = any(
                left <= column + 0.5 < left + width and top <= row + 0.5 < top + height
                for left, top, width, height in boxes.tolist()
            )
    np.testing.assert_array_equal(fill_boxes(boxes, (5, 5)), expected)
    assert expected.sum() == 11


def test_summary_takes_absolute_values_for_the_published_ratio():
    scores = [GroundingScore(True, 1.0, 0.1), GroundingScore(False, -0.5, 0.3), GroundingScore(False, math.nan, 0.2)]
    summary = summarise(scores)
    assert (summary.maps, summary.cnr, summary.signed_cnr) == (3, 0.75, 0.25)
    assert summary.pointing_game == pytest.approx(1 / 3)
    assert summary.chance == pytest.approx(0.2)
    assert math.isnan(summarise(scores[2:]).cnr)
