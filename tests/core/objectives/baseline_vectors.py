"""The reference vectors of the image-only baselines, and what their naive references share."""

import math

import pytest

from tests.core.conftest import read_cases

FILE = "23_baseline_losses"


def cases_with(key):
    """The cases of the file that have the array `key`: each belongs to another loss."""
    try:
        return [pytest.param(case, id=case.name) for case in read_cases(FILE) if key in case]
    except FileNotFoundError:
        return []


def cosine(a, b):
    """Of two lists of numbers."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / (math.hypot(*a) * math.hypot(*b))
