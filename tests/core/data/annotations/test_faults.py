"""Shapes that cannot be drawn, and shapes that belong to another image."""

import csv
import math

import pytest

from lovt_core.data.annotations.faults import bounding_box, find_faults, find_shape_fault
from lovt_core.data.annotations.shapes import Annotation, Box, Ellipse, MaskFile, Polygon, RunLengths


def fault_of(shape, height=1024, width=1024):
    problems = find_faults([Annotation(shape, "table.csv: row 7")], height, width)
    assert len(problems) < 2
    assert all(problem.where == "table.csv: row 7" for problem in problems)
    return problems[0].what if problems else None


@pytest.mark.parametrize(
    "shape",
    [
        Box(0, 0, 1024, 1024),
        Box(-1, -1, 1026, 1026),
        Box(10.5, 20.25, 0.5, 0.5),
        Ellipse(1000, 1000, 24.9, 24.9),
        Polygon(((0, 0), (1024, 0), (1024, 1024))),
        RunLengths("not a run"),
        MaskFile("absent.png"),
    ],
    ids=str,
)
def test_sound_shapes(shape):
    assert fault_of(shape) is None
    assert find_shape_fault(shape) is None


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        (Box(10, 20, 0, 5), "box 10 20 0 5 has no area: its width and height must be above 0"),
        (Box(10, 20, 5, -2.5), "box 10 20 5 -2.5 has no area: its width and height must be above 0"),
        (Ellipse(10, 20, 5, 0), "ellipse 10 20 5 0 has no area: its width and height must be above 0"),
        (Polygon(((1, 1), (5, 1), (9, 1))), "polygon around 1 1 8 0 has no area: its width and height must be above 0"),
        (Polygon(((1, 1), (5, 1))), "a polygon has at least 3 points, this one has 2"),
        (Polygon(()), "a polygon has at least 3 points, this one has 0"),
        (Box(math.nan, 20, 5, 5), "box nan 20 5 5 has coordinates that are not finite numbers"),
        (Ellipse(10, 20, math.inf, 5), "ellipse 10 20 inf 5 has coordinates that are not finite numbers"),
        (
            Polygon(((1, 1), (5, 1), (1, math.inf))),
            "polygon around 1 1 4 inf has coordinates that are not finite numbers",
        ),
    ],
    ids=str,
)
def test_shapes_that_are_wrong_on_any_image(shape, what):
    assert fault_of(shape) == what
    assert find_shape_fault(shape) == what


def test_a_number_that_is_none_among_the_points():
    assert "not finite" in fault_of(Polygon(((1, 1), (math.nan, 4), (6, 7), (1, 5))))
    assert "not finite" in fault_of(Polygon(((1, 1), (2, 4), (6, math.nan), (1, 5))))


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        (Box(900, 100, 300, 50), "box 900 100 300 50 reaches 176 pixels beyond the image of 1024 x 768 pixels"),
        (Box(100, -30, 20, 50), "box 100 -30 20 50 reaches 30 pixels beyond the image of 1024 x 768 pixels"),
        (Ellipse(-40.5, 0, 90, 9), "ellipse -40.5 0 90 9 reaches 40.5 pixels beyond the image of 1024 x 768 pixels"),
        (
            Polygon(((0, 0), (5, 0), (5, 800))),
            "polygon around 0 0 5 800 reaches 32 pixels beyond the image of 1024 x 768 pixels",
        ),
        (Box(-9, 5, 4, 4), "box -9 5 4 4 lies outside of the image of 1024 x 768 pixels"),
        (Box(1024, 5, 4, 4), "box 1024 5 4 4 lies outside of the image of 1024 x 768 pixels"),
        (Box(5, 768, 4, 4), "box 5 768 4 4 lies outside of the image of 1024 x 768 pixels"),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_the_image(shape, what):
    assert fault_of(shape, 768, 1024) == what
    assert find_shape_fault(shape) is None


@pytest.mark.parametrize(("side", "allowed"), [(2000, 40), (100, 2), (48, 1)])
def test_how_far_a_shape_may_reach_grows_with_the_image(side, allowed):
    assert fault_of(Box(-allowed, 5, 44, 10), side, side) is None
    assert "reaches" in fault_of(Box(-allowed - 0.5, 5, 44, 10), side, side)


def test_every_fault_is_reported():
    shapes = (Box(0, 0, 0, 1), Box(0, 0, 1, 1), Box(9, 9, 9, 9), RunLengths(""))
    problems = find_faults([Annotation(shape, str(row)) for row, shape in enumerate(shapes)], 10, 10)
    assert [problem.where for problem in problems] == ["0", "2"]


def test_bounding_boxes():
    assert bounding_box(Polygon(((4, 9), (1, 3), (7, 5)))) == Box(1, 3, 6, 6)
    assert bounding_box(Ellipse(1, 2, 3, 4)) == Box(1, 2, 3, 4)


def test_all_real_boxes_of_nih_fit_their_images(data_folder):
    with (data_folder / "nih" / "BBox_List_2017.csv").open(newline="") as file:
        rows = [list(map(float, row[2:6])) for row in list(csv.reader(file))[1:]]
    assert len(rows) == 984
    assert find_faults([Annotation(Box(*row), "here") for row in rows], 1024, 1024) == []
    assert max(max(left + width, top + height) for left, top, width, height in rows) < 1022.1


def test_real_boxes_of_object_cxr_that_begin_outside_are_no_faults(data_folder):
    """The images are not at hand; the smallest that could hold all boxes of an image stands in for each."""
    outside = farthest = 0
    for table in sorted((data_folder / "splits" / "object_cxr").glob("*.csv")):
        with table.open(newline="") as file:
            published = [row["boxes"] for row in csv.DictReader(file) if row["boxes"]]
        for text in published:
            boxes = [tuple(map(int, box.split(";"))) for box in text.split("|")]
            beyond = [-min(left, top) for left, top, _, _ in boxes if min(left, top) < 0]
            outside, farthest = outside + len(beyond), max([farthest, *beyond])
            least = max(max(left + width, top + height) for left, top, height, width in boxes)
            side = max(least, 1000)
            shapes = [Annotation(Box(left, top, width, height), "here") for left, top, height, width in boxes]
            assert find_faults(shapes, side, side) == []
    assert (outside, farthest) == (16, 24)
