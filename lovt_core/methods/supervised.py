"""Supervised pre-training on CheXpert labels (PROTOCOL B.4)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lovt_core.config.methods import SupervisedConfig
from lovt_core.methods.image_method import ImageMethod, pool
from lovt_core.methods.labelled_batches import LabelledBatch
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.objectives.multilabel import (
    LabelReading,
    MultilabelLoss,
    Targets,
    compute_auroc,
    compute_macro_auroc,
)


class Supervised(ImageMethod):
    """Encoder, average over the cells, a linear layer with an output for each label."""

    def __init__(self, image_encoder: ImageEncoder, config: SupervisedConfig) -> None:
        super().__init__(image_encoder)
        self.classifier = nn.Linear(image_encoder.width, len(config.labels))
        self.objective = MultilabelLoss()
        self._labels = config.labels
        self._reading = LabelReading(config.uncertain, config.blank)
        self._seen: list[tuple[Tensor, Targets]] = []
        """Logits and targets of the running validation."""

    def compute_losses(self, batch: LabelledBatch) -> dict[str, Tensor]:
        """`loss` alone; in evaluation mode the logits are kept for `compute_validation_scores`."""
        features = self.image_encoder(batch.images)
        self.show(features, None)
        logits: Tensor = self.classifier(pool(features))
        targets = self._reading.read(batch.labels)
        if not self.training:
            self._seen.append((logits.detach().float(), targets))
        return {"loss": self.objective(logits, targets)}

    def begin_validation(self) -> None:
        """Forget the logits of an earlier one."""
        self._seen.clear()

    def compute_validation_scores(self) -> Mapping[str, float]:
        """`auroc`, the mean over the labels, and `auroc/pleural_effusion` and its like where there is one."""
        logits = torch.cat([logits for logits, _ in self._seen])
        present = torch.cat([targets.present for _, targets in self._seen])
        known = torch.cat([targets.known for _, targets in self._seen])
        self._seen.clear()
        areas = compute_auroc(logits, Targets(present, known))
        named = zip(self._labels, areas.tolist(), strict=True)
        each = {f"auroc/{label.lower().replace(' ', '_')}": area for label, area in named if area == area}
        return {"auroc": compute_macro_auroc(areas)} | each
