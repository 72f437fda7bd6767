"""How alike neighbouring regions are.

Shapes: N images, R = h*w regions (row by row), D dimension.
"""

from torch import Tensor

from lovt_core.inspection.trained_method import Grid
from lovt_core.objectives.unit_length import scale_to_unit_length


class Smoothness:
    """Means over images whose regions are added batch by batch."""

    def __init__(self) -> None:
        self._images = 0
        self._sums = {"neighbour_similarity": 0.0, "similarity": 0.0, "moran_i": 0.0}

    def add(self, regions: Tensor, grid: Grid) -> None:
        """Regions (N, R, D), which are scaled to unit length; a grid of a single region has no smoothness."""
        height, width = grid
        if height * width < 2:
            return
        unit = scale_to_unit_length(regions).reshape(len(regions), height, width, -1)
        centred = unit - unit.mean(dim=(1, 2), keepdim=True)
        pairs = unit.sum(dim=(1, 2)).square().sum(dim=1) - height * width
        variance = centred.square().sum(dim=3).mean(dim=(1, 2)).clamp_min(1e-12)
        self._images += len(regions)
        self._sums["neighbour_similarity"] += float(_neighbour_product(unit).sum())
        self._sums["similarity"] += float(pairs.sum()) / (height * width * (height * width - 1))
        self._sums["moran_i"] += float((_neighbour_product(centred) / variance).sum())

    def compute(self) -> dict[str, float]:
        """Means over the images; empty where none has neighbours.

        `neighbour_similarity`: cosine similarity of regions that share an edge. `similarity`: of all pairs.
        `smoothness`: the former less the latter. `moran_i`: Moran's I with these neighbours, the scalar product in
        place of the product (Moran 1950, *Notes on continuous stochastic phenomena*): 1 where neighbours are equal,
        -1 / (R - 1) on average where place means nothing.
        """
        if not self._images:
            return {}
        means = {name: value / self._images for name, value in self._sums.items()}
        return {**means, "smoothness": means["neighbour_similarity"] - means["similarity"]}


def _neighbour_product(regions: Tensor) -> Tensor:
    """(N,) mean scalar product of the regions (N, h, w, D) that share an edge."""
    height, width = regions.shape[1:3]
    across = (regions[:, :, 1:] * regions[:, :, :-1]).sum(dim=(1, 2, 3))
    down = (regions[:, 1:] * regions[:, :-1]).sum(dim=(1, 2, 3))
    return (across + down) / (height * (width - 1) + (height - 1) * width)
