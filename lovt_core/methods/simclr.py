"""SimCLR on images alone (Chen et al. 2020; PROTOCOL B.4)."""

from torch import Tensor

from lovt_core.config.methods import SimclrConfig
from lovt_core.methods.image_method import ImageMethod, pool
from lovt_core.methods.view_batches import ViewBatch
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.models.mlp_head import MlpHead
from lovt_core.objectives.nt_xent import NtXentLoss


class Simclr(ImageMethod):
    """Encoder, average over the cells, projection without bias and norm, NT-Xent."""

    def __init__(self, image_encoder: ImageEncoder, config: SimclrConfig) -> None:
        super().__init__(image_encoder)
        self.projector = MlpHead(image_encoder.width, config.hidden, config.size, norm=False, bias=False)
        self.objective = NtXentLoss(config.temperature)

    def compute_losses(self, batch: ViewBatch) -> dict[str, Tensor]:
        """`accuracy/top1` and `accuracy/top5`: how often the other view is among the nearest of the batch."""
        maps = [self.image_encoder(view) for view in batch.views]
        first, second = (self.projector(pool(each)) for each in maps)
        self.show(maps[0], batch.labels, (first, second))
        losses = self.objective(first, second)
        return {"loss": losses.loss, "accuracy/top1": losses.top1, "accuracy/top5": losses.top5}
