"""What each finding looks like: brightness added to the film and the outline of the finding itself.

Fields are float32 (H, W) on the canvas; outlines are bool (H, W).
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from lovt_core.data.synthetic.anatomy import Anatomy, heart_field
from lovt_core.data.synthetic.findings import Finding
from lovt_core.data.synthetic.geometry import Canvas, Field, Side, bump, ellipse_distance, rise, smooth_noise


@dataclass(frozen=True)
class Shadow:
    """A drawn finding."""

    outline: NDArray[np.bool_]
    brightness: Field
    hides_vessels: bool = False
    """Whether no vessels are seen inside the outline."""


@dataclass(frozen=True)
class Chest:
    """What a finding is drawn into."""

    canvas: Canvas
    anatomy: Anatomy
    lungs: dict[Side, Field]


def draw_shadow(chest: Chest, finding: Finding, rng: np.random.Generator) -> Shadow:
    """Draw one finding."""
    match finding.kind:
        case "nodule":
            inside = ellipse_distance(
                chest.canvas, finding.centre, (finding.size, finding.size * rng.uniform(0.85, 1.15))
            )
            return Shadow(inside > 0, 0.20 * finding.strength * rise(inside + 0.1, 0.7))
        case "mass":
            return _mass(chest, finding, rng)
        case "pneumonia":
            inside, outline = _ragged(chest, finding, rng)
            mottle = 1 + 0.35 * smooth_noise(chest.canvas, rng, 30)
            return Shadow(outline, 0.16 * finding.strength * rise(inside + 0.15, 0.8) * _lung(chest, finding) * mottle)
        case "infiltrate":
            inside, outline = _ragged(chest, finding, rng)
            net = bump(smooth_noise(chest.canvas, rng, 30), 0.5) + bump(smooth_noise(chest.canvas, rng, 44), 0.5) - 0.75
            return Shadow(outline, 0.13 * finding.strength * net * rise(inside + 0.15, 0.6) * _lung(chest, finding))
        case "atelectasis":
            return _atelectasis(chest, finding, rng)
        case "effusion":
            return _effusion(chest, finding)
        case "pneumothorax":
            return _pneumothorax(chest, finding)
        case "cardiomegaly":
            heart = heart_field(chest.canvas, chest.anatomy, finding.size)
            return Shadow((heart > 0.5) & (chest.canvas.y > 0.43), np.zeros_like(heart))
        case "foreign object":
            return _foreign_object(chest, finding, rng)
        case _:
            assert_never(finding.kind)


def _side(finding: Finding) -> Side:
    assert finding.side is not None, f"{finding.kind} lies on a side"
    return finding.side


def _lung(chest: Chest, finding: Finding) -> Field:
    return chest.lungs[_side(finding)]


def _ragged(chest: Chest, finding: Finding, rng: np.random.Generator) -> tuple[Field, NDArray[np.bool_]]:
    """A blob with an uneven border, positive inside, and its outline clipped to the lung."""
    radii = (finding.size * rng.uniform(0.8, 1.1), finding.size * rng.uniform(0.8, 1.1))
    inside = ellipse_distance(chest.canvas, finding.centre, radii, rng.uniform(-0.8, 0.8))
    inside = inside + 0.40 * smooth_noise(chest.canvas, rng, 12) * (inside > -1)
    return inside, (inside > 0) & (_lung(chest, finding) > 0.5)


def _mass(chest: Chest, finding: Finding, rng: np.random.Generator) -> Shadow:
    inside = ellipse_distance(chest.canvas, finding.centre, (finding.size * 0.8, finding.size * 0.8))
    for angle in rng.uniform(0, 2 * np.pi, 4):
        lobe = finding.size * 0.5
        centre = (finding.centre[0] + lobe * np.cos(angle), finding.centre[1] + lobe * np.sin(angle))
        inside = np.maximum(inside, ellipse_distance(chest.canvas, centre, (lobe, lobe)))
    return Shadow(inside > 0, 0.17 * finding.strength * rise(inside + 0.05, 0.5))


def _atelectasis(chest: Chest, finding: Finding, rng: np.random.Generator) -> Shadow:
    """One to three thin bands, nearly horizontal."""
    slope, width = rng.uniform(-0.4, 0.4), rng.uniform(0.006, 0.009)
    bands = np.zeros((chest.canvas.extent, chest.canvas.extent), dtype=np.float32)
    for band in range(rng.integers(1, 4)):
        along: Field = chest.canvas.x - np.float32(finding.centre[0])
        across: Field = chest.canvas.y - np.float32(finding.centre[1] - 0.028 * band) - np.float32(slope) * along
        drawn = rise(np.float32(width) - np.abs(across), 0.009) * rise(np.float32(finding.size) - np.abs(along), 0.02)
        bands = np.maximum(bands, drawn)
    bands = bands * _lung(chest, finding)
    return Shadow(bands > 0.4, 0.20 * finding.strength * bands)


def _effusion(chest: Chest, finding: Finding) -> Shadow:
    """Fluid at the base; its upper border rises towards the flank (meniscus)."""
    lung, side = chest.anatomy.lungs[_side(finding)], _side(finding)
    s = chest.canvas.from_midline(side)
    flankward: Field = np.clip((s - 0.1) / (lung.width - 0.1), 0, 1)
    level: Field = lung.dome + 0.085 - finding.size * (0.75 + 0.45 * flankward**4)
    fluid = rise(chest.canvas.y - level, 0.02 + 0.1 * finding.size) * _lung(chest, finding)
    return Shadow(fluid > 0.5, 0.30 * (0.6 + 0.4 * finding.strength) * fluid)


def _pneumothorax(chest: Chest, finding: Finding) -> Shadow:
    """Air without vessels between the chest wall and the pleural line, widest at the apex."""
    lung, side = chest.anatomy.lungs[_side(finding)], _side(finding)
    s, y = chest.canvas.from_midline(side), chest.canvas.y
    width: Field = finding.size * np.clip((0.62 - y) / 0.3, 0, 1)
    apical = lung.apex + 1.3 * finding.size
    beyond: Field = np.maximum(s - (lung.flank(y) - width), (apical - y) + 2.0 * (s - 0.13) ** 2)
    rim = rise(beyond, 0.008) * _lung(chest, finding) * rise(0.60 - y, 0.02)
    line = bump(beyond, 0.006) * _lung(chest, finding) * rise(0.60 - y, 0.04)
    brightness: Field = np.float32(finding.strength) * (0.14 * line - 0.07 * rim)
    return Shadow(rim > 0.5, brightness, hides_vessels=True)


def _foreign_object(chest: Chest, finding: Finding, rng: np.random.Generator) -> Shadow:
    """A coin, a ring or a bar: metal over everything."""
    shape = rng.integers(3)
    radii = (finding.size, finding.size * 0.22) if shape == 2 else (finding.size, finding.size)
    inside = ellipse_distance(chest.canvas, finding.centre, radii, rng.uniform(0, np.pi))
    metal = rise(inside, 0.2) * (rise(0.55 - inside, 0.2) if shape == 1 else np.float32(1))
    return Shadow(inside > 0, 0.30 * finding.strength * metal)
