"""Random views of images for training and plain ones for validation (PROTOCOL B.2, reference `19_augmentation.json`).

B images of any sizes, S pixels a side of a view. Resized crop, flip, rotation, shift and zoom are one resampling of the
batch: a pixel of a view has the level that the published resize (bilinear with antialiasing) would have at its exact
place, where the published affine step takes the nearest pixel. Then, as there, brightness, contrast and blur leave
whole grey levels 0 to 255. A view depends on its own image and seed alone, to the bit on a CPU.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.data.images.transforms import EvaluationFrame
from lovt_core.data.prepared import Bytes
from lovt_core.training.blur import blur, compute_blur_kernel
from lovt_core.training.upload import upload
from lovt_core.training.view_parameters import ViewParameters, draw_view

_MARGIN = 2
"""Pixels on each side that repeat a crop's edge: one for smoothing, one for interpolation."""
_WEIGHT_STEPS = 64
"""Smoothing weights are multiples of 1/64, so that smoothed whole levels are exact in single precision."""
_AT_ONCE_ON_CPU = 4
"""Images whose levels stay in a processor's cache; other devices take the whole batch."""


def random_views(
    images: Sequence[Bytes],
    config: ImageAugmentationConfig,
    image_size: int,
    seeds: Sequence[Sequence[int]],
    device: torch.device,
) -> Tensor:
    """(B, 1, S, S) float32 in [0, 1]: a view of each grey (height, width) image, drawn from its own seed.

    Plain views where augmentation is not enabled.
    """
    if not config.enabled:
        return plain_views(images, image_size, device)
    return render_views(images, draw_views(images, config, image_size, seeds), image_size, device)


def draw_views(
    images: Sequence[Bytes], config: ImageAugmentationConfig, image_size: int, seeds: Sequence[Sequence[int]]
) -> list[ViewParameters]:
    """A view of `image_size` pixels a side for each grey (height, width) image, drawn from its own seed."""
    return [
        draw_view(image.shape, config, image_size, np.random.default_rng(seed))
        for image, seed in zip(images, seeds, strict=True)
    ]


def plain_views(images: Sequence[Bytes], image_size: int, device: torch.device) -> Tensor:
    """(B, 1, S, S) float32 in [0, 1]: each grey image padded to a square and resized, as in evaluation."""
    framed = []
    for image in images:
        height, width = image.shape
        framed.append(EvaluationFrame(height, width, image_size).apply_to_image(image))
    return upload(torch.from_numpy(np.stack(framed)[:, None]), device).float().div_(255)


@dataclass(frozen=True)
class _Source:
    """What a view is sampled from: its crop, less than twice as large as the view."""

    pixels: Bytes
    size: tuple[float, float]
    """Width and height of the crop in these pixels; not whole where the last ones cover less than the others."""
    smoothing: tuple[float, float]
    """Weight of either neighbour, across and down."""


def render_views(
    images: Sequence[Bytes], views: Sequence[ViewParameters], image_size: int, device: torch.device
) -> Tensor:
    """(B, 1, S, S) float32 in [0, 1]: the given view of each grey (height, width) image."""
    levels = _resample(images, views, image_size, device)
    for blend in _upload([_order_blends(view) for view in views], device).unbind(1):
        levels = _blend(levels, blend)
    if any(view.blur_sigma is not None for view in views):
        kernels = [compute_blur_kernel(view.blur_sigma or 0.0) for view in views]
        levels = blur(levels, _upload(kernels, device)).round_()
    return levels.div_(255)


def _resample(
    images: Sequence[Bytes], views: Sequence[ViewParameters], image_size: int, device: torch.device
) -> Tensor:
    """(B, 1, S, S) whole grey levels: the crops in their places, black around them.

    All crops go to the device in one piece, as bytes.
    """
    sources = [_find_source(image, view, image_size) for image, view in zip(images, views, strict=True)]
    tables = (
        upload(torch.from_numpy(_pack([source.pixels for source in sources])), device),
        _upload([source.smoothing for source in sources], device),
        _upload([source.size for source in sources], device),
        _upload([_compute_placement(view, image_size) for view in views], device),
    )
    at_once = _AT_ONCE_ON_CPU if device.type == "cpu" else len(images)
    parts = []
    for pixels, smoothing, sizes, placements in zip(*(torch.split(table, at_once) for table in tables), strict=True):
        places = _compute_places(placements, image_size)
        coverage = _compute_coverage(places, placements)
        parts.append(_sample(_smooth(pixels.float(), smoothing), sizes, places).mul_(coverage).round_())
    return torch.cat(parts)


