"""Whether embeddings of regions follow the picture: neighbours are more alike than regions of an image are in general.

Shapes: B batch, R = h * w regions in rows, D dimension. All embeddings have unit length.
"""

from torch import Tensor


def compute_smoothness(regions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Mean cosine similarity of cells side by side less that of all pairs of different cells, (B,).

    0 where places mean nothing (also where all embeddings are equal), positive where the map is smooth. For two cells
    or more.
    """
    height, width = grid
    cells = regions.reshape(len(regions), height, width, -1)
    across = (cells[:, :, 1:] * cells[:, :, :-1]).sum(dim=3).flatten(1)
    down = (cells[:, 1:] * cells[:, :-1]).sum(dim=3).flatten(1)
    num_beside = across.shape[1] + down.shape[1]
    beside = (across.sum(dim=1) + down.sum(dim=1)) / num_beside
    num_cells = height * width
    own = regions.square().sum(dim=(1, 2))
    of_all = regions.sum(dim=1).square().sum(dim=1) - own
    smoothness: Tensor = beside - of_all / (num_cells * (num_cells - 1))
    return smoothness
