"""Points of two groups as marks and as a picture."""

import numpy as np

from lovt_core.results.scatter import draw_scatter, place_points


def test_every_point_has_its_place_and_both_groups_share_one():
    marks = place_points([[(0, 0), (2, 1)], [(2, 1), (0, 1)]], (11, 21))
    assert {(int(row), int(column)): int(marks[row, column]) for row, column in np.argwhere(marks)} == {
        (10, 0): 1,  # y grows upwards
        (0, 20): 3,
        (0, 0): 2,
    }


def test_axes_have_one_scale_and_the_picture_is_in_the_middle():
    marks = place_points([[(0, 0), (1, 0)], [(0, 10), (1, 10)]], (21, 21))
    rows, columns = np.nonzero(marks)
    assert (rows.min(), rows.max()) == (0, 20)
    assert (columns.min(), columns.max()) == (9, 11)


def test_equal_points_are_one_dot():
    marks = place_points([[(3, 3)] * 4, [(3, 3)]], (9, 9), radius=1)
    assert (marks == 3).sum() == 9
    assert marks[4, 4] == 3


def test_picture_has_all_colours():
    generator = np.random.default_rng(0)
    groups = generator.normal(size=(2, 300, 2)).tolist()
    pixels = np.asarray(draw_scatter(groups, "title", side=100)).reshape(-1, 3).tolist()
    for colour in ([86, 180, 233], [230, 159, 0], [240, 228, 66]):
        assert colour in pixels
