"""Global histogram equalisation through a lookup table, and moments of pixels from their histogram.

Equal to scikit-image's `equalize_hist` (256 bins) on the image with values in [0, 1] (PROTOCOL A.2).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NUM_BINS = 256
GREY_VALUES = np.arange(256) / 255
"""[0, 1] value of each 8-bit level."""


@dataclass(frozen=True)
class Pixels:
    """An 8-bit image with the mean and variance that its [0, 1] values had before they were cut to 8 bits."""

    values: npt.NDArray[np.uint8]
    mean: float
    variance: float


def measure(image: npt.NDArray[np.uint8]) -> Pixels:
    """The image as it is, with the moments of `image / 255`."""
    counts = np.bincount(image.ravel(), minlength=256)
    return Pixels(image, *_compute_moments(counts, GREY_VALUES))


def equalise(levels: npt.NDArray[np.integer], values: npt.NDArray[np.float64]) -> Pixels:
    """Equalise an image given as the level of each pixel and the [0, 1] value of each level; truncated to 8 bits."""
    counts = np.bincount(levels.ravel(), minlength=len(values))
    table = compute_table(counts, values)
    return Pixels((255 * table).astype(np.uint8)[levels], *_compute_moments(counts, table))


def compute_table(counts: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(levels,) equalised value in [0, 1] of each level, from how often each occurs and the value it stands for."""
    present = counts > 0
    histogram, edges = np.histogram(values[present], bins=NUM_BINS, weights=counts[present].astype(np.float64))
    centers = (edges[:-1] + edges[1:]) / 2
    cumulative = histogram.cumsum()
    table: npt.NDArray[np.float64] = np.interp(values, centers, cumulative / cumulative[-1])
    return table


def _compute_moments(counts: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> tuple[float, float]:
    shares = counts / counts.sum()
    mean = float(shares @ values)
    return mean, float(shares @ (values - mean) ** 2)
