"""Attention over regions, drawn on the image that it is about: one sheet for a sample.

A finding is the JSON object of the job `regions`: `grid`, `sentences`, `sentence_attention`, `pooling_attention`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from lovt_core.data.heat_maps import Map, Scale, cut, enlarge_to_image, lay_over, shrink
from lovt_core.data.overlays import draw_sheet
from lovt_core.data.prepared import Bytes

POOLING = "pooling"
_COLUMNS, _SIDE = 4, 256


@dataclass(frozen=True)
class RegionMap:
    """One distribution over regions."""

    title: str
    """`pooling`, or the number of the sentence, counted from 1."""
    text: str
    """The sentence; of the pooling, what it is."""
    grid: Map
    """(h, w) weights that sum to 1."""

    @property
    def peak(self) -> float:
        """Largest weight."""
        return float(self.grid.max())

    @property
    def scale(self) -> Scale:
        """From nothing to the largest weight."""
        return Scale(0.0, self.peak)


def list_maps(finding: Mapping[str, Any]) -> tuple[RegionMap, ...]:
    """The pooling's attention, where it has one, then that of each sentence, where any was trained."""
    rows, columns = finding["grid"]
    maps = []
    if (pooling := finding["pooling_attention"]) is not None:
        maps.append(RegionMap(POOLING, "attention of the image pool", np.array(pooling).reshape(rows, columns)))
    for number, weights in enumerate(finding["sentence_attention"] or ()):
        grid = np.array(weights).reshape(rows, columns)
        maps.append(RegionMap(str(number + 1), finding["sentences"][number], grid))
    return tuple(maps)


def draw_map(image: Bytes, each: RegionMap, shape: tuple[int, int]) -> Bytes:
    """(H, W) grey and a map -> `shape` with three channels."""
    return lay_over(shrink(image, shape), enlarge_to_image(each.grid, *shape), each.scale)


def draw_region_sheet(image: Bytes, maps: tuple[RegionMap, ...]) -> Image.Image:
    """The image as it is, then each map laid over it, with what it belongs to."""
    height, width = image.shape
    scale = _SIDE / max(height, width)
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    cells = [(Image.fromarray(shrink(image, shape)).convert("RGB"), "the image")]
    for each in maps:
        caption = f"{each.title}: {each.text}"
        cells.append((Image.fromarray(draw_map(image, each, shape)), cut(caption, shape[1], pen)))
    return draw_sheet(cells, _COLUMNS)
