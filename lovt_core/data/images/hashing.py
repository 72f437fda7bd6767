"""A perceptual hash: images of the same film have close hashes, whatever their size, compression or contrast.

The image is shrunk to 64 x 64, its grey levels are replaced by their ranks (so that equalisation, gamma and window
hardly matter), and the signs of 256 cosine coefficients are kept: vertical times horizontal frequency 1 to 16. The
lowest ones along each axis alone are left out: they show that it is a chest, not whose.

Measured on 79 real films: hashes of different films differ in 123 of 256 bits on average (sd 10.5, least 76 in 3,081
pairs). Of the same films at most 26 bits differ in all cases after halving or gamma 0.6, in 99 % after noise of sd 8,
equalisation or JPEG quality 20, in 87 % after cutting 1 % off each edge. Synthetic films share one anatomy and differ
in 108 bits on average (sd 19, least 29 in 2.3 million pairs); with 64 bits they could not be told apart.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 64
_FREQUENCIES = np.arange(1, 17)
_COSINES = np.cos(np.pi / SIDE * np.outer(_FREQUENCIES, np.arange(SIDE) + 0.5))
"""(16, SIDE) rows of the cosine transform (DCT-II); their scale does not matter for signs."""

Hash = npt.NDArray[np.uint64]


def compute_hash(grey: npt.NDArray[np.uint8]) -> Hash:
    """Perceptual hash (4,) of a (height, width) image; compare by the number of differing bits."""
    thumbnail = np.asarray(Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BOX))
    bits = _COSINES @ _rank(thumbnail) @ _COSINES.T > 0
    return np.packbits(bits).view(">u8").astype(np.uint64)


def _rank(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The rank of each pixel among all, equal ones sharing their mean rank; exactly 0 where all are equal."""
    counts = np.bincount(image.ravel(), minlength=256)
    ranks: npt.NDArray[np.float64] = (np.cumsum(counts) - (counts + image.size) / 2)[image]
    return ranks
