"""Images to make views of, and what a view must show: by the published pipeline's library, and by definition."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as oracle

from lovt_core.data.prepared import Bytes
from lovt_core.training.augmentation import render_views
from lovt_core.training.view_parameters import Crop, ViewParameters

CPU = torch.device("cpu")
SIZE = 64
Levels = npt.NDArray[np.int64]


def make_image(height: int, width: int, seed: int = 0) -> Bytes:
    """Smooth shapes with some noise and a sharp edge, read-only as prepared images are."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = 110 + 70 * np.sin(rows / 9 + seed) * np.cos(columns / 7) + 40 * (columns > width / 3)
    image = np.clip(waves + generator.normal(0, 8, (height, width)), 0, 255).astype(np.uint8)
    image.flags.writeable = False
    return image


def whole(image: Bytes) -> Crop:
    return Crop(0, 0, *image.shape)


def render(image: Bytes, view: ViewParameters, size: int = SIZE) -> Levels:
    """(S, S) grey levels of one view."""
    levels = (render_views([image], [view], size, CPU)[0, 0] * 255).round()
    return levels.numpy().astype(np.int64)


def apply_oracle(
    image: Bytes,
    view: ViewParameters,
    size: int = SIZE,
    affine: InterpolationMode = InterpolationMode.NEAREST,
) -> Levels:
    """(S, S) grey levels by the published pipeline's library on Pillow images."""
    crop = view.crop
    picture = oracle.resized_crop(
        Image.fromarray(image), crop.top, crop.left, crop.height, crop.width, [size, size], InterpolationMode.BILINEAR
    )
    if view.flip:
        picture = oracle.hflip(picture)
    picture = oracle.affine(picture, view.angle, list(view.shift), view.scale, [0.0, 0.0], affine, fill=0)
    adjustments: list[tuple[Callable[..., Image.Image], float]] = [
        (oracle.adjust_brightness, view.brightness),
        (oracle.adjust_contrast, view.contrast),
    ]
    for adjust, factor in reversed(adjustments) if view.contrast_first else adjustments:
        picture = adjust(picture, factor)
    if view.blur_sigma is not None:
        picture = oracle.gaussian_blur(picture, [23, 23], [view.blur_sigma, view.blur_sigma])
    return np.asarray(picture).astype(np.int64)


def share_within(got: Levels, expected: Levels, levels: int) -> float:
    return float((abs(got - expected) <= levels).mean())


def resize_finely(image: Bytes, crop: Crop, size: int) -> npt.NDArray[np.float64]:
    """The resized crop at 16 x 16 places in each of its pixels, weighed as in the published resize, nothing rounded."""
    sides = []
    for length in (crop.height, crop.width):
        ratio, places = length / size, (np.arange(size * 16) + 0.5) / 16
        distances = places[:, None] * ratio - np.arange(length) - 0.5
        weights = np.clip(1 - np.abs(distances) / max(1.0, ratio), 0, None)
        sides.append(weights / weights.sum(1, keepdims=True))
    cut = image[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]
    exact: npt.NDArray[np.float64] = sides[0] @ cut @ sides[1].T
    return exact


def find_exact_levels(image: Bytes, view: ViewParameters, size: int = SIZE) -> npt.NDArray[np.float64]:
    """(S, S) levels of the resized crop at the exact places of the view's pixels, NaN where its edge is near."""
    fine = resize_finely(image, view.crop, size)
    rows, columns = np.mgrid[:size, :size] + 0.5 - size / 2
    across, down = columns - view.shift[0], rows - view.shift[1]
    turn = math.radians(view.angle)
    x = (math.cos(turn) * across + math.sin(turn) * down) / view.scale
    y = (math.cos(turn) * down - math.sin(turn) * across) / view.scale
    x = size / 2 + (-x if view.flip else x)
    y = y + size / 2
    inside = (np.minimum(x, y) > 1) & (np.maximum(x, y) < size - 1)
    levels = fine[(y * 16).astype(int).clip(0, size * 16 - 1), (x * 16).astype(int).clip(0, size * 16 - 1)]
    return np.where(inside, levels, np.nan)
