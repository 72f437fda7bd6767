"""Published statistics of two embedding spaces of the same samples.

Shapes: B batch, N and M embeddings of a sample, D dimension. All have unit length, except means of local embeddings.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lovt_core.monitoring.batch_values import BatchValues
from lovt_core.monitoring.covariance import compute_distances


class GlobalPairStatistics:
    """Distance of the two embeddings of each sample."""

    def __init__(self) -> None:
        self._values = BatchValues()

    def update(self, first: Tensor, second: Tensor) -> None:
        """One batch, (B, D) each."""
        squared = (first - second).square().sum(dim=1)
        self._values.add(squared=squared.mean())
        self._values.add_moments("dist", squared.sqrt())

    def compute(self) -> dict[str, float]:
        """Over all batches."""
        return {
            "rmse": self._values.mean("squared") ** 0.5,
            "dist": self._values.mean("dist"),
            "dist__std": self._values.deviation_from_moments("dist"),
        }


class LocalPairStatistics:
    """Distance of each embedding of a sample to its counterpart."""

    def __init__(self, padding_counts: bool) -> None:
        """`padding_counts`: in `sample_std_dist` padded places count as distances of 0, as published."""
        self._padding_counts = padding_counts
        self._values = BatchValues()

    def update(self, first: Tensor, second: Tensor, mask: Tensor, weights: Tensor | None = None) -> None:
        """One batch, (B, N, D) each, with mask (B, N) and weights (B, N)."""
        squared = (first - second).square().sum(dim=2) * mask
        distances, counts = squared.sqrt(), mask.sum(dim=1)
        self._values.add_moments("rmse", (squared.sum(dim=1) / counts).sqrt())
        if weights is not None:
            self._values.add(weighted=(weights * squared).sum(dim=1).sqrt().mean())
        self._values.add(
            smallest=distances.masked_fill(~mask, float("inf")).amin(dim=1).mean(),
            largest=distances.amax(dim=1).mean(),
            deviation=self._compute_variances(distances, mask).sqrt().mean(),
        )

    def _compute_variances(self, distances: Tensor, mask: Tensor) -> Tensor:
        """(B,); 0 for a sample with a single embedding."""
        counts, places = mask.sum(dim=1), mask.shape[1]
        if self._padding_counts:
            variances = distances.var(dim=1) if places > 1 else distances.new_zeros(len(distances))
            return variances * places / counts
        means = distances.sum(dim=1) / counts
        squared = (distances - means[:, None]).square() * mask
        return squared.sum(dim=1) / (counts - 1).clamp_min(1)

    def compute(self) -> dict[str, float]:
        """Over all batches."""
        values = self._values
        statistics = {
            "sample_rmse": values.mean("rmse"),
            "sample_rmse__std": values.deviation_from_moments("rmse"),
            "sample_min_dist": values.mean("smallest"),
            "sample_max_dist": values.mean("largest"),
            "sample_std_dist": values.mean("deviation"),
        }
        if "weighted" in values:
            statistics["sample_rmse__weighted"] = values.mean("weighted")
        return statistics


@dataclass(frozen=True)
class LocalSpace:
    """Local embeddings of one side."""

    embeddings: Tensor
    """(B, N, D)."""
    centroids: Tensor
    """(B, D): their means."""
    mask: Tensor
    """(B, N) bool."""

    def average(self, values: Tensor) -> Tensor:
        """Mean over the embeddings of each sample, of values (B, N), 0 where padded; then over the samples."""
        return ((values * self.mask).sum(dim=1) / self.mask.sum(dim=1)).mean()


class DistributionPairStatistics:
    """How the local embeddings of both sides of a sample lie among each other."""

    def __init__(self, padding_counts: bool) -> None:
        """`padding_counts`: padded places are at a distance of 0 from every embedding of the other side, as published;
        then `1NN_emb2emb_2to1` is 0 for all but the longest reports of a batch."""
        self._padding_counts = padding_counts
        self._values = BatchValues()

    def update(self, first: LocalSpace, second: LocalSpace, weights: Tensor | None = None) -> None:
        """One batch, with weights (B, N) of the first side's embeddings."""
        pairs = first.mask[:, :, None] & second.mask[:, None, :]
        distances = compute_distances(first.embeddings, second.embeddings) * pairs
        to_second = distances.sum(dim=2) / second.mask.sum(dim=1, keepdim=True)
        apart = distances if self._padding_counts else distances.masked_fill(~pairs, float("inf"))
        self._values.add(
            emb2emb=first.average(to_second),
            nearest_2to1=first.average(_smallest(apart, first.mask, 2)),
            nearest_1to2=second.average(_smallest(apart, second.mask, 1)),
            assignment_1to1=first.average(_compute_assignment(first, second)),
            assignment_2to2=second.average(_compute_assignment(second, first)),
        )
        if weights is not None:
            self._values.add(weighted=(weights * to_second).sum(dim=1).mean())

    def compute(self) -> dict[str, float]:
        """Over all batches; an assignment of 1 means nearer to the own side's centroid, 0.5 as near to the other's."""
        values = self._values
        statistics = {
            "dist_emb2emb": values.mean("emb2emb"),
            "1NN_emb2emb_2to1": values.mean("nearest_2to1"),
            "1NN_emb2emb_1to2": values.mean("nearest_1to2"),
            "assignment_2to2": values.mean("assignment_2to2"),
            "assignment_1to1": values.mean("assignment_1to1"),
        }
        if "weighted" in values:
            statistics["dist_emb2emb__weighted"] = values.mean("weighted")
        return statistics


def _smallest(distances: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Along `dim`, and 0 where the embedding itself is padded."""
    return distances.amin(dim=dim).masked_fill(~mask, 0.0)


def _compute_assignment(own: LocalSpace, other: LocalSpace) -> Tensor:
    """(B, N): 1 / d^2 to the own centroid over the sum of that to both; 1 where the embedding is its own centroid."""
    to_own = (own.embeddings - own.centroids[:, None]).square().sum(dim=2)
    to_other = (own.embeddings - other.centroids[:, None]).square().sum(dim=2)
    return to_other / (to_own + to_other).clamp_min(torch.finfo(to_own.dtype).tiny)
