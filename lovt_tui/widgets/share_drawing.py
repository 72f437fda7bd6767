"""Shares of a whole over time, stacked: how much each loss term contributes."""

from collections.abc import Sequence

import numpy as np

from lovt_core.runs.records import Curve
from lovt_tui.formatting import Cell, fit
from lovt_tui.widgets.chart_layers import Layer
from lovt_tui.widgets.thinning import Array

FILLS = "█▓▒░▚·"
"""A filling for each share, so that they are told apart without colour."""
LABELS = ("100%", "50%", "0%")
MARGIN = 5
MOST = 1e6
"""Larger ones are damage."""


def draw_shares(layers: Sequence[Layer], size: tuple[int, int]) -> list[list[Cell]]:
    """`size` (width, height) cells: the first share on the bottom; the newest values to the right."""
    width, height = size
    if width < MARGIN + 4 or height < 2:
        return []
    shares = _columns([layer.curves[0] for layer in layers], width - MARGIN)
    tops = np.rint(np.cumsum(shares, axis=0) * height).astype(int)
    rows = []
    for y in range(height):
        level = height - 1 - y
        label = LABELS[0] if y == 0 else LABELS[2] if y == height - 1 else LABELS[1] if y == height // 2 else ""
        cells = [Cell(fit(label, MARGIN - 1, "right") + " ", "dim")]
        for place in np.argmax(tops > level, axis=0).tolist():
            fill, tone = FILLS[place % len(FILLS)], layers[place].tone
            if cells[-1].tone == tone and len(cells) > 1:
                cells[-1] = Cell(cells[-1].text + fill, tone)
            else:
                cells.append(Cell(fill, tone))
        rows.append(cells)
    return rows


def describe_shares(layers: Sequence[Layer]) -> str:
    """Newest share of each, with its filling."""
    return " ".join(
        f"{FILLS[place % len(FILLS)]} {layer.label} {100 * layer.curves[0].values[-1]:.0f}%"
        for place, layer in enumerate(layers)
    )


def _columns(curves: Sequence[Curve], width: int) -> Array:
    """(shares, width) means over the points of each column, scaled to one; what is not finite counts as nothing."""
    length = min(len(curve.values) for curve in curves)
    table = np.stack([np.asarray(curve.values, dtype=np.float64)[:length] for curve in curves])
    table = np.clip(np.nan_to_num(table, nan=0.0, posinf=0.0, neginf=0.0), 0.0, MOST)
    edges = np.linspace(0, length, width + 1)
    starts = np.minimum(edges[:-1].astype(int), length - 1)
    sums = np.add.reduceat(table, starts, axis=1)
    whole = sums.sum(axis=0)
    return sums / np.where(whole > 0, whole, 1.0)
