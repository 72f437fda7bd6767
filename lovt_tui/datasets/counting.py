"""How much of a prepared version is in each part of its split. Reads all its samples: for worker threads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lovt_core.data.inventory import Version
    from lovt_core.data.prepared import PreparedData, Sample
    from lovt_core.data.set_statistics import PartStatistics

MAX_SAMPLES: Final = 50_000
"""Larger sets are counted only when asked to: their samples alone take seconds to read."""


@dataclass(frozen=True)
class PartCount:
    """One part of a split that is not empty."""

    name: str
    samples: int
    images: int
    patients: int
    positives: int | None
    """Images with something marked; None where the set has no masks."""


@dataclass(frozen=True)
class Counts:
    """All parts, and what was split how; or why the set is not split."""

    announcement: str
    parts: tuple[PartCount, ...] = ()


def count_parts(version: "Version") -> Counts:
    """Count the current split of a version; raises DataError for a damaged one."""
    from lovt_core.data.prepared import PreparedData
    from lovt_core.data.splits import NAMES
    from lovt_tui.datasets.overlap import choose_split

    data = PreparedData(version.folder)
    samples = data.samples  # damaged ones raise here, rather than pass for too few to be split
    split = choose_split(data, None)
    named = zip(NAMES, split.parts, strict=True)
    parts = tuple(_count(data, name, [samples[row] for row in rows]) for name, rows in named if rows)
    return Counts(split.announcement, parts)


def _count(data: "PreparedData", name: str, samples: "Sequence[Sample]") -> PartCount:
    images = [image for sample in samples for image in sample.images]
    positives = sum(bool(data.mask(image).any()) for image in images) if data.num_classes else None
    return PartCount(name, len(samples), len(images), len({sample.patient for sample in samples}), positives)


def measure_parts(version: "Version") -> "tuple[PartStatistics, ...]":
    """Statistics of each part (`lovt data stats`); raises DataError for a damaged version or a bad split."""
    from lovt_core.config.split_names import AUTO
    from lovt_core.data.prepared import PreparedData
    from lovt_core.data.set_statistics import compute_set_statistics
    from lovt_core.data.splits import build_split

    data = PreparedData(version.folder)
    return compute_set_statistics(data, build_split(data, AUTO))
