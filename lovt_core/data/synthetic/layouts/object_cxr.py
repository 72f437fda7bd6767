"""Layout of Object-CXR: `train.csv` and `dev.csv`, JPEG images in `train/` and `dev/`.

Foreign objects are those among the findings of a film, and more that are laid on every second film: coins and rings
(annotated as ellipses), plates (boxes) and bars (polygons).
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.patients import Film
from lovt_core.data.synthetic.scene import Case, Outline

_FIRST_NUMBER = 20_001
"""Above the original ones (00001 to 09000): no synthetic image has the name of a real one."""
_DEV_EVERY = 9
"""One film in nine is in `dev`, as in the original, beginning with the second: two films fill both parts."""
_SUPERSAMPLING = 4
_MOST_OBJECTS = 3
_SIDES = (0.04, 0.20)
"""Smallest and largest mean side of an object, in sides of the film: from buttons to pacemakers and plates."""
_POLYGON_ROWS = 12

Points = NDArray[np.int64]
"""(points, 2) column and row"""


def write_film(root: Path, film: Film) -> Row:
    """Write one image below `root` and return its row and the table it belongs to."""
    part = "dev" if film.index % _DEV_EVERY == 1 else "train"
    (root / part).mkdir(exist_ok=True)
    case, name = film.build(), f"{_FIRST_NUMBER + film.index:05d}.jpg"
    image, laid_on = _lay_objects_on(case.image, np.random.default_rng((film.seed, film.stream, film.index, 1)))
    Image.fromarray(image).save(root / part / name, quality=92)
    return {"part": part, "image_name": name, "annotation": ";".join([*_annotate_findings(case), *laid_on])}


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Write both tables, and both folders, even where there are too few films for `dev`."""
    for part in ("train", "dev"):
        (root / part).mkdir(exist_ok=True)
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, ("image_name", "annotation"), extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row["part"] == part)
        (root / f"{part}.csv").write_text(text.getvalue(), encoding="utf-8")


def _annotate_findings(case: Case) -> list[str]:
    """One item for each foreign object among the findings that is on the film."""
    return [
        _annotate_outline(outline)
        for finding, outline in zip(case.findings, case.outlines, strict=True)
        if finding.kind == "foreign object" and outline.any()
    ]


def _annotate_outline(outline: Outline) -> str:
    """An ellipse around coins and rings, the polygon of a bar's border, a box around a bar too thin for that."""
    rows, columns = np.flatnonzero(outline.any(axis=1)), np.flatnonzero(outline.any(axis=0))
    width, height = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    if min(width, height) < 3:
        return _item(0, (columns[0], rows[0]), (columns[-1] + 1, rows[-1] + 1))
    if outline.sum() > 0.7 * width * height and 0.8 < width / height < 1.25:
        return _item(1, (columns[0], rows[0]), (columns[-1], rows[-1]))
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, _POLYGON_ROWS).round().astype(int))]
    lefts = outline[chosen].argmax(axis=1)
    rights = outline.shape[1] - 1 - outline[chosen, ::-1].argmax(axis=1)
    down, up = np.stack([lefts, chosen], axis=1), np.stack([rights, chosen], axis=1)[::-1]
    return _item(2, *down.tolist(), *up.tolist())


def _lay_objects_on(image: NDArray[np.uint8], rng: np.random.Generator) -> tuple[NDArray[np.uint8], list[str]]:
    """The image with none to three more objects, and their annotation items."""
    if rng.random() < 0.5:
        return image, []
    brightness, items = image.astype(np.float32), []
    for _ in range(rng.integers(1, _MOST_OBJECTS + 1)):
        metal, item = _draw_object(image.shape[0], rng)
        brightness += np.float32(rng.uniform(50, 110)) * metal
        items.append(item)
    return np.clip(brightness, 0, 255).astype(np.uint8), items


def _draw_object(size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], str]:
    """How much metal covers each pixel, (size, size) in [0, 1], and the annotation item."""
    canvas = Image.new("L", (size * _SUPERSAMPLING, size * _SUPERSAMPLING))
    draw = ImageDraw.Draw(canvas)
    side = np.exp(rng.uniform(*np.log(_SIDES)))
    width, height = (max(3, round(size * side * rng.uniform(0.8, 1.25))) for _ in range(2))
    left, top = (round(size * rng.uniform(0.12, 0.85 - side * 1.25)) for _ in range(2))
    match rng.integers(4):
        case 0:
            corners = (left, top), (left + width, top + height)
            draw.rectangle(_enlarge(*corners, 0), fill=255)
            item = _item(0, *corners)
        case 1:
            centre, extent = (left + width // 2, top + height // 2), (max(6, 3 * width // 2), 3 + width // 3)
            points = _turned_bar(centre, extent, rng.uniform(0, np.pi))
            draw.polygon([((x + 0.5) * _SUPERSAMPLING, (y + 0.5) * _SUPERSAMPLING) for x, y in points], fill=255)
            item = _item(2, *points)
        case kind:
            corners = (left, top), (left + width, top + height)
            ring = max(1, width * _SUPERSAMPLING // 5)
            draw.ellipse(_enlarge(*corners, _SUPERSAMPLING // 2), fill=255 if kind == 2 else 0, outline=255, width=ring)
            item = _item(1, *corners)
    return np.asarray(canvas.reduce(_SUPERSAMPLING), dtype=np.float32) / np.float32(255), item


def _turned_bar(centre: tuple[int, int], extent: tuple[int, int], angle: float) -> tuple[tuple[int, int], ...]:
    """Four corners of a rectangle of that length and width, turned around its centre."""
    along = np.array([np.cos(angle), np.sin(angle)]) * extent[0] / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * extent[1] / 2
    offsets = np.stack([-along - across, along - across, along + across, across - along])
    points: Points = np.rint(np.array(centre) + offsets).astype(np.int64)
    return tuple((int(x), int(y)) for x, y in points)


def _enlarge(first: tuple[int, int], last: tuple[int, int], shift: int) -> tuple[int, int, int, int]:
    """A rectangle on the supersampled canvas.

    Boxes end before their last row and column; ellipses run through the centres of their outermost pixels, which lie
    `shift` further on that canvas (reference vectors, section 17).
    """
    left, top, right, bottom = (number * _SUPERSAMPLING + shift for number in (*first, *last))
    return left, top, right - 1, bottom - 1


def _item(kind: int, *points: Sequence[int]) -> str:
    return " ".join(str(int(number)) for number in (kind, *(number for point in points for number in point)))
