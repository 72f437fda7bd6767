"""How well a heat map finds what is marked on an image.

Pointing game: Zhang et al. 2018, *Top-down neural attention by excitation backprop*, here without their tolerance of
15 pixels. Contrast-to-noise ratio: Boecking et al. 2022, *Making the most of text semantics to improve biomedical
vision-language processing* (MS-CXR, BioViL).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lovt_core.data.heat_maps import Map, find_peak

Marked = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GroundingScore:
    """Of one heat map."""

    hit: bool
    """Whether its largest value lies inside (`find_peak`); a map of equal values points nowhere."""
    contrast: float
    """Mean inside less mean outside over sqrt(variance inside + variance outside), with its sign; nan where neither
    varies."""
    area: float
    """Share of the image that is inside: how often a random point would hit."""


@dataclass(frozen=True)
class GroundingSummary:
    """Of many heat maps."""

    maps: int
    pointing_game: float
    """Share of hits."""
    chance: float
    """Share that random points would hit."""
    cnr: float
    """Mean of |contrast|, as published."""
    signed_cnr: float
    """Mean of the contrasts: negative where maps are brighter outside."""


def score_map(heat: Map, inside: Marked) -> GroundingScore:
    """Score of a (H, W) heat map against the marked pixels; some must be inside and some outside."""
    within, without = heat[inside], heat[~inside]
    noise = math.sqrt(float(within.var()) + float(without.var()))
    difference = float(within.mean()) - float(without.mean())
    contrast = difference / noise if noise > 0 else math.nan
    points = bool(heat.min() < heat.max())
    return GroundingScore(points and bool(inside[find_peak(heat)]), contrast, float(inside.mean()))


def fill_boxes(boxes: npt.NDArray[np.float32], shape: tuple[int, int]) -> Marked:
    """(H, W) pixels whose centre lies in one of the (n, 4) boxes of left, top, width, height."""
    rows, columns = (np.arange(length) + 0.5 for length in shape)
    inside = np.zeros(shape, dtype=bool)
    for left, top, width, height in boxes.tolist():
        inside |= ((rows >= top) & (rows < top + height))[:, None] & ((columns >= left) & (columns < left + width))
    return inside


def summarise(scores: Sequence[GroundingScore]) -> GroundingSummary:
    """Means over at least one score; contrasts that are not numbers are left out."""
    contrasts = np.array([score.contrast for score in scores if not math.isnan(score.contrast)])
    return GroundingSummary(
        maps=len(scores),
        pointing_game=float(np.mean([score.hit for score in scores])),
        chance=float(np.mean([score.area for score in scores])),
        cnr=float(np.abs(contrasts).mean()) if len(contrasts) else math.nan,
        signed_cnr=float(contrasts.mean()) if len(contrasts) else math.nan,
    )
