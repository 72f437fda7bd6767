"""Smoothness against pairs of cells, one by one."""

from itertools import combinations

import pytest
import torch

from lovt_core.monitoring.smoothness import compute_smoothness
from lovt_core.objectives.unit_length import scale_to_unit_length


def _draw_regions(num_samples: int, grid: tuple[int, int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return scale_to_unit_length(torch.randn(num_samples, grid[0] * grid[1], 5, generator=generator))


@pytest.mark.parametrize("grid", [(3, 4), (1, 3), (2, 1)])
def test_neighbours_less_all_pairs(grid: tuple[int, int]) -> None:
    regions = _draw_regions(2, grid)
    places = [(row, column) for row in range(grid[0]) for column in range(grid[1])]
    for sample, got in zip(regions, compute_smoothness(regions, grid).tolist(), strict=True):
        pairs = list(combinations(range(len(places)), 2))
        similarity = {pair: float(sample[pair[0]] @ sample[pair[1]]) for pair in pairs}
        beside = [
            similarity[i, j]
            for i, j in pairs
            if abs(places[i][0] - places[j][0]) + abs(places[i][1] - places[j][1]) == 1
        ]
        assert got == pytest.approx(sum(beside) / len(beside) - sum(similarity.values()) / len(pairs), abs=1e-6)


def test_a_gradient_is_smooth_and_equal_regions_are_not() -> None:
    angles = torch.linspace(0, 1.5, 7).expand(7, 7).flatten()
    gradient = torch.stack([angles.cos(), angles.sin()], dim=1)[None]
    assert float(compute_smoothness(gradient, (7, 7))) > 0.05
    assert float(compute_smoothness(gradient[:, :1].expand(1, 49, 2), (7, 7))) == pytest.approx(0, abs=1e-6)
