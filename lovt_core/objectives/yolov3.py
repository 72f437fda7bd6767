"""Loss of YOLOv3 heads (PROTOCOL A.3; vectors section 8).

Shapes: B batch, A anchors of a scale, C classes, n boxes, h x w feature grid.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ANCHOR_SIDE: Final = 224
"""Pixels a side of the images that the anchors are meant for."""

_BOX_WEIGHT: Final = 2.5
_BACKGROUND_WEIGHT: Final = 0.5
_OVERLAP: Final = 0.5
"""Anchors of a larger shape IoU with some box are not taught that nothing is there."""
_EPS: Final = 1e-16


@dataclass(frozen=True)
class YoloLosses:
    """Scalars, each summed over the scales; the terms are unweighted."""

    total: Tensor
    """2.5 (x + y + width + height) + confidence + classes."""
    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    confidence: Tensor
    classes: Tensor
    """0 with one class."""


@dataclass(frozen=True)
class TrueBoxes:
    """The boxes of a batch, one after the other."""

    boxes: Tensor
    """(n, 4) float32 left, top, width, height in pixels; width and height are above zero."""
    classes: Tensor
    """(n,) int64."""
    images: Tensor
    """(n,) int64: position of each box's image in the batch."""
    num_images: int


@dataclass(frozen=True)
class Scale:
    """One of a head's maps."""

    stride: int
    anchors: tuple[tuple[float, float], ...]
    """(width, height) in pixels of the image at hand."""
    height: int
    """h."""
    width: int
    """w."""


@dataclass(frozen=True)
class YoloTargets:
    """What one map should say."""

    objects: Tensor
    """M (B, A, h, w) bool: responsible for a box."""
    background: Tensor
    """NO (B, A, h, w) bool: taught that nothing is there; may overlap with `objects`."""
    geometry: Tensor
    """(B, A, h, w, 4): t_x, t_y as offsets in the cell, t_w, t_h as logarithms; 0 where `objects` is not set."""
    classes: Tensor
    """(B, A, h, w, C) bool."""


class YoloLoss(nn.Module):
    """Each box is assigned, on every scale, to the cell of its centre and the anchor of the most similar shape."""

    def __init__(self, num_classes: int, anchors: Mapping[int, Sequence[tuple[float, float]]]) -> None:
        """`anchors`: stride -> (width, height) in pixels at 224; maps are given in the order of these strides."""
        super().__init__()
        self.num_classes = num_classes
        self.anchors = {stride: tuple(shapes) for stride, shapes in anchors.items()}

    def forward(self, maps: Sequence[Tensor], boxes: Sequence[Tensor], classes: Sequence[Tensor]) -> YoloLosses:
        """Raw maps (B, A * (5 + C), h, w), and for each image boxes (n, 4) and classes (n,) -> losses, in float32.

        Boxes are left, top, width, height in pixels of a square image of side h * stride, to which the anchors are
        scaled. Boxes whose width or height is not above zero are left out. The inputs stay as they are. Where a map
        holds a value that is not finite the losses are NaN.
        """
        truth = gather_boxes(boxes, classes, maps[0].device)
        with torch.autocast(maps[0].device.type, enabled=False):
            scales = [
                _compute_terms(raw.float(), build_targets(truth, self._scale(raw, stride), self.num_classes))
                for raw, stride in zip(maps, self.anchors, strict=True)
            ]
            x, y, width, height, confidence, classification = torch.stack(scales).sum(dim=0).unbind()
            total = _BOX_WEIGHT * (x + y + width + height) + confidence + classification
        return YoloLosses(total, x, y, width, height, confidence, classification)

    def _scale(self, raw: Tensor, stride: int) -> Scale:
        height, width = raw.shape[-2:]
        scale = height * stride / ANCHOR_SIDE
        return Scale(stride, tuple((w * scale, h * scale) for w, h in self.anchors[stride]), height, width)


def gather_boxes(boxes: Sequence[Tensor], classes: Sequence[Tensor], device: torch.device) -> TrueBoxes:
    """Boxes (n, 4) and classes (n,) of each image -> those of the batch that have an area, in the same order."""
    counts = torch.tensor([len(each) for each in boxes])
    images = torch.arange(len(boxes)).repeat_interleave(counts).to(device)
    together, labels = torch.cat(tuple(boxes)).to(device).float(), torch.cat(tuple(classes)).to(device).long()
    has_area = (together[:, 2:] > 0).all(dim=1)
    return TrueBoxes(together[has_area], labels[has_area], images[has_area], len(boxes))


