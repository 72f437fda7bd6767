"""Published statistics of one embedding space: an embedding a sample, or several of them.

Shapes: B batch, N embeddings of a sample, D dimension. All embeddings have unit length, except means of local ones.
"""

import torch
from torch import Tensor

from lovt_core.monitoring.batch_values import BatchValues
from lovt_core.monitoring.covariance import compute_covariance_rows, compute_distances, compute_offdiagonal
from lovt_core.monitoring.local_moments import compute_local_moments


class GlobalStatistics:
    """Of a space with one embedding for each sample; all embeddings are kept until the end."""

    def __init__(self) -> None:
        self._embeddings: list[Tensor] = []
        self._values = BatchValues()

    def update(self, embeddings: Tensor) -> None:
        """One batch (B, D)."""
        self._embeddings.append(embeddings)
        distances = compute_distances(embeddings, embeddings)
        self._values.add(distance=distances.mean(), kernel=torch.exp(-2 * distances.square()).mean())

    def compute(self) -> dict[str, float]:
        """Over all batches; `uniformity` and `dist_emb2emb__batch_estimate` average over pairs within batches.

        These pairs include each embedding with itself, so both depend on the size of the batches.
        """
        embeddings = torch.cat(self._embeddings)
        return {
            "ch_std": float(embeddings.std(dim=0).mean()),
            "uniformity": float(torch.tensor(self._values.mean("kernel")).log()),
            "dist_emb2emb__batch_estimate": self._values.mean("distance"),
            "cov_offdiagonal": float(compute_offdiagonal(compute_covariance_rows(embeddings))),
        }


class LocalStatistics:
    """Of a space with several embeddings for each sample; the samples' means (`centroids`) are kept until the end."""

    def __init__(self) -> None:
        self._centroids: list[Tensor] = []
        self._variances: list[Tensor] = []
        """Sums over the samples of each batch."""
        self._values = BatchValues()

    def update(self, embeddings: Tensor, mask: Tensor, weights: Tensor | None = None) -> Tensor:
        """One batch (B, N, D) with mask (B, N) and weights (B, N) of the embeddings; returns the means (B, D)."""
        moments = compute_local_moments(embeddings, mask)
        self._centroids.append(moments.centroids)
        self._variances.append(moments.variances.sum(dim=0))
        self._values.add_moments("emb2cent", moments.deviations.norm(dim=2).sum(dim=1) / mask.sum(dim=1))
        self._values.add(
            std_per_sample=moments.variances.sqrt().mean(dim=1),
            cov_per_sample=compute_offdiagonal(moments.rows),
            cov_of_batch=_compute_total_offdiagonal(moments.rows, moments.centroids),
            cent2cent=compute_distances(moments.centroids, moments.centroids).mean(),
        )
        self._add_distances(embeddings, mask, weights)
        return moments.centroids

    def _add_distances(self, embeddings: Tensor, mask: Tensor, weights: Tensor | None) -> None:
        pairs = mask[:, :, None] & mask[:, None, :]
        num_pairs = pairs.sum(dim=(1, 2))
        distances = compute_distances(embeddings, embeddings) * pairs
        kernel = (torch.exp(-2 * distances.square()) * pairs).sum(dim=(1, 2)) / num_pairs
        self._values.add(emb2emb=(distances.sum(dim=(1, 2)) / num_pairs).mean(), uniformity=kernel.log())
        if weights is not None:
            weighted = torch.einsum("bi,bij,bj->b", weights, distances, weights)
            self._values.add(emb2emb_weighted=weighted.mean())

    def compute(self) -> dict[str, float]:
        """Over all batches; `__std`: standard deviation over samples, `__batch_estimate`: mean over batches."""
        centroids, values = torch.cat(self._centroids), self._values
        within = torch.stack(self._variances).sum(dim=0) / len(centroids)
        between = centroids.var(dim=0) if len(centroids) > 1 else torch.zeros_like(within)
        statistics = {
            "ch_std": float((between + within).sqrt().mean()),
            "ch_std_per_sample": values.mean("std_per_sample"),
            "ch_std_per_sample__std": values.deviation("std_per_sample"),
            "ch_std_sample_centroids": float(between.sqrt().mean()),
            "per_sample_uniformity": values.mean("uniformity"),
            "per_sample_uniformity__std": values.deviation("uniformity"),
            "dist_emb2cent": values.mean("emb2cent"),
            "dist_emb2cent__std": values.deviation_from_moments("emb2cent"),
            "dist_emb2emb": values.mean("emb2emb"),
            "dist_cent2cent__batch_estimate": values.mean("cent2cent"),
            "dist_cent2dataset": float((centroids - centroids.mean(dim=0)).norm(dim=1).mean()),
            "cov_offdiagonal__batch_estimate": values.mean("cov_of_batch"),
            "cov_offdiagonal_per_sample": values.mean("cov_per_sample"),
            "cov_offdiagonal_per_sample__std": values.deviation("cov_per_sample"),
            "cov_offdiagonal_sample_centroids": float(compute_offdiagonal(compute_covariance_rows(centroids))),
        }
        if "emb2emb_weighted" in values:
            statistics["dist_emb2emb__weighted"] = values.mean("emb2emb_weighted")
        return statistics


def _compute_total_offdiagonal(rows: Tensor, centroids: Tensor) -> Tensor:
    """Of the mean covariance of the samples plus the covariance of their centroids."""
    within = rows.flatten(0, 1) / len(rows) ** 0.5
    return compute_offdiagonal(torch.cat([within, compute_covariance_rows(centroids)]))
