"""From YOLOv3's predictions to the boxes that are reported: threshold and non-maximum suppression (vectors section 8).

Shapes: B batch, P predictions, C classes, n boxes.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

_BLOCK: Final = 128
"""Candidates that are compared with all others at once: bounds the memory, changes no result."""


@dataclass(frozen=True)
class Detections:
    """What is found in one image, ordered by class, then by falling confidence; on the CPU."""

    boxes: Tensor
    """(n, 4) float32 left, top, width, height in pixels; not clipped to the image."""
    confidence: Tensor
    """(n,) objectness."""
    class_confidence: Tensor
    """(n,) score of the class; 1 where there is only one."""
    classes: Tensor
    """(n,) int64."""


def suppress(decoded: Tensor, confidence: float = 0.2, overlap: float = 0.4) -> list[Detections]:
    """Decoded predictions (B, P, 5 + C), as `decode` gives them -> the boxes of each image.

    Those of objectness >= `confidence` are candidates for their likeliest class. Within a class the most confident
    is taken and all others with an IoU ("+1") >= `overlap` are dropped, again and again. Of equally confident ones the
    earlier counts as more confident. Images without candidates have empty tensors.

    Everything after the threshold runs on the CPU: each choice depends on the one before.
    """
    decoded = decoded.detach().float()
    image, place = torch.nonzero(decoded[..., 4] >= confidence, as_tuple=True)
    candidates, image = decoded[image, place].cpu(), image.cpu()
    found = _describe(candidates)
    num_classes = max(decoded.shape[2] - 5, 1)
    group = image * num_classes + found.classes
    order = torch.argsort(found.confidence, descending=True, stable=True)
    order = order[torch.argsort(group[order], stable=True)]
    corners = _to_corners(found.boxes)
    sizes: list[int] = torch.bincount(group).tolist()
    kept = [each[_select(corners[each], overlap)] for each in torch.split(order, sizes) if len(each)] if sizes else []
    chosen = torch.cat(kept) if kept else order
    counts: list[int] = torch.bincount(image[chosen], minlength=len(decoded)).tolist()
    return [_take(found, each) for each in torch.split(chosen, counts)]


def compute_iou(box1: Tensor, box2: Tensor) -> Tensor:
    """IoU of boxes (..., 4) left, top, right, bottom, whose last pixels count: lengths are right - left + 1.

    Leading dimensions are broadcast.
    """
    left1, top1, right1, bottom1 = box1.unbind(-1)
    left2, top2, right2, bottom2 = box2.unbind(-1)
    width = (torch.minimum(right1, right2) - torch.maximum(left1, left2)).add_(1).clamp_(min=0)
    height = (torch.minimum(bottom1, bottom2) - torch.maximum(top1, top2)).add_(1).clamp_(min=0)
    shared = width.mul_(height)
    area1 = (right1 - left1 + 1) * (bottom1 - top1 + 1)
    area2 = (right2 - left2 + 1) * (bottom2 - top2 + 1)
    return shared / (area1 + area2).sub_(shared)


def _describe(candidates: Tensor) -> Detections:
    """Rows (n, 5 + C) as they stand, in their order."""
    centres, sizes, scores = candidates[:, :2], candidates[:, 2:4], candidates[:, 5:]
    if scores.shape[1] > 1:
        class_confidence, classes = scores.max(dim=1)
    else:
        class_confidence = torch.ones(len(candidates))
        classes = torch.zeros(len(candidates), dtype=torch.int64)
    return Detections(torch.cat((centres - sizes / 2, sizes), dim=1), candidates[:, 4], class_confidence, classes)


def _take(found: Detections, chosen: Tensor) -> Detections:
    return Detections(
        found.boxes[chosen], found.confidence[chosen], found.class_confidence[chosen], found.classes[chosen]
    )


def _to_corners(boxes: Tensor) -> Tensor:
    return torch.cat((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), dim=1)


def _select(corners: Tensor, overlap: float) -> Tensor:
    """Indices of those that stay, of boxes (n, 4) of one image and class in the order of their confidence."""
    kept = []
    remaining = torch.arange(len(corners))
    while len(remaining):
        block, remaining = remaining[:_BLOCK], remaining[_BLOCK:]
        boxes = corners[block]
        covers = (compute_iou(boxes[:, None], boxes) >= overlap).triu(1)
        chosen = _first_come(covers)
        kept.append(block[chosen])
        covered = (compute_iou(boxes[chosen][:, None], corners[remaining]) >= overlap).any(dim=0)
        remaining = remaining[~covered]
    return torch.cat(kept)


def _first_come(covers: Tensor) -> Tensor:
    """(n,) bool: which stay, where i drops a later j if covers[i, j] (n, n), unless i itself is dropped.

    After k rounds the first k are settled, so that the rounds end; mostly after a few.
    """
    stays = torch.ones(len(covers), dtype=torch.bool)
    while True:
        settled = ~covers[stays].any(dim=0)
        if torch.equal(settled, stays):
            return stays
        stays = settled
