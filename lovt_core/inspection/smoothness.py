"""How alike neighbouring regions are, over many images."""

from torch import Tensor

from lovt_core.inspection.trained_method import Grid
from lovt_core.monitoring.smoothness import compute_moran_i, compute_neighbour_similarity, compute_pair_similarity
from lovt_core.objectives.unit_length import scale_to_unit_length


class Smoothness:
    """Means over images whose regions are added batch by batch."""

    def __init__(self) -> None:
        self._images = 0
        self._sums = {"neighbour_similarity": 0.0, "similarity": 0.0, "moran_i": 0.0}

    def add(self, regions: Tensor, grid: Grid) -> None:
        """Regions (B, R, D), which are scaled to unit length; a grid of a single region has no smoothness."""
        if regions.shape[1] < 2:
            return
        unit = scale_to_unit_length(regions)
        self._images += len(regions)
        self._sums["neighbour_similarity"] += float(compute_neighbour_similarity(unit, grid).sum())
        self._sums["similarity"] += float(compute_pair_similarity(unit).sum())
        self._sums["moran_i"] += float(compute_moran_i(unit, grid).sum())

    def compute(self) -> dict[str, float]:
        """Means over the images (`monitoring/smoothness.py`); empty where none has neighbours.

        `smoothness` is `neighbour_similarity` less `similarity`, that of all pairs.
        """
        if not self._images:
            return {}
        means = {name: value / self._images for name, value in self._sums.items()}
        return {**means, "smoothness": means["neighbour_similarity"] - means["similarity"]}
