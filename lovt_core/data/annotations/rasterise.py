"""Annotations drawn as masks, and the boxes that a detector has to find.

Legend: C classes, H and W rows and columns of the image, n boxes.
"""

from collections.abc import Iterable
from typing import assert_never

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from lovt_core.data.annotations.faults import bounding_box
from lovt_core.data.annotations.run_lengths import decode_runs
from lovt_core.data.annotations.shapes import Annotation, Box, Ellipse, MaskFile, Polygon, RunLengths

Mask = npt.NDArray[np.uint8]


def rasterise(annotations: Iterable[Annotation], num_classes: int, height: int, width: int) -> Mask:
    """(C, H, W) of 0 and 1: the union of each class's shapes, cut off at the border of the image.

    The shapes are free of faults (`faults.py`). Raises TypeError for a mask file, which is loaded, not drawn.
    """
    masks = np.zeros((num_classes, height, width), dtype=np.uint8)
    for each in annotations:
        mask = masks[each.label]
        match each.shape:
            case Box():
                _fill_box(mask, each.shape)
            case Ellipse():
                _fill_ellipse(mask, each.shape)
            case Polygon():
                mask |= _draw_polygon(each.shape, height, width)
            case RunLengths():
                mask |= _decode_fitting(each.shape, height, width)
            case MaskFile():
                raise TypeError(f"{each.where}: a mask file is loaded, not drawn")
            case _:
                assert_never(each.shape)
    return masks


def find_boxes(annotations: Iterable[Annotation]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """(n, 4) left, top, width, height in pixels, as annotated, and (n,) labels.

    One for each box, ellipse and polygon; runs and mask files are nothing to be detected.
    """
    boxes, labels = [], []
    for each in annotations:
        if not isinstance(each.shape, RunLengths | MaskFile):
            box = bounding_box(each.shape)
            boxes.append((box.left, box.top, box.width, box.height))
            labels.append(each.label)
    return np.array(boxes, dtype=np.float64).reshape(-1, 4), np.array(labels, dtype=np.int64)


def _fill_box(mask: Mask, box: Box) -> None:
    """Rows round(y) to round(y + h) - 1, columns likewise, half to even (reference vectors, section 18)."""
    top, bottom = round(box.top), round(box.top + box.height)
    left, right = round(box.left), round(box.left + box.width)
    mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 1


def _fill_ellipse(mask: Mask, ellipse: Ellipse) -> None:
    """Pixels whose row and column satisfy the equation of the ellipse (reference vectors, section 17)."""
    half_width, half_height = ellipse.width / 2, ellipse.height / 2
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    across = (columns - (ellipse.left + half_width)) / half_width
    down = (rows - (ellipse.top + half_height)) / half_height
    mask[across**2 + down**2 <= 1] = 1


def _draw_polygon(polygon: Polygon, height: int, width: int) -> Mask:
    """(H, W) with the outline (reference vectors, section 17)."""
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).polygon(polygon.points, fill=1, outline=1)
    return np.asarray(image)


def _decode_fitting(runs: RunLengths, height: int, width: int) -> Mask:
    """(H, W); a raster of another size is resized to the nearest pixel (reference vectors, section 19)."""
    mask = np.asarray(decode_runs(runs.text, runs.height, runs.width), dtype=np.uint8)
    if mask.shape == (height, width):
        return mask
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
