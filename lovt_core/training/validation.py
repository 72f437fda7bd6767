"""Mean losses and scores over the validation batches, in evaluation mode."""

from collections.abc import Callable

import torch
from torch import Tensor

from lovt_core.errors import TrainingError
from lovt_core.training.precision import Precision
from lovt_core.training.trainable import Trainable


def validate(
    trainable: Trainable, precision: Precision, epoch: int, is_interrupted: Callable[[], bool]
) -> dict[str, float] | None:
    """Unweighted mean of each loss over the batches (PROTOCOL B.2), and the scores of all of them together.

    None when interrupted between two of them.
    """
    sums: dict[str, Tensor] = {}
    count = 0
    trainable.model.eval()
    try:
        with torch.no_grad():
            for batch in trainable.validation_batches(epoch):
                if is_interrupted():
                    return None
                with precision.autocast():
                    losses = trainable.compute_losses(batch)
                for name, loss in losses.items():
                    sums[name] = sums[name] + loss.float() if name in sums else loss.float()
                count += 1
    finally:
        trainable.model.train()
    if not count:
        raise TrainingError("there is no validation batch: the validation split is empty")
    means = dict(zip(sums, (torch.stack(list(sums.values())) / count).tolist(), strict=True))
    return means | dict(trainable.compute_validation_scores())
