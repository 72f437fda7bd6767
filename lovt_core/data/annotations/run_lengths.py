"""Masks written as runs of pixels, as SIIM-ACR publishes them (reference vectors, section 16).

A text holds pairs of offset and length: from the end of the run before (at first from the first pixel) so many pixels
are left out, then so many belong to the mask. Pixels are counted column by column. `-1` is a mask without pixels.
"""

import numpy as np
import numpy.typing as npt

from lovt_core.errors import DataError

Mask = npt.NDArray[np.bool_]

NO_RUNS = "-1"
_MOST_DIGITS = 12
"""More than any raster needs, and few enough for 64-bit sums."""


def decode_runs(text: str, height: int, width: int) -> Mask:
    """The (height, width) mask; what reaches past the last pixel is cut off.

    Raises DataError for a text that is no list of pairs. `find_fault` finds more: it checks what was published.
    """
    if text.strip() == NO_RUNS:
        return np.zeros((height, width), dtype=np.bool_)
    tokens = text.split()
    fault = _find_bad_token(tokens)
    if fault is not None:
        raise DataError(f"run lengths: {fault}")
    pixels = height * width
    counts = np.array([min(int(token), pixels) for token in tokens], dtype=np.int64)
    ends = np.append(np.minimum(np.cumsum(counts), pixels), pixels)
    inside = np.arange(len(ends)) % 2 == 1
    return np.repeat(inside, np.diff(ends, prepend=0)).reshape(width, height).T


def encode_runs(mask: Mask) -> str:
    """The text of a (height, width) mask."""
    columns = np.pad(mask.T.ravel().astype(np.int8), 1)
    turns = np.flatnonzero(np.diff(columns))
    return " ".join(map(str, np.diff(turns, prepend=0).tolist())) or NO_RUNS


def find_fault(text: str, height: int, width: int) -> str | None:
    """What is wrong with a text, in a few words; None where it describes a mask inside a (height, width) raster."""
    if text.strip() == NO_RUNS:
        return None
    tokens = text.split()
    fault = _find_bad_token(tokens)
    if fault is not None:
        return fault
    numbers = [int(token) for token in tokens]
    if 0 in numbers[1::2]:
        return f"run {numbers[1::2].index(0) + 1} has no pixels"
    if sum(numbers) > height * width:
        return f"the runs end at pixel {sum(numbers)}, outside a raster of {width} x {height}"
    return None


def _find_bad_token(tokens: list[str]) -> str | None:
    if not tokens:
        return "neither runs nor -1"
    for token in tokens:
        if token.isascii() and token.isdigit() and len(token) <= _MOST_DIGITS:
            continue
        shown = token if len(token) <= _MOST_DIGITS else f"{token[:_MOST_DIGITS]}..."
        if token.startswith("-") and token[1:].isdigit():
            return f"the number {shown} is negative"
        return f"{shown} is no whole number of pixels"
    if len(tokens) % 2:
        return f"{len(tokens)} numbers, which are no pairs of offset and length"
    return None
