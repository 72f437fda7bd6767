"""A head, with the feature pyramid and the encoder in front of it as far as they are trained (PROTOCOL A.3).

Shapes: B batch, D feature channels, h x w feature grid, H x W pixels.
"""

import copy
from collections.abc import Mapping
from typing import Any, assert_never

import torch
from torch import Tensor, nn

from lovt_core.evaluation.training.batches import Batch
from lovt_core.models.heads.pyramid import FeaturePyramid, find_sources
from lovt_core.models.heads.unet import UNetHead
from lovt_core.models.heads.yolov3 import YoloHead
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.tasks import Task

Channels = Mapping[int, int]
"""Stride -> width of the encoder's features."""

HEAD_STRIDES = {"unet": (2, 4, 8, 16, 32), "yolo": (8, 16, 32)}


class TaskModel(nn.Module):
    """Everything that one training on one task trains."""

    def __init__(self, task: Task, channels: Channels, encoder: ImageEncoder | None) -> None:
        """A new head from torch's global generator; `encoder` is trained too, where it is given (a copy of it)."""
        super().__init__()
        self.encoder = copy.deepcopy(encoder)
        self.pyramid = FeaturePyramid(channels, HEAD_STRIDES[task.head])
        self.head = _build_head(task, self.pyramid.channels)
        self.to(memory_format=torch.channels_last)

    def set_training(self, *, with_encoder: bool) -> None:
        """Training mode; the encoder stays in evaluation mode and without gradients unless `with_encoder`."""
        self.train()
        if self.encoder is not None:
            self.encoder.train(with_encoder)
            self.encoder.requires_grad_(with_encoder)

    def forward(self, batch: Batch) -> Any:
        """The head's output for a batch: logits (B, C, H, W), or raw maps."""
        features = batch.features
        if self.encoder is not None:
            assert batch.images is not None
            features = self.encoder.forward_features(batch.images)
        features = self.pyramid(features)
        if isinstance(self.head, UNetHead):
            return self.head(features, batch.images)
        return self.head(features)


def find_inputs(strides: tuple[int, ...], channels: Channels) -> tuple[int, ...]:
    """Strides of the encoder that a head on `strides` reads, through a pyramid where some are missing."""
    return tuple(sorted(set(find_sources(channels, strides).values())))


def _build_head(task: Task, channels: Channels) -> nn.Module:
    match task.head:
        case "unet":
            return UNetHead(channels, len(task.classes))
        case "yolo":
            return YoloHead(channels, len(task.classes))
        case "linear":
            raise AssertionError("linear heads are trained side by side: LinearBank")
        case _:
            assert_never(task.head)


def count_training_bytes(model: nn.Module) -> int:
    """Memory of a model in training: parameters, gradients and Adam's two moments."""
    return 4 * sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())


Tensors = Mapping[str, Tensor]


def copy_state(model: nn.Module) -> dict[str, Tensor]:
    """All parameters and buffers as they are now, on the CPU."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in model.state_dict().items()}
