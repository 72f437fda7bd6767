"""Grey images as the encoders expect them (PROTOCOL A.2 and B.1)."""

import torch
from torch import Tensor

from lovt_core.data.pixel_statistics import SMALLEST_DEVIATION


def normalise(images: Tensor, statistics: tuple[float, float] | None) -> Tensor:
    """[0, 1] images (B, 1, H, W) shifted and scaled by the mean and deviation of a data set, or of each image itself.

    An image of one grey level becomes zero by the latter.
    """
    if statistics is not None:
        mean, deviation = statistics
        return (images - mean) / deviation
    variance, means = torch.var_mean(images, dim=(1, 2, 3), correction=0, keepdim=True)
    return (images - means) / variance.sqrt().clamp_min(SMALLEST_DEVIATION)
