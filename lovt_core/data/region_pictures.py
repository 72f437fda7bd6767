"""Attention over regions, drawn on the image that it is about: one sheet for a sample.

A finding is the JSON object of the job `regions`: `grid`, `sentences`, `sentence_attention`, `pooling_attention`.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from lovt_core.data.heat_maps import Map, Scale, draw_bar, enlarge_to_image, lay_over, shrink, wrap
from lovt_core.data.overlays import draw_sheet, place_on_sheet
from lovt_core.data.prepared import Bytes

POOLING = "pooling"
_COLUMNS, _SIDE = 4, 256
_LEAST_TOP = 3.0
"""Even shares that the brightest colour stands for at least: attention that is spread evenly looks weak."""
_FOOT = 30
"""Pixels below the pictures: the bar of colours and what its ends mean."""
_PANELS = "lovt panels"
"""Name of the text in the PNG that says where on the sheet its pictures are."""


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


@dataclass(frozen=True)
class Panel:
    """One picture of a sheet."""

    caption: str
    pixels: Bytes
    """(H, W, 3)"""


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


def scale_maps(maps: tuple[RegionMap, ...]) -> Scale:
    """One for all maps of a sample: from nothing to their largest weight, but to three even shares at least."""
    return Scale(0.0, max(max(each.peak, _LEAST_TOP / each.grid.size) for each in maps))


def describe_scale(maps: tuple[RegionMap, ...]) -> str:
    """What the colours mean, in words."""
    scale = scale_maps(maps)
    return f"darkest 0, brightest {scale.high:.3f} ({scale.high * maps[0].grid.size:.1f} times an even share)"


def draw_map(image: Bytes, each: RegionMap, scale: Scale, shape: tuple[int, int]) -> Bytes:
    """(H, W) grey and a map -> `shape` with three channels."""
    return lay_over(shrink(image, shape), enlarge_to_image(each.grid, *shape), scale)


def draw_region_sheet(image: Bytes, maps: tuple[RegionMap, ...]) -> bytes:
    """PNG of the image as it is and of each map laid over it, with what it belongs to, and the scale of all below.

    `read_panels` finds its single pictures again.
    """
    height, width = image.shape
    factor = _SIDE / max(height, width)
    shape = max(1, round(height * factor)), max(1, round(width * factor))
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    captions = ["the image", *(f"{each.title}: {each.text}" for each in maps)]
    pixels = [shrink(image, shape), *(draw_map(image, each, scale_maps(maps), shape) for each in maps)]
    cells = [
        (Image.fromarray(picture).convert("RGB"), "\n".join(wrap(caption, shape[1], pen)))
        for picture, caption in zip(pixels, captions, strict=True)
    ]
    corners = place_on_sheet(cells, _COLUMNS)
    boxes = [(left, top, left + shape[1], top + shape[0]) for left, top in corners]
    said = PngInfo()
    panels = [{"caption": caption, "box": box} for caption, box in zip(captions, boxes, strict=True)]
    said.add_itxt(_PANELS, json.dumps({"scale": describe_scale(maps), "panels": panels}))
    content = io.BytesIO()
    _add_scale(draw_sheet(cells, _COLUMNS), maps).save(content, format="PNG", pnginfo=said)
    return content.getvalue()


def _add_scale(sheet: Image.Image, maps: tuple[RegionMap, ...]) -> Image.Image:
    bar = draw_bar(_SIDE // 2)
    pen = ImageDraw.Draw(sheet)
    lines = wrap(describe_scale(maps), sheet.width - 8, pen)
    whole = Image.new("RGB", (sheet.width, sheet.height + _FOOT + 14 * (len(lines) - 1)), (24, 24, 24))
    whole.paste(sheet, (0, 0))
    whole.paste(Image.fromarray(bar), (4, sheet.height + 2))
    pen = ImageDraw.Draw(whole)
    for number, line in enumerate(lines):
        pen.text((4, sheet.height + len(bar) + 4 + 14 * number), line, fill=(220, 220, 220))
    return whole


def read_panels(path: Path) -> tuple[Panel, ...]:
    """The pictures of a sheet one by one, each with its caption and the scale; empty for any other picture.

    Raises OSError where it cannot be read.
    """
    with Image.open(path) as sheet:
        said = sheet.info.get(_PANELS)
        if said is None:
            return ()
        found = json.loads(said)
        picture = sheet.convert("RGB")
    first, *others = found["panels"]
    captions = [first["caption"], *(f"{each['caption']}  ({found['scale']})" for each in others)]
    return tuple(
        Panel(caption, np.asarray(picture.crop(tuple(each["box"]))))
        for caption, each in zip(captions, found["panels"], strict=True)
    )
