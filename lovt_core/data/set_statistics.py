"""What a prepared data set holds, per part of its split: samples, findings, boxes, pixels, reports."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lovt_core.data.pixel_statistics import compute_pixel_statistics
from lovt_core.data.prepared import PreparedData
from lovt_core.data.reports.statistics import ReportStatistics, compute_report_statistics
from lovt_core.data.splits import NAMES, Split
from lovt_core.errors import DataError


@dataclass(frozen=True)
class ClassStatistics:
    """One class of masks and boxes."""

    name: str
    images: int
    """Images with at least one positive pixel."""
    boxes: int
    area: float
    """Mean share of positive pixels in these images; 0 where there are none."""


@dataclass(frozen=True)
class PartStatistics:
    """One part of a split."""

    name: str
    samples: int
    images: int
    patients: int
    positive: int | None
    """Images with a mask that is not empty; None where there are no classes."""
    classes: tuple[ClassStatistics, ...]
    pixels: tuple[float, float] | None
    """Mean and standard deviation of [0, 1] pixels (PROTOCOL A.2, B.1); None where there is no contrast."""
    findings: tuple[tuple[str, int, int, int], ...]
    """Name, and samples that have it present, absent, uncertain."""
    reports: ReportStatistics | None


def compute_set_statistics(data: PreparedData, split: Split) -> tuple[PartStatistics, ...]:
    """Statistics of every part that is not empty."""
    return tuple(_describe_part(data, name, rows) for name, rows in zip(NAMES, split.parts, strict=True) if rows)


def _describe_part(data: PreparedData, name: str, rows: Sequence[int]) -> PartStatistics:
    samples = [data.samples[row] for row in rows]
    images = [image for sample in samples for image in sample.images]
    classes, positive = _count_classes(data, images)
    return PartStatistics(
        name=name,
        samples=len(samples),
        images=len(images),
        patients=len({sample.patient for sample in samples}),
        positive=positive if data.num_classes else None,
        classes=classes,
        pixels=_measure_pixels(data, rows),
        findings=_count_findings(data, rows),
        reports=compute_report_statistics(sample.sentences for sample in samples) if data.meta.num_sentences else None,
    )


def _count_classes(data: PreparedData, images: Sequence[int]) -> tuple[tuple[ClassStatistics, ...], int]:
    """Statistics of each class, and how many images have any positive pixel."""
    if not data.num_classes:
        return (), 0
    boxes: Counter[int] = Counter()
    marked: Counter[int] = Counter()
    area: Counter[int] = Counter()
    positive = 0
    for image in images:
        boxes.update(data.boxes(image)[1].tolist())
        shares = data.mask(image).mean(axis=(1, 2)).tolist()
        positive += any(shares)
        for label, share in enumerate(shares):
            marked[label] += share > 0
            area[label] += share
    statistics = tuple(
        ClassStatistics(name, marked[label], boxes[label], area[label] / marked[label] if marked[label] else 0.0)
        for label, name in enumerate(data.meta.classes)
    )
    return statistics, positive


def _measure_pixels(data: PreparedData, rows: Sequence[int]) -> tuple[float, float] | None:
    try:
        return compute_pixel_statistics(data, rows)
    except DataError:
        return None


def _count_findings(data: PreparedData, rows: Sequence[int]) -> tuple[tuple[str, int, int, int], ...]:
    counts: Counter[tuple[str, int]] = Counter()
    for row in rows:
        counts.update(data.samples[row].findings)
    names = sorted({name for name, _ in counts})
    return tuple((name, counts[name, 1], counts[name, 0], counts[name, -1]) for name in names)
