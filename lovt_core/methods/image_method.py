"""What all methods have in common that learn from images without their reports."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.training.gathering import Gather, keep_own


class ImageMethod(nn.Module):
    """An image encoder, the heads behind it and their losses."""

    def __init__(self, image_encoder: ImageEncoder) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.gather: Gather = keep_own
        """Makes the rows of a batch that is shared among processes those of the whole one."""

    @abstractmethod
    def compute_losses(self, batch: Any) -> dict[str, Tensor]:
        """`loss` is what training minimises; the other values are for the record and carry no gradient."""

    def before_step(self) -> None:
        """Called once per optimiser step, before the parameters change."""

    def begin_validation(self) -> None:
        """Forget what an earlier validation has left."""

    def compute_validation_scores(self) -> Mapping[str, float]:
        """Scores of all batches since the validation began."""
        return {}


def pool(features: Tensor) -> Tensor:
    """Feature map (B, D, h, w) to its average over all cells (B, D)."""
    return features.mean(dim=(2, 3))
