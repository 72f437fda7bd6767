"""Features kept in memory of the device that trains."""

from collections.abc import Mapping, Sequence

import psutil
import torch
from torch import Tensor

from lovt_core.evaluation.features.source import take_rows
from lovt_core.evaluation.training.order import Positions

Shapes = Mapping[int, tuple[int, int, int]]
"""Stride -> (D, h, w)."""


class MemoryStore:
    """One array for each stride, channels last; filled row by row."""

    def __init__(self, num_rows: int, shapes: Shapes, dtype: torch.dtype, device: str) -> None:
        self._features = {
            stride: torch.empty((num_rows, height, width, depth), dtype=dtype, device=device).permute(0, 3, 1, 2)
            for stride, (depth, height, width) in shapes.items()
        }
        self._is_there = torch.zeros(num_rows, dtype=torch.bool)

    def find_missing(self, rows: Sequence[int]) -> list[int]:
        """Positions in `rows` of those that are not there yet."""
        return (~self._is_there[list(rows)]).nonzero()[:, 0].tolist()

    def put(self, rows: Sequence[int], features: Mapping[int, Tensor]) -> None:
        """Keep features, stride -> (B, D, h, w), of these rows."""
        for stride, kept in self._features.items():
            kept[torch.tensor(rows, device=kept.device)] = features[stride].to(kept.dtype)
        self._is_there[list(rows)] = True

    def take(self, rows: Positions) -> dict[int, Tensor]:
        """Features, stride -> (B, D, h, w)."""
        return {stride: take_rows(features, rows) for stride, features in self._features.items()}


def count_bytes(num_rows: int, shapes: Shapes, dtype: torch.dtype) -> int:
    """Size of the features of so many samples."""
    return num_rows * dtype.itemsize * sum(depth * height * width for depth, height, width in shapes.values())


def free_bytes(device: str) -> int:
    """Memory of the device that nobody uses now."""
    if device == "cpu":
        return int(psutil.virtual_memory().available)
    return int(torch.cuda.mem_get_info(device)[0])
