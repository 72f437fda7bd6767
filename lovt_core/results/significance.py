"""Intervals of replicates, Welch's t test and Holm's correction."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev, variance
from typing import Final, Literal

from scipy.special import stdtr, stdtrit

Interval = Literal["student", "published"]
"""`student`: quantile of Student's t. `published`: 1.96 whatever the number of replicates (PROTOCOL A.6)."""

LEVEL: Final = 0.05
"""Of significance, after correction."""
EXPLORATORY: Final = 5
"""A test with this many replicates or fewer on a side is exploratory: it sees large differences only."""


def compute_half_width(values: Sequence[float], interval: Interval) -> float | None:
    """Half width of the 95 % interval of the mean, in the unit of the values; None for fewer than two."""
    number = len(values)
    if number < 2:
        return None
    quantile = 1.96 if interval == "published" else float(stdtrit(number - 1, 0.975))
    return quantile * stdev(values) / math.sqrt(number)


def compute_welch(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Two-sided p-value of Welch's t test (unequal variances, Welch-Satterthwaite degrees of freedom).

    None where it cannot be computed: fewer than two values on a side, values that are not finite, or no spread at all.
    """
    if min(len(first), len(second)) < 2 or not all(map(math.isfinite, (*first, *second))):
        return None
    errors = [variance(values) / len(values) for values in (first, second)]
    total = sum(errors)
    if total == 0:
        return None
    weights = [error / total for error in errors]
    degrees = 1 / sum(weight**2 / (len(values) - 1) for weight, values in zip(weights, (first, second), strict=True))
    return float(2 * stdtr(degrees, -abs(fmean(first) - fmean(second)) / math.sqrt(total)))


def correct_holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values of Holm's step-down procedure, in the order given: below `LEVEL` means rejected."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, position in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[position]))
        corrected[position] = largest
    return tuple(corrected)
