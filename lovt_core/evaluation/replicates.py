"""What the replicates of a task share: distinct seeds, an interval, and a look at equal scores."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

import numpy as np
from scipy.stats import t as student_t


def compute_seeds(seed: int, count: int) -> tuple[int, ...]:
    """`count` distinct seeds below 2^31 that depend on `seed` alone; the first ones are the same for every `count`.

    The published replicates share one seed (PROTOCOL A.5); these do not.
    """
    seeds: dict[int, None] = {}
    draws = count
    while len(seeds) < count:
        state = np.random.SeedSequence(seed).generate_state(draws)
        seeds = dict.fromkeys(int(value) & 0x7FFFFFFF for value in state)
        draws *= 2
    return tuple(seeds)[:count]


def compute_interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and half width of the 95 % interval by Student's t; None for fewer than two values.

    The paper takes 1.96 standard errors instead, which is 2.776 / 1.96 = 1.42 times narrower for five values.
    """
    mean = fmean(values)
    if len(values) < 2:
        return mean, None
    quantile = float(student_t.ppf(0.975, len(values) - 1))
    return mean, quantile * stdev(values) / math.sqrt(len(values))


def find_duplicates(values: Sequence[float]) -> tuple[tuple[int, ...], ...]:
    """Groups of positions whose values are equal to the bit."""
    groups: dict[float, list[int]] = {}
    for position, value in enumerate(values):
        groups.setdefault(value, []).append(position)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
