"""Features of a frozen encoder for one data set: computed once and kept, or computed whenever they are asked for.

An encoder is frozen in evaluation mode and its images are not augmented (PROTOCOL A.3), so they never change.
Shapes: N samples, B batch, D feature channels, h x w feature grid.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lovt_core.errors import InputError
from lovt_core.evaluation.task_data import TaskData
from lovt_core.evaluation.training.order import Positions
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.training.precision import Precision
from lovt_core.values import Progress

IMAGES_PER_PASS = 32


class FeatureStore(Protocol):
    """Where features are kept, by row."""

    def find_missing(self, rows: Sequence[int]) -> list[int]:
        """Positions in `rows` of those that are not there yet."""

    def put(self, rows: Sequence[int], features: Mapping[int, Tensor]) -> None:
        """Keep features, stride -> (B, D, h, w), of these rows."""

    def take(self, rows: Positions) -> dict[int, Tensor]:
        """Features, stride -> (B, D, h, w) on the device that trains."""


class FeatureView(Protocol):
    """Features of some samples, ready to be taken."""

    def take(self, positions: Positions) -> dict[int, Tensor]:
        """Stride -> (B, D, h, w) of the samples at these positions."""


@dataclass(frozen=True)
class EncoderAtWork:
    """A frozen encoder on a device, with the strides that are asked of it."""

    encoder: ImageEncoder
    strides: tuple[int, ...]
    device: str
    precision: Precision

    @torch.no_grad()
    def encode(self, images: Tensor) -> dict[int, Tensor]:
        """Images (B, 1, H, W) -> stride -> features (B, D, h, w), channels last in memory.

        Raises InputError where they are not finite.
        """
        self.encoder.eval()
        with self.precision.autocast():
            features = self.encoder.forward_features(images)
        kept = {}
        for stride in self.strides:
            if not bool(torch.isfinite(features[stride]).all()):
                raise InputError(
                    f"the encoder yields features of stride {stride} that are not finite: its weights are broken, or "
                    f"too large for precision {self.precision.name}"
                )
            kept[stride] = features[stride].contiguous(memory_format=torch.channels_last)
        return kept


class FeatureSource:
    """What one encoder sees in the samples of one data set."""

    def __init__(self, working: EncoderAtWork, data: TaskData, samples: Sequence[int]) -> None:
        """Nothing is kept until there is a store."""
        self.working = working
        self.data = data
        self._rows = {sample: row for row, sample in enumerate(samples)}
        self._store: FeatureStore | None = None
        working.encoder.to(working.device).eval()

    @property
    def is_kept(self) -> bool:
        """Whether features are computed once only."""
        return self._store is not None

    def keep_in(self, store: FeatureStore) -> None:
        """Keep features from now on in `store`, which has a row for each sample in their order."""
        self._store = store

    def fill(self, samples: Sequence[int]) -> Generator[Progress, None, None]:
        """Compute what is missing of these samples, where features are kept at all; yields progress in images."""
        if self._store is None:
            return
        missing = self._store.find_missing([self._rows[sample] for sample in samples])
        done = 0
        for part in split_evenly(missing):
            chosen = [samples[position] for position in part]
            self._store.put([self._rows[sample] for sample in chosen], self.encode(chosen))
            done += len(part)
            yield Progress(done, len(missing), "image", "encoding")

    def open(self, samples: Sequence[int]) -> FeatureView:
        """Features of these samples; those that are not kept are computed now."""
        if self._store is None:
            return _EncodedNow(self, samples)
        for _ in self.fill(samples):
            pass
        return _Stored(self._store, np.asarray([self._rows[sample] for sample in samples]))

    def encode(self, samples: Sequence[int]) -> dict[int, Tensor]:
        """Stride -> features (B, D, h, w) of these samples, computed anew."""
        return self.working.encode(self.data.images(samples, self.working.device))


class _Stored:
    def __init__(self, store: FeatureStore, rows: Positions) -> None:
        self._store = store
        self._rows = rows

    def take(self, positions: Positions) -> dict[int, Tensor]:
        return self._store.take(self._rows[positions])


class _EncodedNow:
    def __init__(self, source: FeatureSource, samples: Sequence[int]) -> None:
        self._features: dict[int, Tensor] = {}
        done = 0
        for part in split_evenly(samples):
            for stride, maps in source.encode(part).items():
                if stride not in self._features:
                    self._features[stride] = _empty_like(maps, len(samples))
                self._features[stride][done : done + len(part)] = maps
            done += len(part)

    def take(self, positions: Positions) -> dict[int, Tensor]:
        return {stride: take_rows(features, positions) for stride, features in self._features.items()}


def _empty_like(maps: Tensor, count: int) -> Tensor:
    """Room for the maps of `count` images, channels last: all at once, so that nothing is held twice."""
    _, depth, height, width = maps.shape
    return maps.new_empty((count, height, width, depth)).permute(0, 3, 1, 2)


def take_rows(features: Tensor, rows: Positions) -> Tensor:
    """Rows of (N, D, h, w) channels-last features, channels last again."""
    index = torch.from_numpy(rows).to(features.device)
    return features.permute(0, 2, 3, 1)[index].permute(0, 3, 1, 2)


def split_evenly(rows: Sequence[int], largest: int = IMAGES_PER_PASS) -> list[Sequence[int]]:
    """Consecutive parts whose lengths differ by one at most, none longer than `largest`; none for no rows."""
    num_parts = -(-len(rows) // largest)
    bounds = [len(rows) * part // max(1, num_parts) for part in range(num_parts + 1)]
    return [rows[start:end] for start, end in pairwise(bounds)]
