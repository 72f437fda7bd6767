"""Which images of one set are also in another, by perceptual hash."""

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

MAX_DISTANCE = 6
"""Bits in which hashes of the same film may differ (`hashing.py` has the measured distances)."""
_BLOCK = 1 << 22


def find_overlapping(hashes: Hashes, others: Hashes, max_distance: int = MAX_DISTANCE) -> npt.NDArray[np.bool_]:
    """(images,) whether any of `others` is within `max_distance` bits of each of `hashes`."""
    return compute_nearest(hashes, others)[0] <= max_distance


def compute_nearest(hashes: Hashes, others: Hashes) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Distance in bits to the nearest of `others`, and its row; distance 65 and row -1 where there are none.

    Works in blocks: memory stays below 100 MB for any number of hashes.
    """
    distances = np.full(len(hashes), 65, dtype=np.uint8)
    nearest = np.full(len(hashes), -1, dtype=np.int64)
    if not len(others):
        return distances, nearest
    step = max(1, _BLOCK // len(others))
    for start in range(0, len(hashes), step):
        differing = np.bitwise_count(hashes[start : start + step, None] ^ others[None, :])
        nearest[start : start + step] = differing.argmin(axis=1)
        distances[start : start + step] = differing.min(axis=1)
    return distances, nearest
