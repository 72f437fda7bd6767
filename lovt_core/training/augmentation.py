"""Random views of images for training and plain ones for validation (PROTOCOL B.2, reference `19_augmentation.json`).

B images of any sizes, S pixels a side of a view. The views equal those of the published implementation given the same
draws, up to a grey level: as there, each step leaves whole grey levels 0 to 255 and the affine step takes the nearest
pixel. A view depends on its own image and seed alone, to the bit on a CPU.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.data.prepared import Bytes
from lovt_core.data.transforms import EvaluationFrame
from lovt_core.training.blur import blur, compute_blur_kernel
from lovt_core.training.view_parameters import ViewParameters, draw_view


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
    views = [
        draw_view(image.shape, config, image_size, np.random.default_rng(seed))
        for image, seed in zip(images, seeds, strict=True)
    ]
    return render_views(images, views, image_size, device)


def plain_views(images: Sequence[Bytes], image_size: int, device: torch.device) -> Tensor:
    """(B, 1, S, S) float32 in [0, 1]: each grey image padded to a square and resized, as in evaluation."""
    framed = []
    for image in images:
        height, width = image.shape
        framed.append(EvaluationFrame(height, width, image_size).apply_to_image(image))
    return torch.from_numpy(np.stack(framed)[:, None]).to(device).float().div_(255)


def render_views(
    images: Sequence[Bytes], views: Sequence[ViewParameters], image_size: int, device: torch.device
) -> Tensor:
    """(B, 1, S, S) float32 in [0, 1]: the given view of each grey (height, width) image."""
    levels = _resize_crops(images, views, image_size, device)
    grid = _build_grid(_upload([_compute_placement(view, image_size) for view in views], device), image_size)
    levels = F.grid_sample(levels, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    for blend in _upload([_order_blends(view) for view in views], device).unbind(1):
        levels = _blend(levels, blend)
    if any(view.blur_sigma is not None for view in views):
        kernels = [compute_blur_kernel(view.blur_sigma or 0.0) for view in views]
        levels = blur(levels, _upload(kernels, device)).round_()
    return levels.div_(255)


def _resize_crops(
    images: Sequence[Bytes], views: Sequence[ViewParameters], image_size: int, device: torch.device
) -> Tensor:
    """(B, 1, S, S) whole grey levels: the crops, bilinear with antialiasing.

    All crops go to the device in one piece, as bytes. They are resized one by one: that costs a third of a millisecond
    each, and a grid over the padded batch could not antialias.
    """
    crops = [_cut(image, view) for image, view in zip(images, views, strict=True)]
    pixels = torch.from_numpy(np.concatenate([crop.ravel() for crop in crops])).to(device)
    sources = torch.split(pixels, [crop.size for crop in crops])
    resized = [
        F.interpolate(source.view(1, 1, *crop.shape).float(), (image_size, image_size), mode="bilinear", antialias=True)
        for source, crop in zip(sources, crops, strict=True)
    ]
    return torch.cat(resized).round_()


def _cut(image: Bytes, view: ViewParameters) -> Bytes:
    crop = view.crop
    return image[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]


def _compute_placement(view: ViewParameters, image_size: int) -> npt.NDArray[np.float64]:
    """(2, 3) matrix from (column, row, 1) of a view's pixel to x, y in the resized crop, both -1 to 1 edge to edge."""
    turn, half = math.radians(view.angle), image_size / 2
    inverse = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) / view.scale
    from_centre = 0.5 - half - np.array(view.shift)
    placement = np.column_stack([inverse, inverse @ from_centre]) / half
    if view.flip:
        placement[0] *= -1
    return placement


def _build_grid(placements: Tensor, image_size: int) -> Tensor:
    """(B, S, S, 2) place in the resized crop of each pixel of the views, from (B, 2, 3) placements."""
    steps = torch.arange(image_size, dtype=torch.float32, device=placements.device)
    by_column = placements[:, :, 0, None] * steps + placements[:, :, 2, None]
    by_row = placements[:, :, 1, None] * steps
    planes = by_column[:, :, None, :] + by_row[:, :, :, None]
    return planes.permute(0, 2, 3, 1)


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
    return torch.from_numpy(np.array(rows, dtype=np.float32)).to(device)