def build_targets(truth: TrueBoxes, scale: Scale, num_classes: int) -> YoloTargets:
    """What the map of that scale should say.

    Of several boxes in one cell with the same anchor the last one gives the geometry, and the classes of all are set. A
    centre on the image's far border, or outside, belongs to the nearest cell. With one class a box's class is not read.
    """
    device, assigned = truth.boxes.device, _assign(truth, scale)
    shape = (truth.num_images, len(scale.anchors), scale.height, scale.width)
    own = assigned.cells.gather(1, assigned.best[:, None]).squeeze(1)
    # Which of two writes to a cell comes last is undefined on a GPU; the largest number is not. 0 stands for no box.
    numbers = torch.arange(1, len(own) + 1, device=device)
    winners = torch.zeros(math.prod(shape), dtype=torch.int64, device=device).scatter_reduce(0, own, numbers, "amax")
    background = torch.ones(math.prod(shape), dtype=torch.bool, device=device)
    background[assigned.cells[assigned.overlaps > _OVERLAP]] = False
    classes = torch.zeros(math.prod(shape), num_classes, dtype=torch.bool, device=device)
    classes[own, truth.classes if num_classes > 1 else torch.zeros_like(own)] = True
    return YoloTargets(
        objects=(winners > 0).reshape(shape),
        background=background.reshape(shape),
        geometry=F.pad(assigned.geometry, (0, 0, 1, 0))[winners].reshape(*shape, 4),
        classes=classes.reshape(*shape, num_classes),
    )


@dataclass(frozen=True)
class _Assignment:
    cells: Tensor
    """(n, A): where the box's centre lies on each anchor's grid, counted through (B, A, h, w)."""
    overlaps: Tensor
    """(n, A) shape IoU."""
    best: Tensor
    """(n,) anchor of the largest."""
    geometry: Tensor
    """(n, 4) t_x, t_y, t_w, t_h for that anchor."""


def _assign(truth: TrueBoxes, scale: Scale) -> _Assignment:
    device, num_anchors = truth.boxes.device, len(scale.anchors)
    boxes = truth.boxes / scale.stride
    anchors = torch.tensor(scale.anchors, device=device) / scale.stride
    sizes = boxes[:, 2:]
    centres = boxes[:, :2] + sizes / 2
    last = torch.tensor((scale.width - 1, scale.height - 1), device=device)
    corners = centres.floor().clamp(min=0).minimum(last)
    overlaps = _compute_shape_iou(sizes, anchors)
    best = overlaps.argmax(dim=1)
    column, row = corners.long()[..., None].unbind(dim=1)
    planes = truth.images[:, None] * num_anchors + torch.arange(num_anchors, device=device)
    cells = (planes * scale.height + row) * scale.width + column
    return _Assignment(
        cells, overlaps, best, torch.cat((centres - corners, torch.log(sizes / anchors[best] + _EPS)), dim=1)
    )


def _compute_shape_iou(sizes: Tensor, anchors: Tensor) -> Tensor:
    """(n, 2) and (A, 2) widths and heights in cells -> (n, A): IoU with a common corner, lengths counted plus one."""
    shared = (torch.minimum(sizes[:, None], anchors) + 1).prod(dim=-1)
    areas = (sizes + 1).prod(dim=-1)[:, None] + (anchors + 1).prod(dim=-1)
    return shared / (areas - shared + _EPS)


def _compute_terms(raw: Tensor, targets: YoloTargets) -> Tensor:
    """Raw map -> (6,): x, y, width, height, confidence, classes; means over all cells, also those without a box.

    Probabilities are formed first and their logarithms are cut off at -100, as the published loss does it: for large
    logits a loss on logits has other values and gradients.
    """
    batch, num_anchors, height, width = targets.objects.shape
    fields = raw.reshape(batch, num_anchors, -1, height, width).movedim(2, -1)
    objects, background = targets.objects.float(), targets.background.float()
    # On a GPU a NaN in the cross-entropy ends the process; the last line brings it back.
    probabilities = torch.sigmoid(fields).nan_to_num()
    x, y = (F.binary_cross_entropy(probabilities[..., i] * objects, targets.geometry[..., i]) for i in (0, 1))
    w, h = (F.mse_loss(fields[..., i] * objects, targets.geometry[..., i]) for i in (2, 3))
    objectness = probabilities[..., 4]
    confidence = F.binary_cross_entropy(objectness * objects, objects)
    empty = F.binary_cross_entropy(objectness * background, torch.zeros_like(objectness))
    classes = torch.zeros_like(x)
    if targets.classes.shape[-1] > 1:
        classes = F.binary_cross_entropy(probabilities[..., 5:] * objects[..., None], targets.classes.float())
    terms = torch.stack((x, y, w, h, confidence + _BACKGROUND_WEIGHT * empty, classes))
    return terms + (raw.detach() * 0).sum()
