"""Mean and variance of the local embeddings of each sample.

Shapes: B batch, N embeddings of a sample, D dimension.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class LocalMoments:
    """Of the real embeddings of each sample; a sample with a single one has no variance."""

    centroids: Tensor
    """(B, D): their means."""
    deviations: Tensor
    """(B, N, D): what they differ by from the mean; 0 where padded."""
    rows: Tensor
    """(B, N, D): deviations over the root of their number less one, so that rows^T rows is their covariance."""
    variances: Tensor
    """(B, D)."""


def compute_local_moments(embeddings: Tensor, mask: Tensor) -> LocalMoments:
    """Of embeddings (B, N, D) with mask (B, N), at least one real embedding in each sample."""
    counts = mask.sum(dim=1)
    centroids = (embeddings * mask[:, :, None]).sum(dim=1) / counts[:, None]
    deviations = (embeddings - centroids[:, None]) * mask[:, :, None]
    rows = deviations / (counts - 1).clamp_min(1).sqrt()[:, None, None]
    return LocalMoments(centroids, deviations, rows, rows.square().sum(dim=1))
