"""How alike neighbouring regions are.

Shapes: N images, R = h*w regions (row by row), D dimension.
"""

from torch import Tensor

from lovt_core.inspection.trained_method import Grid
from lovt_core.objectives.unit_length import scale_to_unit_length


def compute_smoothness(regions: Tensor, grid: Grid) -> dict[str, float]:
    """Means over the images of (N, R, D) regions, scaled to unit length; a grid of one region has none.

    `neighbour_similarity`: cosine similarity of regions that share an edge. `similarity`: of all pairs. `moran_i`:
    Moran's I with these neighbours, the scalar product in place of the product (Moran 1950, *Notes on continuous
    stochastic phenomena*): 1 where neighbours are equal, -1 / (R - 1) on average where place means nothing.
    """
    height, width = grid
    if height * width < 2:
        return {}
    unit = scale_to_unit_length(regions).reshape(len(regions), height, width, -1)
    centred = unit - unit.mean(dim=(1, 2), keepdim=True)
    total = unit.sum(dim=(1, 2)).square().sum(dim=1) - height * width
    variance = centred.square().sum(dim=3).mean(dim=(1, 2)).clamp_min(1e-12)
    return {
        "neighbour_similarity": float(_neighbour_product(unit).mean()),
        "similarity": float((total / (height * width * (height * width - 1))).mean()),
        "moran_i": float((_neighbour_product(centred) / variance).mean()),
    }


def _neighbour_product(regions: Tensor) -> Tensor:
    """(N,) mean scalar product of the regions (N, h, w, D) that share an edge."""
    height, width = regions.shape[1:3]
    across = (regions[:, :, 1:] * regions[:, :, :-1]).sum(dim=(1, 2, 3))
    down = (regions[:, 1:] * regions[:, :-1]).sum(dim=(1, 2, 3))
    return (across + down) / (height * (width - 1) + (height - 1) * width)
