"""Lung vessels that branch from each hilum, thinner and fainter outwards.

Legend: V vessels of one lung, K knots along a trunk (7), 2 body coordinates.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from lovt_core.data.synthetic.anatomy import SIDES
from lovt_core.data.synthetic.geometry import Canvas, Field, Side

_NUM_VESSELS = 11
_NUM_PIECES = 6
_SUPERSAMPLING = 2
_BRANCHES = ((2, 0.55), (4, -0.6))
"""Knot where a branch leaves its trunk, and the angle it turns by."""
_TRUNK_LOOKS = ((0.013, 150), (0.010, 115), (0.006, 80))
"""Width in body units and brightness of the three thirds of a trunk."""
_BRANCH_LOOK = (0.007, 75)


def vessels(canvas: Canvas, rng: np.random.Generator) -> Field:
    """Brightness of all vessels, 0 to 1, (H, W)."""
    extent = canvas.extent * _SUPERSAMPLING
    image = Image.new("L", (extent, extent))
    draw = ImageDraw.Draw(image)
    for side in SIDES:
        hilum = np.array([0.415, 0.43]) if side == "right" else np.array([0.585, 0.41])
        trunks, branches = _grow(hilum, side, rng)
        for third, look in enumerate(_TRUNK_LOOKS):
            _draw_lines(draw, canvas, trunks[:, 2 * third : 2 * third + 3], look)
        _draw_lines(draw, canvas, branches, _BRANCH_LOOK)
        corners = canvas.to_pixels(hilum + np.array([[-0.02, -0.04], [0.02, 0.045]])) * _SUPERSAMPLING
        draw.ellipse(corners.ravel().tolist(), fill=150)
    image = image.reduce(_SUPERSAMPLING).filter(ImageFilter.BoxBlur(0.004 * canvas.extent))
    return np.asarray(image, dtype=np.float32) * np.float32(1 / 255)


def _grow(
    hilum: NDArray[np.float64], side: Side, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Trunks (V, K, 2) and branches (2 V, 2, 2) as body points."""
    outwards = np.array([1.0 if side == "left" else -1.0, 1.0])
    direction = np.linspace(-1.25, 1.35, _NUM_VESSELS) + rng.normal(0, 0.09, _NUM_VESSELS)
    lengths = rng.uniform(0.16, 0.30, _NUM_VESSELS)
    angles = direction[:, None] + np.cumsum(rng.normal(0, 0.2, (_NUM_VESSELS, _NUM_PIECES)), axis=1)
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=2) * outwards * (lengths / _NUM_PIECES)[:, None, None]
    trunks = np.concatenate([np.zeros((_NUM_VESSELS, 1, 2)), np.cumsum(steps, axis=1)], axis=1) + hilum
    turned = rng.choice((-1, 1), (_NUM_VESSELS, len(_BRANCHES)))
    branches = []
    for branch, (knot, turn) in enumerate(_BRANCHES):
        angle = angles[:, knot] + turn * turned[:, branch]
        tips = trunks[:, knot] + np.stack([np.cos(angle), np.sin(angle)], axis=1) * outwards * 0.38 * lengths[:, None]
        branches.append(np.stack([trunks[:, knot], tips], axis=1))
    return trunks, np.concatenate(branches)


def _draw_lines(draw: ImageDraw.ImageDraw, canvas: Canvas, lines: NDArray[np.float64], look: tuple[float, int]) -> None:
    """Draw broken lines of body points (N, knots, 2); `look` = (width in body units, brightness)."""
    pixels = canvas.to_pixels(lines) * _SUPERSAMPLING
    width = max(1, round(look[0] * canvas.size * _SUPERSAMPLING))
    for line in pixels.reshape(len(lines), -1).tolist():
        draw.line(line, fill=look[1], width=width)
