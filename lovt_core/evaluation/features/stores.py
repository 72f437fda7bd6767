"""Which features are kept where: in memory as far as the budget goes, else in files, else nowhere."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from lovt_core.config.evaluation import FeatureCacheConfig
from lovt_core.evaluation.features.files import FeatureFiles
from lovt_core.evaluation.features.memory import MemoryStore, Shapes, count_bytes, free_bytes
from lovt_core.evaluation.features.source import EncoderAtWork, FeatureSource, FeatureStore
from lovt_core.evaluation.task_data import TaskData
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.training.precision import Precision
from lovt_core.values import Alarm, Progress

GIGABYTE = 10**9


@dataclass
class _Kept:
    source: FeatureSource
    num_bytes: int
    """In memory."""


class FeatureStores:
    """Sources of features of all encoders and data sets of an evaluation; the least recently used ones make room."""

    def __init__(self, config: FeatureCacheConfig, folder: Path | None, device: str, precision: Precision) -> None:
        """`folder` is where files may be kept."""
        budget = free_bytes(device) // 2 if config.memory_gb is None else int(config.memory_gb * GIGABYTE)
        self.memory_bytes = budget
        self._files = FeatureFiles(folder, int(config.disk_gb * GIGABYTE)) if folder and config.disk_gb else None
        self._device = device
        self._precision = precision
        self._kept: dict[str, _Kept] = {}

    def open(
        self, encoder: ImageEncoder, data: TaskData, strides: tuple[int, ...], samples: Sequence[int]
    ) -> Generator[Progress | Alarm, None, FeatureSource]:
        """The source of these strides' features for `samples`; the same one when asked again."""
        working = EncoderAtWork(encoder, strides, self._device, self._precision)
        key = _compute_key(working, data, samples)
        if key in self._kept:
            self._kept[key] = self._kept.pop(key)
            return self._kept[key].source
        shapes, dtype = find_shapes(working, data)
        num_bytes = count_bytes(len(samples), shapes, dtype)
        if num_bytes > self.memory_bytes and count_bytes(len(data.samples), shapes, dtype) <= self.memory_bytes:
            samples = data.samples  # those of this task alone fit
            num_bytes = count_bytes(len(samples), shapes, dtype)
        source = FeatureSource(working, data, samples)
        if num_bytes <= self.memory_bytes:
            self._make_room(num_bytes)
            source.keep_in(MemoryStore(len(samples), shapes, dtype, self._device))
        else:
            num_bytes, store = 0, (yield from self._open_files(key, source, samples, num_bytes))
            if store is not None:
                source.keep_in(store)
        self._kept[key] = _Kept(source, num_bytes)
        return source

    def count_fitting(self, encoder: ImageEncoder, data: TaskData, strides: tuple[int, ...], num_samples: int) -> int:
        """How many encoders' features of this kind fit into memory at once; at least one."""
        working = EncoderAtWork(encoder, strides, self._device, self._precision)
        return max(1, self.memory_bytes // max(1, count_bytes(num_samples, *find_shapes(working, data))))

    def forget(self) -> None:
        """Drop everything: another data set comes."""
        self._kept.clear()

    def _make_room(self, num_bytes: int) -> None:
        while sum(kept.num_bytes for kept in self._kept.values()) + num_bytes > self.memory_bytes:
            del self._kept[next(key for key, kept in self._kept.items() if kept.num_bytes)]

    def _open_files(
        self, key: str, source: FeatureSource, samples: Sequence[int], num_bytes: int
    ) -> Generator[Progress | Alarm, None, FeatureStore | None]:
        size = f"{num_bytes / GIGABYTE:.1f} GB of features do not fit into the memory budget of "
        size += f"{self.memory_bytes / GIGABYTE:.1f} GB"
        if self._files is None:
            yield Alarm(f"{size}: they are computed anew in every epoch (cache.memory_gb, cache.disk_gb)")
            return None
        return (yield from self._files.open(key, source, samples, num_bytes))


def find_shapes(working: EncoderAtWork, data: TaskData) -> tuple[Shapes, torch.dtype]:
    """Shapes and number format of the features of one image."""
    working.encoder.to(working.device)
    features = working.encode(data.images(data.samples[:1], working.device))
    shapes = {stride: (maps.shape[1], maps.shape[2], maps.shape[3]) for stride, maps in features.items()}
    return shapes, next(iter(features.values())).dtype


def _compute_key(working: EncoderAtWork, data: TaskData, samples: Sequence[int]) -> str:
    """Hex digits that are equal only where the features are."""
    digest = hashlib.sha256(working.encoder.fingerprint().encode())
    digest.update(f"{working.encoder.trunk} {working.device.partition(':')[0]}".encode())
    digest.update(repr((data.prepared.fingerprint, data.statistics, working.strides)).encode())
    digest.update(repr((working.precision.name, tuple(samples))).encode())
    return digest.hexdigest()
