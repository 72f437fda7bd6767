"""The chest of one patient: proportions, lung fields, mediastinum, heart and the wall around them.

Distances from the midline are called s. Legend as in `geometry`: fields are float32 (H, W).
"""

from dataclasses import dataclass

import numpy as np

from lovt_core.data.synthetic.geometry import Canvas, Field, Side, Zone, bump, ellipse_distance, resample, rise

SIDES: tuple[Side, Side] = ("right", "left")
ZONES: tuple[Zone, Zone, Zone] = ("upper", "middle", "lower")


@dataclass(frozen=True)
class LungShape:
    """Proportions of one lung field, in body units."""

    apex: float
    """y of the top."""
    dome: float
    """y of the top of the diaphragm."""
    width: float
    """s of the flank where the lung is widest."""

    def flank(self, y: Field) -> Field:
        """s of the inner chest wall at height y: an apex dome that widens to the base."""
        depth = np.clip((y - self.apex) / (0.88 - self.apex), 0, 1)
        flank: Field = 0.13 + (self.width - 0.13) * np.sqrt(1 - (1 - depth) ** 2.6)
        return flank

    def mediastinal_edge(self, y: Field) -> Field:
        """s of the border towards the midline at height y."""
        near_apex = np.clip(1 - (y - self.apex) / 0.14, 0, 1)
        edge: Field = 0.052 + 0.075 * near_apex * near_apex + 0.012 * np.clip((y - 0.3) / 0.4, 0, 1)
        return edge

    def diaphragm(self, s: Field) -> Field:
        """y of the diaphragm at distance s: a dome that falls steeply to the costophrenic angle."""
        offset = (s - 0.17) / (self.width - 0.17)
        beyond, before = np.maximum(offset, 0), np.minimum(offset, 0)
        dome: Field = self.dome + 0.115 * (beyond * beyond * beyond + 0.35 * before * before)
        return dome

    def zone_range(self, zone: Zone) -> tuple[float, float]:
        """y where the zone begins and ends: thirds of the height of the lung."""
        third = (self.dome + 0.02 - self.apex) / 3
        start = self.apex + third * ZONES.index(zone)
        return start, start + third


@dataclass(frozen=True)
class Anatomy:
    """Proportions of one patient; every film of a patient shares them."""

    lungs: dict[Side, LungShape]
    heart: tuple[float, float]
    """Half axes of the heart, before any enlargement."""
    rib_spacing: float
    rib_phase: float
    lung_depth: float
    """How much darker than soft tissue the lungs are."""
    breast: float
    """Brightness of the soft-tissue shadows over the lower lungs, 0 for none."""
    stomach: tuple[float, float] | None
    """Centre of a gas bubble under the left diaphragm."""
    shading: Field
    """Coarse grid of the body's uneven thickness."""


