"""BYOL on images alone (Grill et al. 2020; PROTOCOL B.4)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lovt_core.config.methods import ByolConfig
from lovt_core.methods.image_method import ImageMethod, pool
from lovt_core.methods.view_batches import ViewBatch
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.models.mlp_head import MlpHead
from lovt_core.models.momentum import MomentumCopy
from lovt_core.objectives.byol import ByolLoss


class Byol(ImageMethod):
    """Encoder, average over the cells, projector, predictor; and copies of the first three that follow slowly.

    The views go through the networks one after the other, each with batch statistics of its own.
    """

    def __init__(self, image_encoder: ImageEncoder, config: ByolConfig) -> None:
        super().__init__(image_encoder)
        self.projector = MlpHead(image_encoder.width, config.hidden, config.size)
        self.predictor = MlpHead(config.size, config.hidden, config.size)
        self.target_encoder = MomentumCopy(image_encoder, config.decay)
        self.target_projector = MomentumCopy(self.projector, config.decay)
        self.objective = ByolLoss()

    def compute_losses(self, batch: ViewBatch) -> dict[str, Tensor]:
        """`deviation` of unit predictions over the batch: 0 where all are alike, 1 / sqrt(size) where spread evenly."""
        maps = [self.image_encoder(view) for view in batch.views]
        projections = self.projector(pool(maps[0])), self.projector(pool(maps[1]))
        self.show(maps[0], batch.labels, projections)
        first, second = (self.predictor(each) for each in projections)
        targets = [self.target_projector(pool(self.target_encoder(view))) for view in batch.views]
        loss = self.objective((first, second), (targets[0], targets[1]))
        return {"loss": loss, "deviation": compute_deviation(first)}

    def before_step(self) -> None:
        """The copies follow."""
        self.target_encoder.update(self.image_encoder)
        self.target_projector.update(self.projector)


def compute_deviation(predictions: Tensor) -> Tensor:
    """Mean over the dimensions of the standard deviation over the batch (B, D) of unit vectors; no gradient."""
    with torch.no_grad():
        unit = F.normalize(predictions.detach().float(), dim=-1)
        return unit.std(dim=0, correction=0).mean()
