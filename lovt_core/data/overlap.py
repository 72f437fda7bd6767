"""Which images of one set are also in another, by perceptual hash."""

import numpy as np
import numpy.typing as npt

WORDS = 4
"""64-bit words of a hash."""
Hashes = npt.NDArray[np.uint64]
"""(images, WORDS)."""

MAX_DISTANCE = 26
"""Bits in which hashes of the same film may differ (`hashing.py` has the measured distances)."""
FARTHEST = 64 * WORDS + 1
"""Distance to nothing."""
_BLOCK = 1 << 21


def find_overlapping(hashes: Hashes, others: Hashes, max_distance: int = MAX_DISTANCE) -> npt.NDArray[np.bool_]:
    """(images,) whether any of `others` is within `max_distance` bits of each of `hashes`."""
    return compute_nearest(hashes, others)[0] <= max_distance


def compute_nearest(hashes: Hashes, others: Hashes) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
    """Distance in bits to the nearest of `others`, and its row; distance FARTHEST and row -1 where there are none.

    Works in blocks: memory stays below 100 MB for any number of hashes.
    """
    distances = np.full(len(hashes), FARTHEST, dtype=np.uint16)
    nearest = np.full(len(hashes), -1, dtype=np.int64)
    if not len(others):
        return distances, nearest
    step = max(1, _BLOCK // len(others))
    for start in range(0, len(hashes), step):
        differing = _count_differing(hashes[start : start + step], others)
        nearest[start : start + step] = differing.argmin(axis=1)
        distances[start : start + step] = differing.min(axis=1)
    return distances, nearest


def _count_differing(hashes: Hashes, others: Hashes) -> npt.NDArray[np.uint16]:
    """(hashes, others) number of differing bits, a word at a time to save memory."""
    differing = np.zeros((len(hashes), len(others)), dtype=np.uint16)
    for word in range(WORDS):
        differing += np.bitwise_count(hashes[:, None, word] ^ others[None, :, word])
    return differing
