"""Smoothness of regions against loops, and on grids whose answer is known."""

import numpy as np
import pytest
import torch

from lovt_core.inspection.smoothness import Smoothness


def compute_smoothness(regions, grid):
    smoothness = Smoothness()
    for part in regions.split(2):
        smoothness.add(part, grid)
    return smoothness.compute()


def compute_slowly(regions, grid):
    height, width = grid
    results = []
    for sample in regions.double().numpy():
        unit = [row / np.linalg.norm(row) for row in sample]
        mean = sum(unit) / len(unit)
        edges = [(r * width + c, r * width + c + 1) for r in range(height) for c in range(width - 1)]
        edges += [(r * width + c, (r + 1) * width + c) for r in range(height - 1) for c in range(width)]
        pairs = [(i, j) for i in range(len(unit)) for j in range(len(unit)) if i != j]
        variance = np.mean([np.dot(row - mean, row - mean) for row in unit])
        moran = np.mean([np.dot(unit[i] - mean, unit[j] - mean) for i, j in edges]) / variance
        results.append(
            (
                np.mean([np.dot(unit[i], unit[j]) for i, j in edges]),
                np.mean([np.dot(unit[i], unit[j]) for i, j in pairs]),
                moran,
            )
        )
    return np.mean(results, axis=0)


@pytest.mark.parametrize("grid", [(3, 4), (2, 1), (1, 5), (4, 4)])
def test_equals_the_naive_one(grid):
    regions = torch.randn(5, grid[0] * grid[1], 6, generator=torch.Generator().manual_seed(0))
    found = compute_smoothness(regions, grid)
    assert found.pop("smoothness") == pytest.approx(found["neighbour_similarity"] - found["similarity"])
    assert list(found.values()) == pytest.approx(compute_slowly(regions, grid).tolist(), abs=1e-5)
    assert list(found) == ["neighbour_similarity", "similarity", "moran_i"]


def test_a_gradient_is_smooth_and_a_chessboard_is_not():
    place = torch.linspace(0, 1.5, 64)
    gradient = torch.stack([place.cos(), place.sin()], dim=1)[None]
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    chess = torch.stack([(rows + columns) % 2, 1 - (rows + columns) % 2], dim=2).reshape(1, 64, 2).float()
    assert compute_smoothness(gradient, (8, 8))["moran_i"] > 0.8
    assert compute_smoothness(chess, (8, 8))["moran_i"] == pytest.approx(-1)
    noise = torch.randn(200, 64, 32, generator=torch.Generator().manual_seed(0))
    assert compute_smoothness(noise, (8, 8))["moran_i"] == pytest.approx(-1 / 63, abs=0.005)


def test_one_region_has_no_neighbours():
    assert compute_smoothness(torch.ones(2, 1, 3), (1, 1)) == {}
