"""The boxes of many images as flat arrays, and which of them meet.

Shapes: n boxes, k pairs of boxes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BoxTable:
    """Boxes of all images, in any order; raises ValueError where the columns differ in length."""

    boxes: Floats
    """(n, 4) left, top, width, height in pixels."""
    classes: Integers
    """(n,)."""
    images: Integers
    """(n,) number of the image."""
    confidence: Floats | None = None
    """(n,); None for ground truth."""

    def __post_init__(self) -> None:
        confidence = () if self.confidence is None else (self.confidence.shape,)
        if {self.classes.shape, self.images.shape, self.boxes.shape[:1], *confidence} != {(len(self.boxes),)}:
            raise ValueError(f"{len(self.boxes)} boxes need as many classes, images and confidences")
        if self.boxes.shape[1:] != (4,):
            raise ValueError(f"boxes have the shape {self.boxes.shape} instead of (n, 4)")

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def corners(self) -> Floats:
        """(n, 4) left, top, right, bottom, added in float32 as in the reference."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.concatenate((self.boxes[:, :2], self.boxes[:, :2] + self.boxes[:, 2:]), axis=1)


def order_by_confidence(predictions: BoxTable) -> Integers:
    """(n,) rows by falling confidence; of equally confident ones by image, then as they stand in the table.

    Raises ValueError for a table without confidences.
    """
    if predictions.confidence is None:
        raise ValueError("predictions need confidences")
    order: Integers = np.lexsort((predictions.images, -predictions.confidence))
    return order


def pair_up(groups: Integers, other_groups: Integers) -> tuple[Integers, Integers]:
    """All (row, other row) whose groups are equal: two arrays (k,), by row, then by other row."""
    order = np.argsort(other_groups, kind="stable")
    first = np.searchsorted(other_groups[order], groups, side="left")
    counts = np.searchsorted(other_groups[order], groups, side="right") - first
    rows = np.repeat(np.arange(len(groups)), counts)
    return rows, order[np.repeat(first, counts) + count_within(counts)]


def count_within(counts: Integers) -> Integers:
    """0, 1, ... for each of blocks that lie one after the other and are `counts` long."""
    ends = np.cumsum(counts)
    numbers: Integers = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    return numbers
