"""What is drawn for the views that SimCLR, BYOL and PixelPro compare (PROTOCOL B.4).

Crops are drawn in a square that the whole image was squashed to, and are then rectangles of the image itself: the
published two resizes, to the square and from its crop, are one.
"""

from dataclasses import dataclass, replace

import numpy as np

from lovt_core.config.data import ViewsConfig
from lovt_core.training.view_parameters import Crop, ViewParameters, draw_crop

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PlacedView:
    """A view of one image, and where it lies."""

    view: ViewParameters
    box: Box
    """Left, top, right and bottom edge of the crop in pixels of the square."""


def draw_compared_view(config: ViewsConfig, generator: np.random.Generator) -> ViewParameters:
    """Draw a view whose crop is in pixels of the square."""
    square = (config.squash, config.squash)
    crop = draw_crop(square, config.crop_area, config.crop_aspect, generator)
    flip = bool(generator.random() < config.flip)
    jitter = bool(generator.random() < config.jitter)
    brightness, contrast = generator.uniform(*config.brightness), generator.uniform(*config.contrast)
    contrast_first = bool(generator.random() < 0.5)
    blur = bool(generator.random() < config.blur)
    sigma = generator.uniform(*config.blur_sigma)
    return ViewParameters(
        crop=crop,
        flip=flip,
        brightness=brightness if jitter else 1.0,
        contrast=contrast if jitter else 1.0,
        contrast_first=contrast_first,
        blur_sigma=sigma if blur else None,
    )


def place_view(drawn: ViewParameters, shape: tuple[int, ...], squash: int) -> PlacedView:
    """The drawn view as one of an image of `shape` (height, width): its crop in whole pixels of the image."""
    height, width = shape
    top, bottom = _find_edges(drawn.crop.top, drawn.crop.height, height / squash, height)
    left, right = _find_edges(drawn.crop.left, drawn.crop.width, width / squash, width)
    across, down = squash / width, squash / height
    return PlacedView(
        view=replace(drawn, crop=Crop(top, left, bottom - top, right - left)),
        box=(left * across, top * down, right * across, bottom * down),
    )


def _find_edges(start: int, length: int, scale: float, size: int) -> tuple[int, int]:
    """At least one pixel apart."""
    first = min(round(start * scale), size - 1)
    return first, max(first + 1, min(round((start + length) * scale), size))
