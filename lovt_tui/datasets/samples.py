"""Samples of prepared data to look at: which ones, what is on them, what is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lovt_core.data.prepared import Bytes, PreparedData, Sample
    from lovt_tui.pictures import Mark

PREVIEW_IMAGES: Final = 200
"""Among so many images a marked one is looked for."""


def choose_samples(data: "PreparedData", count: int, ids: Sequence[str], seed: int) -> "tuple[Sample, ...]":
    """The samples of these ids, and `count` others drawn at random; half of them with a finding where there are any.

    Raises DataError for an unknown id.
    """
    import numpy as np

    from lovt_core.errors import DataError

    by_id = {sample.id: sample for sample in data.samples}
    unknown = [each for each in ids if each not in by_id]
    if unknown:
        raise DataError(f"{data.name} has no sample {unknown[0]}; its first is {data.samples[0].id}")
    order = np.random.default_rng(seed).permutation(len(data.samples)).tolist()
    if data.num_classes:
        positive = [row for row in order if _is_positive(data, data.samples[row])][: -(-count // 2)]
        order = positive + [row for row in order if row not in set(positive)]
    drawn = [data.samples[row] for row in order[:count]]
    return tuple({sample.id: sample for sample in (*(by_id[each] for each in ids), *drawn)}.values())


def caption(data: "PreparedData", sample: "Sample") -> str:
    """Id, and what is marked on the image."""
    if not data.num_classes:
        return sample.id
    labels = [int(label) for row in sample.images for label in data.boxes(row)[1]]
    marked = [data.meta.classes[label] for label in labels]
    if not marked:
        masks = [data.mask(row) for row in sample.images]
        marked = [name for label, name in enumerate(data.meta.classes) if any(mask[label].any() for mask in masks)]
    counts = {name: marked.count(name) for name in marked}
    listed = ", ".join(f"{count} {name}" if count > 1 else name for name, count in counts.items())
    return f"{sample.id}  {listed or 'nothing marked'}"


def name_boxes(data: "PreparedData", row: int) -> list[tuple[str, list[float]]]:
    """Class, and left, top, width, height of each box of an image, in pixels of the prepared image."""
    boxes, labels = data.boxes(row)
    return [(data.meta.classes[label], box) for box, label in zip(boxes.tolist(), labels.tolist(), strict=True)]


def box_texts(data: "PreparedData", row: int) -> list[str]:
    """One line a box."""
    return [
        f"{name}: left {left:.0f}, top {top:.0f}, width {width:.0f}, height {height:.0f}"
        for name, (left, top, width, height) in name_boxes(data, row)
    ]


def _is_positive(data: "PreparedData", sample: "Sample") -> bool:
    return any(bool(data.mask(row).any()) for row in sample.images)


@dataclass(frozen=True)
class Drawing:
    """An image of a sample with what is marked on it."""

    pixels: "Bytes"
    """(H, W) as prepared."""
    tinted: "Bytes"
    """(H, W, 3) with masks tinted and boxes outlined."""
    marks: "Bytes"
    """(H, W) outlines: 0 nothing, i + 1 entry i of the legend."""
    legend: "tuple[Mark, ...]"


def draw_sample(data: "PreparedData", row: int) -> Drawing:
    """Image `row`: boxes where there are any, else the outlines of its masks."""
    import numpy as np

    from lovt_core.data.overlays import colour_of, draw_overlay
    from lovt_tui.pictures import Mark

    pixels = data.image(row)
    areas = _find_areas(data, row)
    marks = np.zeros(pixels.shape, dtype=np.uint8)
    labels = sorted({label for label, _ in areas})
    letters = _choose_letters(data.meta.classes)
    for label, area in areas:
        marks[_outline(area)] = labels.index(label) + 1
    legend = tuple(Mark(letters[label], colour_of(label), data.meta.classes[label]) for label in labels)
    return Drawing(pixels, np.asarray(draw_overlay(data, row)), marks, legend)


def draw_preview(folder: Path) -> Drawing | None:
    """The first image of a version with something marked among its first ones, else the first; None of an empty one."""
    from lovt_core.data.prepared import PreparedData

    data = PreparedData(folder)
    rows = range(min(data.num_images, PREVIEW_IMAGES))
    marked = (row for row in rows if data.num_classes and data.mask(row).any())
    return draw_sample(data, next(marked, 0)) if data.num_images else None


def _find_areas(data: "PreparedData", row: int) -> "list[tuple[int, npt.NDArray[np.bool_]]]":
    """Class and (H, W) area of each box; of each mask where there are no boxes."""
    import numpy as np

    if not data.num_classes:
        return []
    height, width = data.image(row).shape
    boxes, labels = data.boxes(row)
    if not len(boxes):
        return [(label, mask.astype(bool)) for label, mask in enumerate(data.mask(row)) if mask.any()]
    areas = []
    for (left, top, across, down), label in zip(boxes.tolist(), labels.tolist(), strict=True):
        area = np.zeros((height, width), dtype=bool)
        first_row, first_column = min(max(0, int(top)), height - 1), min(max(0, int(left)), width - 1)
        last_row, last_column = max(first_row + 1, round(top + down)), max(first_column + 1, round(left + across))
        area[first_row:last_row, first_column:last_column] = True
        areas.append((label, area))
    return areas


def _outline(area: "npt.NDArray[np.bool_]") -> "npt.NDArray[np.bool_]":
    """Pixels inside with a neighbour outside; the world beyond the image is outside."""
    import numpy as np

    padded = np.pad(area, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: npt.NDArray[np.bool_] = area & ~inner
    return edge


def _choose_letters(classes: Sequence[str]) -> tuple[str, ...]:
    """One letter a class: the first of its name that no class before has taken, else a digit."""
    taken: list[str] = []
    for number, name in enumerate(classes):
        free = [letter for letter in name.upper() if letter.isascii() and letter.isalpha() and letter not in taken]
        taken.append(free[0] if free else str(number % 10))
    return tuple(taken)
