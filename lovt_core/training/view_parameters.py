"""What is drawn for one random view of an image, in the protocol's order (reference `19_augmentation.json`).

Distributions as in torchvision, which the published implementation uses: the crop's area uniform and its aspect
log-uniform, ten attempts, else the largest central crop; shifts in whole pixels of the view; everything else uniform.
"""

import math
from dataclasses import dataclass

import numpy as np

from lovt_core.config.data import ImageAugmentationConfig

CROP_ATTEMPTS = 10


@dataclass(frozen=True)
class Crop:
    """A rectangle of the image, in its pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class ViewParameters:
    """One view: the crop resized to the view's square, flipped, turned and shifted, made brighter, blurred."""

    crop: Crop
    flip: bool = False
    angle: float = 0.0
    """Degrees, clockwise, about the centre of the view."""
    shift: tuple[int, int] = (0, 0)
    """Pixels of the view to the right and down."""
    scale: float = 1.0
    brightness: float = 1.0
    contrast: float = 1.0
    contrast_first: bool = False
    blur_sigma: float | None = None
    """Pixels of the view; None: not blurred."""


def draw_view(
    shape: tuple[int, ...], config: ImageAugmentationConfig, image_size: int, generator: np.random.Generator
) -> ViewParameters:
    """Draw a view of `image_size` pixels a side of an image of `shape` (height, width)."""
    height, width = shape
    furthest = config.translation * image_size
    return ViewParameters(
        crop=draw_crop((height, width), config.crop_area, config.crop_aspect, generator),
        flip=bool(generator.random() < config.flip),
        angle=generator.uniform(-config.rotation_degrees, config.rotation_degrees),
        shift=(round(generator.uniform(-furthest, furthest)), round(generator.uniform(-furthest, furthest))),
        scale=generator.uniform(*config.scale),
        brightness=generator.uniform(*config.brightness),
        contrast=generator.uniform(*config.contrast),
        contrast_first=bool(generator.random() < 0.5),
        blur_sigma=None if config.blur_sigma is None else generator.uniform(*config.blur_sigma),
    )


def draw_crop(
    shape: tuple[int, int], areas: tuple[float, float], aspects: tuple[float, float], generator: np.random.Generator
) -> Crop:
    """Draw a crop of an image of `shape` (height, width), its share of the area and its aspect in these ranges."""
    height, width = shape
    lowest, highest = (math.log(aspect) for aspect in aspects)
    for _ in range(CROP_ATTEMPTS):
        area = height * width * generator.uniform(*areas)
        aspect = math.exp(generator.uniform(lowest, highest))
        crop_width, crop_height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < crop_width <= width and 0 < crop_height <= height:
            top = int(generator.integers(height - crop_height + 1))
            left = int(generator.integers(width - crop_width + 1))
            return Crop(top, left, crop_height, crop_width)
    return _find_central_crop(height, width, aspects)


def _find_central_crop(height: int, width: int, aspect: tuple[float, float]) -> Crop:
    """The largest central crop whose aspect is allowed."""
    crop_height, crop_width = height, width
    if width / height < aspect[0]:
        crop_height = max(1, round(width / aspect[0]))
    elif width / height > aspect[1]:
        crop_width = max(1, round(height * aspect[1]))
    return Crop((height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width)
