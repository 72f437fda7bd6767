"""Whether embeddings of a validation spread out: figures that stay comparable whatever the size of the batches.

Shapes: N samples, B batch, R embeddings of a sample, D dimension. All embeddings have unit length.
"""

import torch
from torch import Tensor

from lovt_core.monitoring.covariance import compute_covariance_rows, compute_offdiagonal
from lovt_core.monitoring.local_moments import compute_local_moments


def compute_spread(embeddings: Tensor) -> dict[str, Tensor]:
    """`std`, `uniformity` and `covariance` of at least two embeddings (N, D).

    The first and the last are the published `ch_std` and `cov_offdiagonal`. Uniformity is that of Wang and Isola
    (2020): log of the mean of exp(-2 d^2) over all pairs of different samples.
    """
    num_samples = len(embeddings)
    squared = (2 - 2 * embeddings @ embeddings.T).clamp_min(0)
    kernels = torch.exp(-2 * squared)
    of_pairs = (kernels.sum() - kernels.diagonal().sum()) / (num_samples * (num_samples - 1))
    return {
        "std": embeddings.std(dim=0).mean(),
        "uniformity": of_pairs.log(),
        "covariance": compute_offdiagonal(compute_covariance_rows(embeddings)),
    }


class LocalSpread:
    """Adds up batches of local embeddings."""

    def __init__(self) -> None:
        self._centroids: list[Tensor] = []
        self._variances: list[Tensor] = []
        self._of_samples: list[Tensor] = []

    def update(self, embeddings: Tensor, mask: Tensor | None = None) -> None:
        """One batch (B, R, D); without `mask` all embeddings are real."""
        if mask is None:
            mask = torch.ones(embeddings.shape[:2], dtype=torch.bool, device=embeddings.device)
        moments = compute_local_moments(embeddings, mask)
        self._centroids.append(moments.centroids)
        self._variances.append(moments.variances.sum(dim=0))
        self._of_samples.append(moments.variances.sqrt().mean(dim=1))

    def compute(self, within: str) -> dict[str, Tensor]:
        """`std`, the published `ch_std`, and under the name `within` the published `ch_std_per_sample`."""
        centroids = torch.cat(self._centroids)
        inside = torch.stack(self._variances).sum(dim=0) / len(centroids)
        between = centroids.var(dim=0) if len(centroids) > 1 else torch.zeros_like(inside)
        return {"std": (inside + between).sqrt().mean(), within: torch.cat(self._of_samples).mean()}
