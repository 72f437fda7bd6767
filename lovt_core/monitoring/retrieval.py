"""How often an embedding finds its counterpart among those of other samples, or of the same sample.

Shapes: N samples, B batch, R embeddings of a sample, D dimension. All embeddings have unit length.
"""

import torch
from torch import Tensor


def compute_ranks(similarities: Tensor, mask: Tensor | None = None) -> Tensor:
    """Of similarities (..., R, C >= R): how many columns are nearer to row r than column r is, (..., R).

    Equally near ones count half, so that equal embeddings find nothing. Columns outside `mask` (..., C) do not count.
    """
    own = similarities.diagonal(dim1=-2, dim2=-1)[..., None]
    nearer = (similarities > own).float() + 0.5 * (similarities == own).float()
    if mask is not None:
        nearer = nearer * mask[..., None, :]
    return nearer.sum(dim=-1) - 0.5


def compute_pair_ranks(first: Tensor, second: Tensor) -> Tensor:
    """Ranks (N,) of the counterpart of each of `first` (N, D) among `second` (N, D)."""
    return compute_ranks(first @ second.T)


def compute_local_ranks(first: Tensor, second: Tensor, mask: Tensor) -> Tensor:
    """Ranks, within each sample, of the counterparts of `first` (B, R, D) among `second`; of real ones alone, (M,).

    Samples with a single embedding, where there is nothing to confuse, are left out.
    """
    ranks = compute_ranks(first @ second.transpose(1, 2), mask)
    return ranks[mask & (mask.sum(dim=1, keepdim=True) > 1)]


def compute_hits(ranks: Tensor, k: int) -> Tensor:
    """Share of ranks below k: of counterparts among the k nearest; NaN for none."""
    return (ranks < k).float().mean() if len(ranks) else torch.tensor(float("nan"))
