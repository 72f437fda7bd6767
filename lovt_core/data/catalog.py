"""All data sets, each with the code that reads its download.

Adding one: a file in `sources/`, an entry here, a layout in `synthetic/layouts/` and a tiny download in the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lovt_core.data.data_set import DataSet
from lovt_core.data.sources import (
    covid_chestxray,
    covid_rural,
    mimic_cxr,
    nih_cxr,
    object_cxr,
    openi,
    paired_csv,
    rsna,
    siim,
)
from lovt_core.data.sources.download import Download, Labels
from lovt_core.errors import DataError

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A data set and how its download is read."""

    data_set: DataSet
    scan: Callable[[Path], Download]
    """Find the samples in a download; raises DataError for a wrong folder or a damaged table."""
    read_labels: Callable[[Path], Labels]
    """Read the tables alone, images or not; raises DataError likewise."""


SOURCES: tuple[Source, ...] = (
    Source(mimic_cxr.DATA_SET, mimic_cxr.scan, mimic_cxr.read_labels),
    Source(openi.DATA_SET, openi.scan, openi.read_labels),
    Source(covid_chestxray.DATA_SET, covid_chestxray.scan, covid_chestxray.read_labels),
    Source(paired_csv.DATA_SET, paired_csv.scan, paired_csv.read_labels),
    Source(rsna.DATA_SET, rsna.scan, rsna.read_labels),
    Source(covid_rural.DATA_SET, covid_rural.scan, covid_rural.read_labels),
    Source(siim.DATA_SET, siim.scan, siim.read_labels),
    Source(object_cxr.DATA_SET, object_cxr.scan, object_cxr.read_labels),
    Source(nih_cxr.DATA_SET, nih_cxr.scan, nih_cxr.read_labels),
)
"""Paired sets first, then the localized ones in the order of the paper."""

DATA_SETS: tuple[DataSet, ...] = tuple(source.data_set for source in SOURCES)


def find_data_set(name: str) -> DataSet:
    """The data set of that name; raises DataError naming the known ones."""
    return _find_source(name).data_set


def scan_download(data_set: DataSet, root: Path) -> Download:
    """Find the samples in the download at `root`; raises DataError for a wrong folder or a damaged table."""
    return _read(_find_source(data_set.name).scan, root)


def read_labels(data_set: DataSet, root: Path) -> Labels:
    """What the tables of the download at `root` say; raises DataError for a wrong folder or a damaged table."""
    return _read(_find_source(data_set.name).read_labels, root)


def _find_source(name: str) -> Source:
    for source in SOURCES:
        if source.data_set.name == name:
            return source
    known = ", ".join(data_set.name for data_set in DATA_SETS)
    raise DataError(f"unknown data set '{name}': known data sets are {known}")


def _read(read: Callable[[Path], T], root: Path) -> T:
    try:
        return read(root)
    except OSError as error:
        raise DataError(f"{error.filename or root}: cannot be read: {error.strerror}") from error
