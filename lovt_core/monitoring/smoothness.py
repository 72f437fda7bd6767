"""Whether embeddings of regions follow the picture: neighbours are more alike than regions of an image are in general.

Shapes: B batch, R = h * w regions in rows, at least two, D dimension.
"""

from torch import Tensor


def compute_smoothness(regions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Similarity of neighbours less that of all pairs, of unit vectors (B, R, D) -> (B,).

    0 where places mean nothing (also where all embeddings are equal), positive where the map is smooth.
    """
    return compute_neighbour_similarity(regions, grid) - compute_pair_similarity(regions)


def compute_neighbour_similarity(regions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Mean scalar product of the regions (B, R, D) that share an edge, (B,): of unit vectors their mean cosine."""
    height, width = grid
    cells = regions.reshape(len(regions), height, width, -1)
    across = (cells[:, :, 1:] * cells[:, :, :-1]).sum(dim=(1, 2, 3))
    down = (cells[:, 1:] * cells[:, :-1]).sum(dim=(1, 2, 3))
    similarity: Tensor = (across + down) / (height * (width - 1) + (height - 1) * width)
    return similarity


def compute_pair_similarity(regions: Tensor) -> Tensor:
    """Mean cosine of all pairs of different regions, of unit vectors (B, R, D) -> (B,)."""
    num_cells = regions.shape[1]
    own = regions.square().sum(dim=(1, 2))
    of_all: Tensor = regions.sum(dim=1).square().sum(dim=1) - own
    return of_all / (num_cells * (num_cells - 1))


def compute_moran_i(regions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Moran's I with regions that share an edge as neighbours and the scalar product in place of the product, (B,).

    1 where neighbours are equal, -1 / (R - 1) on average where place means nothing (Moran 1950, *Notes on continuous
    stochastic phenomena*); 0 where all regions are equal.
    """
    centred = regions - regions.mean(dim=1, keepdim=True)
    variance = centred.square().sum(dim=2).mean(dim=1).clamp_min(1e-12)
    return compute_neighbour_similarity(centred, grid) / variance
