"""What is to be found and what is predicted, outlined on a prepared image.

Marks are (height, width) uint8: 0 nothing, TRUTH, PREDICTION, or their sum where both outlines lie.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from lovt_core.data.overlays import draw_sheet
from lovt_core.data.predictions import PredictedCase
from lovt_core.data.prepared import Bytes, PreparedData
from lovt_core.errors import DataError

TRUTH: Final = 1
PREDICTION: Final = 2
COLOURS: Final = {
    TRUTH: (86, 180, 233),
    PREDICTION: (213, 94, 0),
    TRUTH | PREDICTION: (240, 228, 66),
}
"""Red, green, blue of each mark (of Okabe and Ito's palette)."""
MEANINGS: Final = {TRUTH: "to be found", PREDICTION: "predicted", TRUTH | PREDICTION: "both"}

_SHEET_COLUMNS, _LEGEND_HEIGHT = 3, 18


def check_case(data: PreparedData, case: PredictedCase) -> None:
    """Raise DataError unless `data` has the image that the prediction is about."""
    if not 0 <= case.image_row < data.num_images:
        raise DataError(f"{data.path} has {data.num_images} images, but a prediction is about number {case.image_row}")
    shape = data.mask(case.image_row).shape
    if case.mask is not None and case.mask.shape != shape:
        raise DataError(f"the predicted mask of {case.sample} is {case.mask.shape}, but {data.path} has masks {shape}")


def shrink_image(data: PreparedData, row: int, shape: tuple[int, int]) -> Bytes:
    """(height, width, 3) image `row`, resampled to `shape` (height, width)."""
    height, width = shape
    picture = Image.fromarray(data.image(row)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture.convert("RGB"))


def mark_outlines(data: PreparedData, case: PredictedCase, shape: tuple[int, int]) -> Bytes:
    """(height, width) marks of a case at `shape`: masks where masks are predicted, boxes where boxes are.

    A box that leaves the image is drawn along the border, one that is not finite not at all.
    """
    marks = np.zeros(shape, dtype=np.uint8)
    if case.mask is not None:
        for flag, masks in ((TRUTH, data.mask(case.image_row).astype(bool)), (PREDICTION, case.mask)):
            for mask in masks:
                marks[_outline(_resize(mask, shape))] |= flag
    if case.boxes is not None:
        height, width = data.image(case.image_row).shape
        scale = np.array((shape[1] / width, shape[0] / height) * 2)
        for flag, boxes in ((TRUTH, data.boxes(case.image_row)[0]), (PREDICTION, case.boxes)):
            for box in boxes[np.isfinite(boxes).all(axis=1)].astype(np.float64):
                marks[_outline(_fill(box * scale, shape))] |= flag
    return marks


def draw_case(data: PreparedData, case: PredictedCase, side: int) -> Image.Image:
    """RGB picture of a case, its long side `side` pixels."""
    rows, columns = data.image(case.image_row).shape
    scale = side / max(rows, columns)
    shape = max(1, round(rows * scale)), max(1, round(columns * scale))
    pixels = shrink_image(data, case.image_row, shape).copy()
    marks = mark_outlines(data, case, shape)
    for flag, colour in COLOURS.items():
        pixels[marks == flag] = colour
    return Image.fromarray(pixels)


def draw_case_sheet(tasks: Sequence[Sequence[tuple[Image.Image, str]]]) -> Image.Image:
    """Pictures with captions, each task on a row of its own, and a line that tells what the colours mean."""
    cells = []
    for pictures in tasks:
        blank = Image.new("RGB", pictures[0][0].size, (24, 24, 24))
        cells += [*pictures, *[(blank, "")] * (-len(pictures) % _SHEET_COLUMNS)]
    sheet = draw_sheet(cells, _SHEET_COLUMNS)
    whole = Image.new("RGB", (sheet.width, sheet.height + _LEGEND_HEIGHT), (24, 24, 24))
    whole.paste(sheet, (0, _LEGEND_HEIGHT))
    pen = ImageDraw.Draw(whole)
    left = 4
    for flag, colour in COLOURS.items():
        pen.rectangle((left, 5, left + 9, 14), fill=colour)
        pen.text((left + 14, 4), MEANINGS[flag], fill=(220, 220, 220))
        left += round(pen.textlength(MEANINGS[flag])) + 30
    return whole


def _resize(mask: npt.NDArray[np.bool_], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels of which half is inside; where that leaves nothing of a mask, those that it touches."""
    whole = Image.fromarray(mask.astype(np.uint8) * 255)
    resized = np.asarray(whole.resize(shape[::-1], Image.Resampling.BOX))
    inside: npt.NDArray[np.bool_] = resized >= 128
    return inside if inside.any() else resized > 0


def _fill(box: npt.NDArray[np.float64], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels that a box (left, top, width, height) covers at least in part; always one, inside the image."""
    limits = np.array(shape[::-1])
    first = np.floor(box[:2].clip(0, limits - 1)).astype(int)
    last = np.maximum(np.ceil((box[:2] + box[2:]).clip(0, limits)).astype(int), first + 1)
    filled = np.zeros(shape, dtype=bool)
    filled[first[1] : last[1], first[0] : last[0]] = True
    return filled


def _outline(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels inside with a neighbour outside; the world beyond the image is outside."""
    padded = np.pad(inside, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~core
