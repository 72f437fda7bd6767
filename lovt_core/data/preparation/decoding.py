"""One item of a download to the arrays that are stored."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lovt_core.data.annotations.faults import find_faults
from lovt_core.data.annotations.mask_bits import pack_masks
from lovt_core.data.annotations.rasterise import find_boxes, rasterise
from lovt_core.data.annotations.shapes import Annotation, MaskFile
from lovt_core.data.data_set import DataSet
from lovt_core.data.images.equalisation import GREY_VALUES, Pixels, equalise, measure
from lovt_core.data.images.hashing import Hash, compute_hash
from lovt_core.data.images.loading import DECODING_ERRORS, load_image, load_mask, to_channel_mean, to_luma
from lovt_core.data.images.transforms import EvaluationFrame, Frame, ShortSideFrame
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.sources.download import Item
from lovt_core.errors import DataError

RECIPE = 3
"""Raised whenever the same file would give other pixels, masks, hashes or moments than before."""
MAX_PADDED_PIXELS = 1 << 28
"""Pixels of the square around an image; a strip of 1 x 100,000 pixels would need ten gigabytes."""
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Recipe:
    """How the images of one data set are prepared."""

    data_set: DataSet
    root: Path
    size: int
    classes: tuple[str, ...]


@dataclass(frozen=True)
class DecodedImage:
    """One image as it is stored."""

    pixels: Bytes
    """(height, width)"""
    mask_bits: Bytes | None
    """(classes, bytes), see `mask_bits.py`; None where the data has no classes"""
    boxes: npt.NDArray[np.float32]
    """(boxes, 4) left, top, width, height in pixels of `pixels`"""
    labels: npt.NDArray[np.int64]
    """(boxes,) class of each box"""
    hash: Hash
    mean: float
    """Of the [0, 1] image at its original resolution, after equalisation where the data set is equalised."""
    variance: float


@dataclass(frozen=True)
class DecodedItem:
    """An item with all its images, or with what is wrong with it."""

    item: Item
    images: tuple[DecodedImage, ...] = ()
    problems: tuple[Problem, ...] = ()
    kept: bool = False
    """Copied as it was decoded before."""


def decode_item(recipe: Recipe, item: Item) -> DecodedItem:
    """Decode every image of the item; whatever cannot be used becomes a problem instead."""
    images: list[DecodedImage] = []
    problems: list[Problem] = []
    files = (*item.images, *(each.shape.file for each in item.annotations if isinstance(each.shape, MaskFile)))
    for file in item.images:
        try:
            images.append(_decode_image(recipe, file, item.annotations))
        except AnnotationError as error:
            problems += error.problems
        except DataError as error:
            problems.append(_place(recipe.root, files, str(error)))
        except DECODING_ERRORS as error:
            problems.append(Problem(where=file, what=f"cannot be prepared ({error or type(error).__name__})"))
    return DecodedItem(item, tuple(images), tuple(problems))


class AnnotationError(Exception):
    """Annotations that do not fit their image."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(*map(str, problems))
        self.problems = problems


def _decode_image(recipe: Recipe, file: str, annotations: tuple[Annotation, ...]) -> DecodedImage:
    image = load_image(recipe.root / file)
    luma = to_luma(image)
    faults = find_faults(annotations, *luma.shape)
    if faults:
        raise AnnotationError(faults)
    frame = _build_frame(recipe, file, *luma.shape)
    original = _measure(recipe.data_set, image, luma)
    stored = _pass_through_jpeg(original.values) if recipe.data_set.jpeg_round_trip else original.values
    boxes, labels = find_boxes(annotations)
    return DecodedImage(
        pixels=frame.apply_to_image(stored),
        mask_bits=pack_masks(_build_masks(recipe, annotations, luma, frame)) if recipe.classes else None,
        boxes=frame.apply_to_boxes(boxes),
        labels=labels,
        hash=compute_hash(luma),
        mean=original.mean,
        variance=original.variance,
    )


def _build_frame(recipe: Recipe, file: str, height: int, width: int) -> Frame:
    if recipe.data_set.kind == "paired":
        return ShortSideFrame(height, width, recipe.size)
    if max(height, width) ** 2 > MAX_PADDED_PIXELS:
        raise DataError(f"{recipe.root / file}: {width} x {height} pixels are too many to be padded to a square")
    return EvaluationFrame(height, width, recipe.size)


def _build_masks(recipe: Recipe, annotations: tuple[Annotation, ...], luma: Bytes, frame: Frame) -> Bytes:
    """(classes, height, width) in the frame: what the annotations mark, united for each class."""
    masks = np.zeros((len(recipe.classes), *frame.shape), dtype=np.uint8)
    drawn = [each for each in annotations if not isinstance(each.shape, MaskFile)]
    originals = rasterise(drawn, len(recipe.classes), *luma.shape)
    for each in annotations:
        if isinstance(each.shape, MaskFile):
            originals[each.label] |= _load_fitting_mask(recipe.root / each.shape.file, luma)
    for label in {each.label for each in annotations}:
        masks[label] = frame.apply_to_mask(originals[label])
    return masks


def _measure(data_set: DataSet, image: Image.Image, luma: Bytes) -> Pixels:
    match data_set.grey, data_set.equalised:
        case "channel-mean", True:
            return equalise(*to_channel_mean(image))
        case "luma", True:
            return equalise(luma, GREY_VALUES)
        case "channel-mean", False:
            levels, values = to_channel_mean(image)
            return measure(np.rint(255 * values).astype(np.uint8)[levels])
        case _:
            return measure(luma)


def _load_fitting_mask(path: Path, image: Bytes) -> Bytes:
    mask = load_mask(path)
    if mask.shape != image.shape:
        sizes = f"{mask.shape[1]} x {mask.shape[0]} pixels, its image {image.shape[1]} x {image.shape[0]}"
        raise DataError(f"{path}: the mask has {sizes}: they must be equal")
    return mask


def _pass_through_jpeg(image: Bytes) -> Bytes:
    """What a reader of the published files sees: saved as JPEG at Pillow's default quality, and loaded."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="JPEG")
    return np.asarray(Image.open(file))


def _place(root: Path, files: tuple[str, ...], message: str) -> Problem:
    """Split an error message `<path>: <what>` into the file, relative to the download, and what."""
    for file in files:
        prefix = f"{root / file}: "
        if message.startswith(prefix):
            return Problem(where=file, what=message.removeprefix(prefix))
    return Problem(where=files[0], what=message)
