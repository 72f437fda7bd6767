"""Bones over the lungs: posterior and anterior ribs, clavicles. Fields are float32 (H, W), brightness to add."""

import numpy as np

from lovt_core.data.synthetic.anatomy import Anatomy
from lovt_core.data.synthetic.geometry import Canvas, Field, bump, rise

_NUM_POSTERIOR, _NUM_ANTERIOR = 9, 7


def bones(canvas: Canvas, anatomy: Anatomy) -> Field:
    """All bones of the thorax but the spine."""
    s = np.abs(canvas.x - 0.5)
    cage = rise(anatomy.lungs["left"].width + 0.03 - s, 0.02) * rise(s - 0.04, 0.03)
    top, spacing = anatomy.lungs["right"].apex - 0.02, anatomy.rib_spacing
    posterior_line = 0.10 * np.sin(np.clip(s / 0.40, 0, 1) * np.pi * 0.72) - 0.02 + 0.22 * np.clip(s - 0.3, 0, 1)
    posterior = _ladder(canvas.y - top - posterior_line, spacing, anatomy.rib_phase, _NUM_POSTERIOR)
    anterior_line = 0.24 - 0.55 * s
    anterior = _ladder(canvas.y - top - anterior_line, spacing * 1.12, anatomy.rib_phase * 0.7, _NUM_ANTERIOR)
    above = 0.35 + 0.65 * rise(anatomy.lungs["right"].diaphragm(s) - canvas.y, 0.1)
    ribs = (0.10 * posterior + 0.05 * anterior * rise(s - 0.13, 0.06)) * cage * above
    thorax: Field = ribs + _clavicles(canvas, s, top)
    return thorax


def _ladder(height: Field, spacing: float, phase: float, count: int) -> Field:
    """`count` parallel ribs below height 0: bright rims around a fainter middle."""
    turns = height * np.float32(1 / spacing) - np.float32(phase)
    offset = turns - np.floor(turns) - np.float32(0.5)
    rib = rise(0.23 - np.abs(offset), 0.12)
    rim = bump(np.abs(offset) - np.float32(0.19), 0.07)
    present = rise(turns, 0.1) * rise(count - turns, 0.1)
    ladder: Field = (0.6 * rib + 0.4 * rim) * present
    return ladder


def _clavicles(canvas: Canvas, s: Field, top: float) -> Field:
    line = top + 0.085 - 0.16 * np.clip(s - 0.03, 0, 1) + 0.35 * np.clip(s - 0.2, 0, 1) ** 2
    present = rise(s - 0.035, 0.02) * rise(0.42 - s, 0.05)
    clavicles: Field = 0.09 * rise(0.015 - np.abs(canvas.y - line), 0.014) * present
    return clavicles
