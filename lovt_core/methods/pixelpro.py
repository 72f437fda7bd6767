"""PixelPro on images alone (Xie et al. 2021; PROTOCOL B.4).

The published run had its pixel branch behind the average pool, with a single "pixel" an image, and a learning rate of
zero (PROTOCOL part C, 1); here the branch sees the feature map.
"""

import torch
from torch import Tensor

from lovt_core.config.methods import PixelproConfig
from lovt_core.methods.byol import compute_deviation
from lovt_core.methods.image_method import ImageMethod, list_cells, pool
from lovt_core.methods.view_batches import ViewBatch
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.models.mlp_head import MlpHead
from lovt_core.models.momentum import MomentumCopy
from lovt_core.models.pixel_head import PixelPropagation
from lovt_core.objectives.byol import ByolLoss
from lovt_core.objectives.pixel_propagation import PixelPropagationLoss


class Pixelpro(ImageMethod):
    """Encoder with two branches, of the cells and of their average, and copies that follow slowly.

    The cells' branch ends in the propagation, that of the average in BYOL's predictor. The views go through the
    networks one after the other.
    """

    def __init__(self, image_encoder: ImageEncoder, config: PixelproConfig) -> None:
        super().__init__(image_encoder)
        width, hidden, size = image_encoder.width, config.hidden, config.size
        self.cell_projector = MlpHead(width, hidden, size)
        self.propagation = PixelPropagation(size, config.gamma)
        self.image_projector = MlpHead(width, hidden, size)
        self.predictor = MlpHead(size, hidden, size)
        self.target_encoder = MomentumCopy(image_encoder, config.decay)
        self.target_cell_projector = MomentumCopy(self.cell_projector, config.decay)
        self.target_image_projector = MomentumCopy(self.image_projector, config.decay)
        self.cells = PixelPropagationLoss(config.distance_threshold)
        self.instances = ByolLoss()
        self.instance_weight = config.instance_weight

    def compute_losses(self, batch: ViewBatch) -> dict[str, Tensor]:
        """`cells`, from -2 to 2, and `instances`, from 0 to 8, are the unweighted losses.

        `share/cells` and `share/instances`: each weighted term's size over the sum of both sizes. `cells/overlapping`:
        share of the images whose views have cells in common; `cells/positive_pairs`: their mean number.
        """
        maps = [self.image_encoder(view) for view in batch.views]
        with torch.no_grad():
            target_maps = [self.target_encoder(view) for view in batch.views]
        projected = [self.cell_projector(list_cells(each)) for each in maps]
        first, second = (self.propagation(each) for each in projected)
        targets = [self.target_cell_projector(list_cells(each)) for each in target_maps]
        height, width = maps[0].shape[2:]
        cells = self.cells((first, second), (targets[0], targets[1]), batch.placements, (height, width))
        projections = self.image_projector(pool(maps[0])), self.image_projector(pool(maps[1]))
        self.show(maps[0], batch.labels, projections, projected[0])
        predictions = [self.predictor(each) for each in projections]
        followed = [self.target_image_projector(pool(each)) for each in target_maps]
        instances = self.instances((predictions[0], predictions[1]), (followed[0], followed[1]))
        weighted = self.instance_weight * instances
        sizes = cells.loss.detach().abs(), weighted.detach().abs()
        total_size = (sizes[0] + sizes[1]).clamp_min(torch.finfo(sizes[0].dtype).tiny)
        return {
            "loss": cells.loss + weighted,
            "cells": cells.loss.detach(),
            "instances": instances.detach(),
            "cells/overlapping": cells.overlapping,
            "cells/positive_pairs": cells.positive_pairs,
            "share/cells": sizes[0] / total_size,
            "share/instances": sizes[1] / total_size,
            "deviation": compute_deviation(predictions[0]),
        }

    def before_step(self) -> None:
        """The copies follow."""
        self.target_encoder.update(self.image_encoder)
        self.target_cell_projector.update(self.cell_projector)
        self.target_image_projector.update(self.image_projector)
