"""How far the dimensions of embeddings vary together, without ever holding a covariance of each sample.

Shapes: N vectors, D dimension.
"""

import math

import torch
from torch import Tensor


def compute_offdiagonal(rows: Tensor) -> Tensor:
    """Sum of the squared elements beside the diagonal of C = Y^T Y, over D: Y (..., N, D) -> (...).

    For rows that are deviations from their mean over the root of N - 1, C is their covariance, and this is the
    covariance term of VICReg (Bardes et al. 2022) and of Barlow Twins' authors. The squared norm of Y^T Y equals that
    of Y Y^T, of which the smaller one is formed.
    """
    num_rows, dimension = rows.shape[-2:]
    transposed = rows.transpose(-1, -2)
    product = rows @ transposed if num_rows < dimension else transposed @ rows
    diagonal = rows.square().sum(dim=-2)
    beside: Tensor = product.square().sum(dim=(-1, -2)) - diagonal.square().sum(dim=-1)
    return beside.clamp_min(0) / dimension


def compute_covariance_rows(vectors: Tensor) -> Tensor:
    """(N, D) -> Y with Y^T Y = covariance of the vectors; all zero for a single vector."""
    centred = vectors - vectors.mean(dim=0)
    return centred / math.sqrt(max(len(vectors) - 1, 1))


def compute_distances(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances (..., N, M) of vectors (..., N, D) and (..., M, D).

    From their differences, so that those of equal vectors are exactly 0.
    """
    distances: Tensor = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
    return distances
