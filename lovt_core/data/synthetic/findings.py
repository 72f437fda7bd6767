"""Which findings a film shows and where: the plan that the picture, the masks and the report all follow.

Zones are thirds of each lung; no two findings share one. Sizes are fractions of the film's side.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lovt_core.data.synthetic.anatomy import SIDES, ZONES, Anatomy
from lovt_core.data.synthetic.geometry import Side, Zone

FindingKind = Literal[
    "nodule",
    "mass",
    "pneumonia",
    "infiltrate",
    "atelectasis",
    "effusion",
    "pneumothorax",
    "cardiomegaly",
    "foreign object",
]


@dataclass(frozen=True)
class Looks:
    """How often a kind occurs and how large it is drawn."""

    kind: FindingKind
    frequency: float
    size: tuple[float, float]
    """Radius, half length, height or rim width; for the heart the factor of enlargement."""
    zones: tuple[Zone, ...]
    """Where it may lie; empty for the heart, which has no zone."""
    in_lung: bool = True
    """Whether it is a finding of the lung fields, and so part of the lesion mask."""


LOOKS: tuple[Looks, ...] = (
    Looks("nodule", 0.11, (0.024, 0.042), ZONES),
    Looks("mass", 0.13, (0.060, 0.095), ZONES),
    Looks("pneumonia", 0.17, (0.075, 0.130), ZONES),
    Looks("infiltrate", 0.12, (0.080, 0.140), ZONES),
    Looks("atelectasis", 0.09, (0.070, 0.120), ("middle", "lower")),
    Looks("effusion", 0.15, (0.080, 0.240), ("lower",)),
    Looks("pneumothorax", 0.10, (0.035, 0.075), ("upper",)),
    Looks("cardiomegaly", 0.07, (1.300, 1.600), (), in_lung=False),
    Looks("foreign object", 0.06, (0.025, 0.045), ZONES, in_lung=False),
)
_NUM_FINDINGS = (0.15, 0.30, 0.32, 0.23)
"""Probabilities of 0, 1, 2 and 3 findings."""


@dataclass(frozen=True)
class Finding:
    """One planned finding."""

    kind: FindingKind
    side: Side | None
    """The patient's side; None for the heart."""
    zone: Zone | None
    centre: tuple[float, float]
    """Body point."""
    size: float
    severity: float
    """Where `size` lies in the range of its kind, 0 to 1."""
    strength: float
    """Factor on its brightness."""

    @property
    def in_lung(self) -> bool:
        """Whether its outline belongs to the lesion mask."""
        return find_looks(self.kind).in_lung


def find_looks(kind: FindingKind) -> Looks:
    """The entry of that kind."""
    return next(looks for looks in LOOKS if looks.kind == kind)


def plan_findings(anatomy: Anatomy, rng: np.random.Generator) -> tuple[Finding, ...]:
    """Draw 0 to 3 findings in distinct zones, the heart's at most once."""
    frequencies = np.array([looks.frequency for looks in LOOKS])
    planned: list[Finding] = []
    for _ in range(rng.choice(len(_NUM_FINDINGS), p=_NUM_FINDINGS)):
        looks = LOOKS[rng.choice(len(LOOKS), p=frequencies / frequencies.sum())]
        taken = {(finding.side, finding.zone) for finding in planned}
        places = [(side, zone) for side in SIDES for zone in looks.zones if (side, zone) not in taken]
        if places:
            planned.append(_place(anatomy, looks, places[rng.integers(len(places))], rng))
        elif not looks.zones and (None, None) not in taken:
            planned.append(_place(anatomy, looks, (None, None), rng))
    return tuple(planned)


def _place(
    anatomy: Anatomy, looks: Looks, place: tuple[Side, Zone] | tuple[None, None], rng: np.random.Generator
) -> Finding:
    side, zone = place
    severity, strength = float(rng.random()), float(rng.uniform(0.75, 1.25))
    size = looks.size[0] + severity * (looks.size[1] - looks.size[0])
    centre = (0.5, 0.5) if side is None or zone is None else _draw_centre(anatomy, (side, zone), min(size, 0.06), rng)
    return Finding(looks.kind, side, zone, centre, size, severity, strength)


def _draw_centre(
    anatomy: Anatomy, place: tuple[Side, Zone], clearance: float, rng: np.random.Generator
) -> tuple[float, float]:
    """A body point inside the zone, about `clearance` away from the borders of the lung."""
    side, zone = place
    lung = anatomy.lungs[side]
    start, end = lung.zone_range(zone)
    y = np.array([rng.uniform(start + 0.25 * clearance, end - 0.25 * clearance)], dtype=np.float32)
    nearest, farthest = float(lung.mediastinal_edge(y)[0]) + clearance, float(lung.flank(y)[0]) - 0.8 * clearance
    s = rng.uniform(nearest, farthest) if farthest > nearest else (nearest + farthest) / 2
    lowest = float(lung.diaphragm(np.array([s], dtype=np.float32))[0]) - 0.6 * clearance
    return 0.5 + (s if side == "left" else -s), min(float(y[0]), lowest)