def build_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw the proportions of a patient."""
    apex, dome = rng.normal(0.105, 0.012), rng.normal(0.735, 0.022)
    width = rng.normal(0.385, 0.012)
    lungs: dict[Side, LungShape] = {
        "right": LungShape(apex, dome - 0.012, width + rng.normal(0, 0.006)),
        "left": LungShape(apex + rng.normal(0, 0.005), dome + 0.018, width + rng.normal(0, 0.006)),
    }
    scale = rng.uniform(0.9, 1.08)
    return Anatomy(
        lungs=lungs,
        heart=(0.125 * scale, 0.145 * scale),
        rib_spacing=rng.uniform(0.082, 0.094),
        rib_phase=rng.uniform(0, 1),
        lung_depth=rng.normal(0.33, 0.03),
        breast=rng.uniform(0.03, 0.08) if rng.random() < 0.4 else 0.0,
        stomach=(rng.uniform(0.62, 0.70), dome + rng.uniform(0.10, 0.13)) if rng.random() < 0.4 else None,
        shading=rng.normal(0, 0.022, (4, 4)).astype(np.float32),
    )


def lung_field(canvas: Canvas, lung: LungShape, side: Side) -> Field:
    """1 inside the lung, 0 outside, soft over about one hundredth of the film."""
    s = canvas.from_midline(side)
    field = rise(lung.flank(canvas.y) - s, 0.014) * rise(s - lung.mediastinal_edge(canvas.y), 0.014)
    return field * (rise(lung.diaphragm(s) - canvas.y, 0.012) * rise(canvas.y - lung.apex, 0.012))


def heart_field(canvas: Canvas, anatomy: Anatomy, enlargement: float = 1.0) -> Field:
    """1 inside the heart and the great vessels: two borders that bulge at the knob, the atrium and the ventricle.

    The heart lies to the patient's left and rests on the diaphragm; `enlargement` widens it.
    """
    y = canvas.y
    half_x, half_y = anatomy.heart[0] * enlargement, anatomy.heart[1] * (0.7 + 0.3 * enlargement)
    base = anatomy.lungs["left"].dome + 0.035
    depth = np.clip((y - base) / (1.9 * half_y) + 1, 0, 1)
    ventricle = (half_x + 0.012) * np.sqrt(depth * np.clip(np.sin(0.80 * np.pi * depth**1.25), 0, 1))
    atrium = 0.30 * half_x * enlargement * np.sqrt(np.clip(1 - ((y - base + 0.11) / 0.16) ** 2, 0, 1))
    left, right = 0.05 + ventricle + 0.036 * bump(y - 0.315, 0.06), 0.058 + atrium
    x = canvas.x - np.float32(0.5)
    return rise(left - x, 0.022) * rise(right + x, 0.022) * rise(base + 0.02 - y, 0.05)


def wall_brightness(canvas: Canvas, anatomy: Anatomy) -> Field:
    """Brightness of the trunk without lungs: soft tissue, abdomen, shoulders, spine, airway; dark outside the body."""
    x, y = canvas.x, canvas.y
    s = np.abs(x - 0.5)
    tissue = 0.56 + resample(anatomy.shading, canvas.extent) - 0.13 * rise(s - 0.42, 0.16)
    tissue = tissue + 0.14 * rise(y - 0.80, 0.16) + 0.11 * bump(s, 0.11) * rise(y - 0.05, 0.4)
    tissue = tissue + 0.07 * rise(ellipse_distance(canvas, (0.5 - 0.44, 0.20), (0.10, 0.13)), 0.7)
    tissue = tissue + 0.07 * rise(ellipse_distance(canvas, (0.5 + 0.44, 0.20), (0.10, 0.13)), 0.7)
    vertebrae = 0.5 + 0.5 * np.sin(y * np.float32(2 * np.pi / 0.058))
    tissue = tissue + (0.015 + 0.025 * vertebrae) * rise(0.036 - s, 0.02)
    tissue = tissue - 0.08 * rise(0.017 - np.abs(x - 0.497), 0.014) * rise(0.30 - y, 0.05)
    if anatomy.stomach is not None:
        tissue = tissue - 0.14 * rise(ellipse_distance(canvas, anatomy.stomach, (0.075, 0.045), 0.3), 0.6)
    shoulder = 0.16 * np.clip((s - 0.09) / 0.4, 0, 1.4) ** 1.3 - 0.14 * rise(0.14 - s, 0.10)
    inside = rise(y - shoulder, 0.07) * rise(0.49 - s + 0.10 * rise(0.45 - y, 0.3), 0.06)
    brightness: Field = np.float32(0.05) + tissue * inside
    return brightness


def breast_shadow(canvas: Canvas, anatomy: Anatomy) -> Field:
    """Soft tissue over the lower lungs, two overlapping discs."""
    discs = [rise(ellipse_distance(canvas, (0.5 + sign * 0.22, 0.66), (0.17, 0.15)), 0.5) for sign in (-1, 1)]
    return np.float32(anatomy.breast) * (discs[0] + discs[1])