def _find_source(image: Bytes, view: ViewParameters, image_size: int) -> _Source:
    crop = view.crop
    pixels = image[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]
    across, down = max(1, crop.width // image_size), max(1, crop.height // image_size)
    if (across, down) != (1, 1):
        pixels = np.asarray(Image.fromarray(pixels).reduce((across, down)))
    width, height = crop.width / across, crop.height / down
    smoothing = _compute_smoothing(width / image_size, across), _compute_smoothing(height / image_size, down)
    return _Source(pixels, (width, height), smoothing)


def _compute_smoothing(ratio: float, factor: int) -> float:
    """Weight of either neighbour where a pixel of the view is `ratio` pixels, each the mean of `factor` original ones.

    An antialiasing resize weighs pixels by a triangle of variance ratio^2 / 6. Of that, interpolation brings 1/6 and
    the means (1 - 1/factor^2) / 12; smoothing adds the rest.
    """
    missing = (ratio**2 - 1) / 6 - (1 - 1 / factor**2) / 12
    return round(max(0.0, missing / 2) * _WEIGHT_STEPS) / _WEIGHT_STEPS


def _pack(crops: Sequence[Bytes]) -> Bytes:
    """(B, 1, H, W): each crop at the top left, its edge repeated around it, black beyond."""
    height = max(crop.shape[0] for crop in crops) + 2 * _MARGIN
    width = max(crop.shape[1] for crop in crops) + 2 * _MARGIN
    packed = np.zeros((len(crops), 1, height, width), dtype=np.uint8)
    for crop, canvas in zip(crops, packed[:, 0], strict=True):
        bottom, right = crop.shape[0] + _MARGIN, crop.shape[1] + _MARGIN
        canvas[_MARGIN:bottom, _MARGIN:right] = crop
        rows = canvas[_MARGIN:bottom, : right + _MARGIN]
        rows[:, :_MARGIN] = crop[:, :1]
        rows[:, right:] = crop[:, -1:]
        canvas[:_MARGIN, : right + _MARGIN] = rows[0]
        canvas[bottom : bottom + _MARGIN, : right + _MARGIN] = rows[-1]
    return packed


def _smooth(levels: Tensor, weights: Tensor) -> Tensor:
    """(B, 1, H, W) whole levels to (B, 1, H - 2, W - 2); (B, 2) weights of the neighbours across and down."""
    for axis, neighbours in ((2, weights[:, 1]), (3, weights[:, 0])):
        weight = neighbours[:, None, None, None]
        before, middle, after = (levels.narrow(axis, first, levels.shape[axis] - 2) for first in range(3))
        levels = (before + after).mul_(weight).addcmul_(middle, 1 - 2 * weight)
    return levels


def _sample(levels: Tensor, sizes: Tensor, places: Tensor) -> Tensor:
    """(B, 1, S, S) levels at (B, 2, S, S) places in crops of (B, 2) sizes; outside a crop its edge goes on.

    `levels` holds the crops from row and column 1 on; `places` is overwritten.
    """
    # one size of canvas for all batches: positions in it are rounded the same way whatever else is in the batch
    side = 2 * places.shape[-1] + 2
    canvas = F.pad(levels, (0, side - levels.shape[3], 0, side - levels.shape[2]))
    half = sizes[:, :, None, None] / side
    grid = places.clamp_(-1, 1).mul_(half).add_(half + (2 / side - 1)).permute(0, 2, 3, 1)
    return F.grid_sample(canvas, grid, mode="bilinear", align_corners=False)


def _compute_placement(view: ViewParameters, image_size: int) -> npt.NDArray[np.float64]:
    """(2, 3) matrix from (column, row, 1) of a view's pixel to x, y in the crop, both -1 to 1 edge to edge."""
    turn, half = math.radians(view.angle), image_size / 2
    inverse = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) / view.scale
    from_centre = 0.5 - half - np.array(view.shift)
    placement = np.column_stack([inverse, inverse @ from_centre]) / half
    if view.flip:
        placement[0] *= -1
    return placement


def _compute_places(placements: Tensor, image_size: int) -> Tensor:
    """(B, 2, S, S) place x, y in the crop of each pixel of the views, from (B, 2, 3) placements."""
    steps = torch.arange(image_size, dtype=torch.float32, device=placements.device)
    by_column = placements[:, :, 0, None] * steps + placements[:, :, 2, None]
    by_row = placements[:, :, 1, None] * steps
    return by_column[:, :, None, :] + by_row[:, :, :, None]


def _compute_coverage(places: Tensor, placements: Tensor) -> Tensor:
    """(B, 1, S, S) part of each pixel of the views that lies in the crop."""
    pixels = placements[:, 0, :2].norm(dim=1)[:, None, None, None]
    return places.abs().amax(1, keepdim=True).neg_().add_(1).div_(pixels).add_(0.5).clamp_(0, 1)


def _order_blends(view: ViewParameters) -> list[tuple[float, float]]:
    """Two factors, and for each whether it moves the levels away from their mean (1) or from black (0)."""
    brightness, contrast = (view.brightness, 0.0), (view.contrast, 1.0)
    return [contrast, brightness] if view.contrast_first else [brightness, contrast]


def _blend(levels: Tensor, blend: Tensor) -> Tensor:
    """Apply (B, 2) factors in place as Pillow does: the mean rounded, the result cut to whole levels."""
    factor, from_mean = blend[:, :, None, None, None].unbind(1)
    # whole levels add up without rounding, rows in single precision: the mean does not depend on the order of summation
    rows = levels.sum(3, keepdim=True)
    mean = rows.sum((1, 2), keepdim=True, dtype=torch.float64).div_(levels[0].numel()).add_(0.5).floor_().float()
    origin = mean * from_mean
    return levels.sub_(origin).mul_(factor).add_(origin).clamp_(0, 255).floor_()


def _upload(rows: Sequence[npt.ArrayLike], device: torch.device) -> Tensor:
    return upload(torch.from_numpy(np.array(rows, dtype=np.float32)), device)
