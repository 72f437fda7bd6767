"""A tiny encoder and images straight from tensors, for tests of feature stores."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import torch

from lovt_core.evaluation.features.files import FeatureFiles
from lovt_core.evaluation.features.source import EncoderAtWork, FeatureSource
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.models.trunk import create_trunk
from lovt_core.training.precision import Precision
from lovt_core.values import Alarm
from tests.core.evaluation.factories import BACKBONE, SIZE

SAMPLES = tuple(range(100, 140))
"""More than one pass of the encoder; their numbers are no rows."""
STRIDES = (8, 16)


@dataclass(eq=False)
class TensorImages:
    """Looks like `TaskData`; notes which samples' images were read."""

    seed: int = 0
    statistics: tuple[float, float] | None = None
    samples: tuple[int, ...] = SAMPLES
    read: list = field(default_factory=list)

    @property
    def prepared(self):
        return SimpleNamespace(fingerprint=f"images-{self.seed}")

    def images(self, samples, device):
        self.read.extend(samples)
        drawn = [torch.Generator().manual_seed(1000 * self.seed + sample) for sample in samples]
        return torch.stack([torch.randn(1, SIZE, SIZE, generator=generator) for generator in drawn]).to(device)


def make_encoder(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ImageEncoder(create_trunk(BACKBONE, 16), 16).to(memory_format=torch.channels_last)


def make_precision(name="fp32"):
    return Precision(name, torch.device("cpu"))


def make_source(encoder, data=None, precision="fp32", strides=STRIDES, samples=SAMPLES):
    working = EncoderAtWork(encoder, strides, "cpu", make_precision(precision))
    return FeatureSource(working, data or TensorImages(), samples)


def finish(generator):
    """All that it yields, and what it returns."""
    values = []
    while True:
        try:
            values.append(next(generator))
        except StopIteration as end:
            return values, end.value


def assert_same(first, second):
    """Equal to the bit, number format and memory layout included."""
    assert first.keys() == second.keys()
    for stride, maps in first.items():
        assert maps.dtype == second[stride].dtype
        assert maps.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(maps, second[stride])


KEYS = [letter * 64 for letter in "abcd"]
NUM_BYTES = 40 * (48 * 8 * 8 + 192 * 4 * 4) * 4
"""Of the features of all samples in fp32."""


@dataclass(frozen=True)
class FileCache:
    """A folder of entries; tests call them by the numbers of their keys."""

    folder: Path
    encoder: ImageEncoder

    def start(self, key=0, budget=10**9, data=None):
        """Begin to open an entry, building it where it is not there."""
        source = make_source(self.encoder, data)
        return FeatureFiles(self.folder, budget).open(KEYS[key], source, SAMPLES, NUM_BYTES)

    def open(self, *args, **kwargs):
        """What opening an entry yields, and the store."""
        return finish(self.start(*args, **kwargs))

    def entry(self, key=0):
        """Folder of the entry."""
        return self.folder / KEYS[key][:32]

    def names(self):
        """Everything in the folder but its own lock."""
        return {path.name for path in self.folder.iterdir()} - {".lock"}

    def names_of(self, *keys):
        """What whole entries and their locks are called."""
        return {name for key in keys for name in (self.entry(key).name, f"{self.entry(key).name}.lock")}

    def set_last_use(self, *keys):
        """Make these entries' last uses follow one another, long ago."""
        for time, key in enumerate(keys, start=1):
            os.utime(self.entry(key) / "meta.json", (time, time))


def alarms(values):
    """Messages among what a generator yielded."""
    return [value.message for value in values if isinstance(value, Alarm)]
