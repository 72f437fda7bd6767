"""Batch-norm statistics of an untrained encoder, fitted to the training images (source `random-fitted`)."""

from collections.abc import Generator

import torch
from torch import nn

from lovt_core.evaluation.features.source import split_evenly
from lovt_core.evaluation.task_data import TaskData
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.values import Progress


def fit_batch_norm(encoder: ImageEncoder, data: TaskData, device: str) -> Generator[Progress, None, None]:
    """Set the statistics of all batch norms to those of the training images.

    Each is the mean over equally large batches in the order of the split; everything else stays in evaluation mode, so
    the outcome depends on weights and images alone. An encoder without batch norm stays as it is.
    """
    norms = [module for module in encoder.to(device).modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    encoder.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    done = 0
    with torch.no_grad():
        for batch in split_evenly(data.split.train):
            encoder.forward_features(data.images(batch, device))
            done += len(batch)
            yield Progress(done, len(data.split.train), "image", "fitting batch norms")
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    encoder.eval()
