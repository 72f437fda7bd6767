"""What all methods have in common that learn from images without their reports."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.monitoring.embeddings import ImageEmbeddings
from lovt_core.monitoring.observer import Observer


class ImageMethod(nn.Module):
    """An image encoder, the heads behind it and their losses."""

    def __init__(self, image_encoder: ImageEncoder) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.observer: Observer[ImageEmbeddings] | None = None
        """Sees all batches, by `show`."""

    @abstractmethod
    def compute_losses(self, batch: Any) -> dict[str, Tensor]:
        """`loss` is what training minimises; the other values are for the record and carry no gradient."""

    def show(
        self,
        features: Tensor,
        labels: Tensor | None,
        projections: tuple[Tensor, Tensor] | None = None,
        cells: Tensor | None = None,
    ) -> None:
        """Show the observer a batch: feature map (B, D, h, w), label codes, projections of both views and of cells."""
        if self.observer is None:
            return
        grid = (features.shape[2], features.shape[3])
        embeddings = ImageEmbeddings(list_cells(features), grid, projections, cells)
        self.observer.see(embeddings, labels, training=self.training)

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


def list_cells(features: Tensor) -> Tensor:
    """(B, D, h, w) to (B, R, D), row by row."""
    return features.flatten(2).transpose(1, 2)
