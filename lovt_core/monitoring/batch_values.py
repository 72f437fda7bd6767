"""Values of single batches or samples, collected on their device and averaged in the end."""

import math
from collections import defaultdict

import torch
from torch import Tensor


class BatchValues:
    """Lists of scalars or vectors by name."""

    def __init__(self) -> None:
        self._values: defaultdict[str, list[Tensor]] = defaultdict(list)

    def add(self, **values: Tensor) -> None:
        """One scalar of a batch, or one vector with a value for each of its samples."""
        for name, value in values.items():
            self._values[name].append(value.reshape(-1))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def mean(self, name: str) -> float:
        """Unweighted mean of all values."""
        return float(self._all(name).mean())

    def deviation(self, name: str) -> float:
        """Standard deviation of all values (with one degree of freedom less); NaN for a single one."""
        values = self._all(name)
        return float(values.std()) if len(values) > 1 else math.nan

    def add_moments(self, name: str, of_samples: Tensor) -> None:
        """Mean and variance of a value over the samples (B,) of a batch; a lone sample has no variance."""
        self._values[name].append(of_samples.mean().reshape(1))
        if len(of_samples) > 1:
            self._values[f"{name} variance"].append(of_samples.var().reshape(1))

    def deviation_from_moments(self, name: str) -> float:
        """Root of the mean variance within batches plus the variance of the batches' means."""
        means = self._all(name).double()
        within = self._all(f"{name} variance").double().mean() if f"{name} variance" in self else means.new_tensor(0.0)
        between = means.var() if len(means) > 1 else means.new_tensor(0.0)
        return float((within + between).sqrt())

    def _all(self, name: str) -> Tensor:
        return torch.cat(self._values[name])
