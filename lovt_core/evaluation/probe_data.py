"""What a head on a frozen encoder is trained on: features computed once, and masks.

Shapes: N images, D feature channels, C classes, h x w feature grid, H x W pixels.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class SplitFeatures:
    """The images of one part of a split, in its order."""

    features: Tensor
    """(N, D, h, w) float32."""
    masks: Tensor
    """(N, C, H, W) bool, on the device of the features."""

    @property
    def num_images(self) -> int:
        return len(self.masks)

    @property
    def mask_size(self) -> tuple[int, int]:
        """(H, W)."""
        height, width = self.masks.shape[-2:]
        return height, width


@dataclass(frozen=True)
class ProbeData:
    """One data set as one encoder sees it."""

    training: SplitFeatures
    validation: SplitFeatures
    test: SplitFeatures

    @property
    def num_bytes(self) -> int:
        """Memory of features and masks."""
        parts = (self.training, self.validation, self.test)
        return sum(part.features.nbytes + part.masks.nbytes for part in parts)
