"""A coarse surface through scattered values over two axes: means weighted by distance (Nadaraya and Watson, 1964)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lovt_core.sweeps.parameter_axes import Axis

NUM_CELLS = 16
"""Along an axis of numbers; a categorical one has a cell for each choice."""
BANDWIDTH = 0.08
"""Standard deviation of the weights, as a share of the axis."""
REACH = 0.2
"""A cell farther than this from every value stays empty."""

Array = npt.NDArray[np.float64]
Grid = tuple[tuple[float | None, ...], ...]


def interpolate(x: Axis, y: Axis, points: Sequence[tuple[float, float, float]]) -> Grid:
    """Values at the middles of cells, from (x, y, value); rows from low to high y, columns from low to high x."""
    across, up = cell_middles(x), cell_middles(y)
    if not points:
        return tuple(tuple(None for _ in across) for _ in up)
    values = np.array([value for _, _, value in points])
    squares = (
        _distances(x, across, [place for place, _, _ in points])[None, :, :] ** 2
        + _distances(y, up, [place for _, place, _ in points])[:, None, :] ** 2
    )
    nearest = squares.min(axis=2)
    # Relative to the nearest value, so that weights far from all values do not vanish together.
    weights = np.exp((nearest[:, :, None] - squares) / (2 * BANDWIDTH**2))
    means = (weights * values).sum(axis=2) / weights.sum(axis=2)
    return tuple(
        tuple(float(mean) if square <= REACH**2 else None for mean, square in zip(*row, strict=True))
        for row in zip(means, nearest, strict=True)
    )


def cell_middles(axis: Axis) -> list[float]:
    """Middles of an axis' cells as shares of it; those of choices lie on the choices."""
    if axis.choices:
        return [axis.share(place) for place in range(len(axis.choices))]
    return [(cell + 0.5) / NUM_CELLS for cell in range(NUM_CELLS)]


def _distances(axis: Axis, middles: Sequence[float], places: Sequence[float]) -> Array:
    """(cells, values): along the axis; a choice is far from every other."""
    shares = np.array([axis.share(place) for place in places])
    distances = np.abs(np.array(middles)[:, None] - shares[None, :])
    return np.where(distances < 1e-9, 0.0, 1e6) if axis.choices else distances
