"""Gaussian blur of 23 pixels with a width of its own for every image (reference `19_augmentation.json`).

The 23 x 23 kernel is the product of two of one dimension: a pass across and a pass down, edges reflected.
"""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

RADIUS = 11
"""Pixels on each side; images are larger than this."""
KERNEL_SIZE = 2 * RADIUS + 1
NARROWEST = 1e-3
"""Pixels; anything below leaves the image alone, and 0 must not divide."""


def compute_blur_kernel(sigma: float) -> npt.NDArray[np.float64]:
    """(KERNEL_SIZE,) weights of one dimension, their sum 1; `sigma` in pixels."""
    distances = np.arange(-RADIUS, RADIUS + 1)
    weights = np.exp(-0.5 * (distances / max(sigma, NARROWEST)) ** 2)
    kernel: npt.NDArray[np.float64] = weights / weights.sum()
    return kernel


def blur(images: Tensor, kernels: Tensor) -> Tensor:
    """(B, 1, H, W) images, each blurred by its row of (B, KERNEL_SIZE) kernels."""
    num_images = len(images)
    margins = (RADIUS, RADIUS, RADIUS, RADIUS)
    channels = F.pad(images, margins, mode="reflect").transpose(0, 1)  # a channel each, so that each has its own kernel
    with torch.autocast(images.device.type, enabled=False):
        channels = F.conv2d(channels, kernels.view(num_images, 1, KERNEL_SIZE, 1), groups=num_images)
        channels = F.conv2d(channels, kernels.view(num_images, 1, 1, KERNEL_SIZE), groups=num_images)
    return channels.transpose(0, 1)
