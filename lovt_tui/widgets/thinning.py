"""From the points of a curve to what a chart can show: smoothed over the raw points, then extremes per column."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """A curve thinned to columns; only those that hold a finite value are listed."""

    column: NDArray[np.intp]
    first: Array
    low: Array
    high: Array
    last: Array
    broken: frozenset[int]
    """Columns that hold a value which is not finite."""


def smooth(values: Array, window: int) -> Array:
    """Mean of the finite ones among `window` neighbouring points; a value that is not finite stays what it is."""
    if window <= 1 or len(values) == 0:
        return values
    finite = np.isfinite(values)
    sums = np.concatenate(([0.0], np.cumsum(np.where(finite, values, 0.0))))
    counts = np.concatenate(([0], np.cumsum(finite)))
    centre = np.arange(len(values))
    start = np.maximum(0, centre - window // 2)
    end = np.minimum(len(values), centre + (window + 1) // 2)
    means = (sums[end] - sums[start]) / np.maximum(1, counts[end] - counts[start])
    return np.where(finite, means, values)


def thin(x: Array, values: Array, limits: tuple[float, float], num_columns: int) -> Columns:
    """First, lowest, highest and last finite value in each of `num_columns` columns between the limits of `x`."""
    low, high = limits
    scale = (num_columns - 1) / (high - low) if high > low else 0.0
    if scale and np.isfinite(values).all() and not np.any(np.diff(x) < 0):
        return _thin_rising(x, values, low + (np.arange(1, num_columns, dtype=np.float64) - 0.5) / scale)
    place = np.clip(np.rint((x - low) * scale), 0, num_columns - 1).astype(np.intp)
    if np.any(np.diff(place) < 0):
        order = np.argsort(place, kind="stable")
        place, values = place[order], values[order]
    finite = np.isfinite(values)
    kept, used = values[finite], place[finite]
    column, start = np.unique(used, return_index=True)
    broken = frozenset(np.unique(place[~finite]).tolist())
    if len(column) == 0:
        return Columns(column, kept, kept, kept, kept, broken)
    return Columns(
        column=column,
        first=kept[start],
        low=np.minimum.reduceat(kept, start),
        high=np.maximum.reduceat(kept, start),
        last=kept[np.append(start[1:], len(kept)) - 1],
        broken=broken,
    )


def _thin_rising(x: Array, values: Array, edges: Array) -> Columns:
    """As `thin`, of finite values over rising `x`, without a look at each point; `edges` lie between the columns."""
    start = np.concatenate(([0], np.searchsorted(x, edges)))
    end = np.append(start[1:], len(x))
    column = np.flatnonzero(end > start)
    start, end = start[column], end[column]
    return Columns(
        column=column,
        first=values[start],
        low=np.minimum.reduceat(values, start),
        high=np.maximum.reduceat(values, start),
        last=values[end - 1],
        broken=frozenset(),
    )


def average(several: Sequence[Columns], num_columns: int) -> tuple[Columns, Array, Array]:
    """Mean of curves thinned to the same columns, and the lowest and highest of them in each column of the mean.

    Between its first and its last column a curve counts with what lies on the line between its neighbours; the mean
    goes as far as any of the curves.
    """
    grid = np.arange(num_columns, dtype=np.float64)
    values = [
        np.interp(grid, each.column, each.last, left=np.nan, right=np.nan) for each in several if len(each.column)
    ]
    if not values:
        return several[0], several[0].low, several[0].high
    table = np.stack(values)
    used = np.flatnonzero(np.isfinite(table).any(axis=0))
    table = table[:, used]
    means = np.nanmean(table, axis=0)
    broken = frozenset().union(*(each.broken for each in several))
    return Columns(used, means, means, means, means, broken), np.nanmin(table, axis=0), np.nanmax(table, axis=0)
