"""Features of a frozen encoder, computed once for all heads (PROTOCOL A.3: frozen, evaluation mode, no augmentation).

Shapes: N images, D feature channels, C classes, h x w feature grid, H x W pixels.
"""

from collections.abc import Generator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from lovt_core.errors import InputError
from lovt_core.evaluation.probe_data import ProbeData, SplitFeatures
from lovt_core.evaluation.task_data import TaskData
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.values import Progress

IMAGES_PER_PASS = 32


def compute_probe_data(
    encoder: ImageEncoder, data: TaskData, stride: int, device: str
) -> Generator[Progress, None, ProbeData]:
    """Features of `stride` and masks of all three parts of the split, on `device`; yields progress in images.

    Raises InputError when the encoder has no such stride or yields values that are not finite.
    """
    if stride not in encoder.strides:
        known = ", ".join(map(str, encoder.strides))
        raise InputError(f"the encoder has no features of stride {stride}, only of {known}: set settings.stride")
    encoder.to(device).eval()
    parts = []
    done, total = 0, sum(map(len, (data.split.train, data.split.validation, data.split.test)))
    for rows in (data.split.train, data.split.validation, data.split.test):
        maps = []
        for batch in split_evenly(rows):
            maps.append(_encode(encoder, data.images(batch, device), stride))
            done += len(batch)
            yield Progress(done, total, "image", "encoding")
        parts.append(SplitFeatures(torch.cat(maps), data.masks(rows, device)))
    return ProbeData(*parts)


def fit_batch_norm(encoder: ImageEncoder, data: TaskData, device: str) -> Generator[Progress, None, None]:
    """Set the statistics of all batch norms to those of the training images.

    Each is the mean over equally large batches in the order of the split; everything else stays in evaluation mode, so
    the outcome depends on weights and images alone. An encoder without batch norm stays as it is.
    """
    norms = [module for module in encoder.to(device).modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    encoder.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    done = 0
    with torch.no_grad():
        for batch in split_evenly(data.split.train):
            encoder.forward_features(data.images(batch, device))
            done += len(batch)
            yield Progress(done, len(data.split.train), "image", "fitting batch norms")
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    encoder.eval()


def split_evenly(rows: Sequence[int], largest: int = IMAGES_PER_PASS) -> list[Sequence[int]]:
    """Consecutive parts whose lengths differ by one at most, none longer than `largest`."""
    num_parts = max(1, -(-len(rows) // largest))
    bounds = [len(rows) * part // num_parts for part in range(num_parts + 1)]
    return [rows[start:end] for start, end in pairwise(bounds)]


@torch.no_grad()
def _encode(encoder: ImageEncoder, images: Tensor, stride: int) -> Tensor:
    features = encoder.forward_features(images)[stride].float()
    if not bool(torch.isfinite(features).all()):
        raise InputError(f"the encoder yields features of stride {stride} that are not finite: its weights are broken")
    return features.contiguous()
