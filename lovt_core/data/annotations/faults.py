"""What is wrong with annotations: shapes without area, and shapes that do not fit their image."""

import math
from collections.abc import Iterable
from itertools import chain

from lovt_core.data.annotations.shapes import Annotation, Box, Ellipse, MaskFile, Polygon, RunLengths, Shape
from lovt_core.data.prepared_meta import Problem

OVERREACH = 0.02
"""Part of the image's longer side, but at least a pixel, that a shape may reach beyond the border.

Annotators draw across it: 16 of the 9,238 published boxes of Object-CXR begin above or left of their image, by at most
24 pixels in an image at least 2,603 pixels wide (0.9 %). All 984 boxes of NIH CXR end 1.9 pixels or more inside. Labels
of another image, or of the same one at another resolution, reach much farther.
"""


def find_faults(annotations: Iterable[Annotation], height: int, width: int) -> list[Problem]:
    """One problem for each shape that is empty, not finite, outside of an image of that size or far across its border.

    Run lengths and mask files are left to those who decode them.
    """
    problems = []
    for each in annotations:
        what = find_shape_fault(each.shape) or _find_misfit(each.shape, height, width)
        if what is not None:
            problems.append(Problem(where=each.where, what=what))
    return problems


def find_shape_fault(shape: Shape) -> str | None:
    """What is wrong with a shape on an image of any size; None if nothing is."""
    if isinstance(shape, RunLengths | MaskFile):
        return None
    if isinstance(shape, Polygon) and len(shape.points) < 3:
        return f"a polygon has at least 3 points, this one has {len(shape.points)}"
    box = bounding_box(shape)
    points = shape.points if isinstance(shape, Polygon) else ()  # NaN hides from a minimum
    numbers = chain((box.left, box.top, box.width, box.height), *points)
    if not all(map(math.isfinite, numbers)):
        return f"{_describe(shape)} has coordinates that are not finite numbers"
    if box.width <= 0 or box.height <= 0:
        return f"{_describe(shape)} has no area: its width and height must be above 0"
    return None


def bounding_box(shape: Box | Ellipse | Polygon) -> Box:
    """The smallest box around a shape; a polygon needs at least one point."""
    if not isinstance(shape, Polygon):
        return Box(shape.left, shape.top, shape.width, shape.height)
    columns, rows = zip(*shape.points, strict=True)
    return Box(min(columns), min(rows), max(columns) - min(columns), max(rows) - min(rows))


def _find_misfit(shape: Shape, height: int, width: int) -> str | None:
    if isinstance(shape, RunLengths | MaskFile):
        return None
    box = bounding_box(shape)
    right, bottom = box.left + box.width, box.top + box.height
    image = f"the image of {width} x {height} pixels"
    if right <= 0 or bottom <= 0 or box.left >= width or box.top >= height:
        return f"{_describe(shape)} lies outside of {image}"
    beyond = max(-box.left, -box.top, right - width, bottom - height)
    if beyond > max(1, OVERREACH * max(height, width)):
        return f"{_describe(shape)} reaches {beyond:g} pixels beyond {image}"
    return None


def _describe(shape: Box | Ellipse | Polygon) -> str:
    box = bounding_box(shape)
    kind = "polygon around" if isinstance(shape, Polygon) else type(shape).__name__.lower()
    return f"{kind} {box.left:g} {box.top:g} {box.width:g} {box.height:g}"
