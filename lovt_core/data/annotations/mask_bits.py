"""Masks as bits: an eighth of the bytes to hash, to write and to keep.

Each class of an image is packed by itself, row after row, the highest bit first; the last byte is filled up with zeros.
"""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def count_mask_bytes(height: int, width: int) -> int:
    """Bytes that one class of one image takes."""
    return -(-height * width // 8)


def pack_masks(masks: Bytes) -> Bytes:
    """(classes, height, width) of 0 and 1 to (classes, bytes)."""
    return np.packbits(masks.reshape(len(masks), -1), axis=1)


def unpack_masks(bits: Bytes, height: int, width: int) -> Bytes:
    """(classes, bytes) to (classes, height, width) of 0 and 1."""
    return np.unpackbits(bits, axis=1, count=height * width).reshape(len(bits), height, width)
