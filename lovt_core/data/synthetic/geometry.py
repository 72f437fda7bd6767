"""Where things lie in a synthetic chest, and the soft shapes they are made of.

Legend: H, W rows and columns of the canvas. A body point is (x, y): x runs from 0 to 1 over the width of a film from
its left edge (the patient's right), y from 0 to 1 downwards. The canvas shows a margin around that unit square, so
that a turned or shifted film still shows body up to its corners. All fields are float32 (H, W).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]
Side = Literal["right", "left"]
"""The patient's side: `right` lies in the left half of the film."""
Zone = Literal["upper", "middle", "lower"]

MARGIN = 0.10
"""Body shown beyond each edge of the unit square."""


@dataclass(frozen=True)
class Canvas:
    """The grid on which a body is drawn for a film of `size` pixels a side."""

    size: int

    @cached_property
    def extent(self) -> int:
        """Pixels a side of the canvas."""
        return round(self.size * (1 + 2 * MARGIN))

    @cached_property
    def x(self) -> Field:
        """Body x of each column, (1, W)."""
        return self._axis()[None, :]

    @cached_property
    def y(self) -> Field:
        """Body y of each row, (H, 1)."""
        return self._axis()[:, None]

    def _axis(self) -> Field:
        return ((np.arange(self.extent, dtype=np.float32) + 0.5) / self.size - MARGIN).astype(np.float32)

    def to_pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Body points (..., 2) as canvas pixels (column, row), pixel centres at .5."""
        return (points + MARGIN) * self.size

    def from_midline(self, side: Side) -> Field:
        """Distance of each column from the midline towards one side, negative on the other, (1, W)."""
        return self.x - 0.5 if side == "left" else 0.5 - self.x


def rise(value: Field, softness: float) -> Field:
    """0 where `value` is far below zero, 1 far above, linear over `softness` around it."""
    ramp: Field = value * np.float32(1 / softness)
    ramp += np.float32(0.5)
    np.maximum(ramp, 0, out=ramp)
    np.minimum(ramp, 1, out=ramp)
    return ramp


def bump(value: Field, width: float) -> Field:
    """A bell of half width about `width` around zero: 1 / (1 + (value / width)^2)^2."""
    bell: Field = value * np.float32(1 / width)
    bell *= bell
    bell += 1
    bell *= bell
    np.reciprocal(bell, out=bell)
    return bell


def ellipse_distance(
    canvas: Canvas, centre: tuple[float, float], radii: tuple[float, float], tilt: float = 0.0
) -> Field:
    """1 in the centre, 0 on the outline, negative outside (1 - squared elliptic radius); `tilt` in radians."""
    dx, dy = canvas.x - np.float32(centre[0]), canvas.y - np.float32(centre[1])
    if tilt:
        cosine, sine = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
        dx, dy = dx * cosine + dy * sine, dy * cosine - dx * sine
    dx, dy = dx * np.float32(1 / radii[0]), dy * np.float32(1 / radii[1])
    return np.float32(1) - dx * dx - dy * dy


def resample(values: Field, extent: int) -> Field:
    """A coarse grid enlarged smoothly to (extent, extent)."""
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((extent, extent), Image.Resampling.BICUBIC), dtype=np.float32)


def smooth_noise(canvas: Canvas, rng: np.random.Generator, cells: int) -> Field:
    """Random field of mean 0 and deviation about 1 whose blobs measure about 1 / `cells` of the canvas."""
    return resample(rng.standard_normal((cells, cells), dtype=np.float32), canvas.extent) * np.float32(1.3)
