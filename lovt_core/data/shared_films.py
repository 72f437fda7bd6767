"""Films that two prepared sets share, and films and patients that the parts of one split share.

I is the number of images of a set. A film is known again by its perceptual hash (`overlap.py`), a patient by the id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lovt_core.data.inventory import open_all
from lovt_core.data.overlap import FARTHEST, Hashes, Rows, find_matches, find_overlapping
from lovt_core.data.prepared import PreparedData
from lovt_core.data.splits import NAMES, Split

UNASSIGNED = "unassigned"
"""Samples that no part of the split holds."""
ALL = "all"
"""All parts together."""
PARTS = (*NAMES, UNASSIGNED)

Mask = npt.NDArray[np.bool_]
"""(I,)."""


@dataclass(frozen=True)
class Count:
    """How much of a set."""

    images: int
    samples: int
    """Samples with such an image."""
    patients: int
    """Patients with such an image."""


@dataclass(frozen=True)
class Cell:
    """What of one part is also in another part."""

    part: str
    """One of PARTS, or ALL."""
    other_part: str
    shared: Count
    """Of `part`."""


@dataclass(frozen=True)
class FilmPair:
    """An image, and the nearest of the images it is compared with."""

    image: int
    """Row of the image."""
    other_image: int
    distance: int
    """Differing bits of the hashes."""


@dataclass(frozen=True)
class SharedFilms:
    """How many images of one set are also in another (by perceptual hash)."""

    other: str
    """Name of the other set."""
    fingerprint: str
    """Fingerprint of the other set's version."""
    images: int
    """Images of the one set with a match in the other."""
    of: int
    """All images of the one set."""
    others: int
    """Images of the other set with a match in the one."""
    of_others: int
    """All images of the other set."""


@dataclass(frozen=True)
class SharedTable:
    """What of one set is also in another; parts without a sample are left out."""

    sizes: Mapping[str, Count]
    """Of the one set, by part, ALL last."""
    other_sizes: Mapping[str, Count]
    """Of the other set."""
    cells: tuple[Cell, ...]
    """Each part of the one set, then ALL, by each part of the other set, then ALL."""
    pairs: tuple[FilmPair, ...]
    """Each image of the one set that has a match, with its nearest; nearest first."""


@dataclass(frozen=True)
class InnerTable:
    """What the parts of one split share; parts without a sample are left out."""

    sizes: Mapping[str, Count]
    """By part, ALL last."""
    by_film: tuple[Cell, ...]
    """Each part, then ALL, by each part, then ALL; a part is not compared with itself, ALL means any other part."""
    by_patient: tuple[Cell, ...]
    """Likewise, for what belongs to a patient whose id is also in the other part."""
    pairs: tuple[FilmPair, ...]
    """Each image that has a match in another part, with its nearest; each pair of rows once, nearest first."""


def count_shared_films(data: PreparedData, root: Path) -> tuple[SharedFilms, ...]:
    """Shared films with every other prepared data set; raises DataError for a damaged one."""
    return tuple(compare_films(data, other) for other in open_all(root) if other.name != data.name)


def compare_films(data: PreparedData, other: PreparedData) -> SharedFilms:
    """Shared films of two data sets as they are, split or not."""
    return SharedFilms(
        other=other.name,
        fingerprint=other.fingerprint,
        images=int(find_overlapping(data.hashes, other.hashes).sum()),
        of=data.num_images,
        others=int(find_overlapping(other.hashes, data.hashes).sum()),
        of_others=other.num_images,
    )


def compare_sets(data: PreparedData, split: Split, other: PreparedData, other_split: Split) -> SharedTable:
    """Count what of each part of `data` is also in each part of `other`."""
    films, other_films = _list_films(data, split), _list_films(other, other_split)
    nearest = _Nearest(films.hashes, other_films.hashes)
    everywhere = np.ones(len(films.parts), dtype=bool)
    found = {part: nearest.search(everywhere, other_films.is_in(part)) for part in other_films.names}
    return SharedTable(films.sizes(), other_films.sizes(), films.count_cells(found), nearest.pairs())


def compare_parts(data: PreparedData, split: Split) -> InnerTable:
    """Count what each part of the split shares with each other part."""
    films = _list_films(data, split)
    nearest = _Nearest(films.hashes, films.hashes)
    by_film: dict[str, Mask] = {}
    by_patient: dict[str, Mask] = {}
    for part in films.names:
        inside = films.is_in(part)
        by_film[part] = nearest.search(~inside, inside)
        by_patient[part] = np.isin(films.patients, films.patients[inside]) & ~inside
    pairs: dict[frozenset[int], FilmPair] = {}
    for pair in nearest.pairs():
        pairs.setdefault(frozenset((pair.image, pair.other_image)), pair)
    return InnerTable(
        sizes=films.sizes(),
        by_film=films.count_cells(by_film, with_itself=False),
        by_patient=films.count_cells(by_patient, with_itself=False),
        pairs=tuple(pairs.values()),
    )


@dataclass(frozen=True)
class _Films:
    """The images of a set by row, with what each belongs to."""

    hashes: Hashes
    samples: Rows
    """(I,) row of its sample."""
    patients: Rows
    """(I,) number of its patient."""
    parts: Rows
    """(I,) index of its part in PARTS."""

    @property
    def names(self) -> tuple[str, ...]:
        """Parts that hold an image."""
        return tuple(part for part in PARTS if self.is_in(part).any())

    def is_in(self, part: str) -> Mask:
        """Whether each image is in the part."""
        return np.ones(len(self.parts), dtype=bool) if part == ALL else self.parts == PARTS.index(part)

    def count(self, mask: Mask) -> Count:
        """How much these images are."""
        return Count(int(mask.sum()), len(np.unique(self.samples[mask])), len(np.unique(self.patients[mask])))

    def sizes(self) -> dict[str, Count]:
        """Of each part that holds an image, and of all."""
        return {part: self.count(self.is_in(part)) for part in (*self.names, ALL)}

    def count_cells(self, found: Mapping[str, Mask], *, with_itself: bool = True) -> tuple[Cell, ...]:
        """Count the images found in each other part, and in any of them."""
        found = {**found, ALL: np.logical_or.reduce([np.zeros(len(self.parts), dtype=bool), *found.values()])}
        return tuple(
            Cell(part, other_part, self.count(mask & self.is_in(part)))
            for part in (*self.names, ALL)
            for other_part, mask in found.items()
            if with_itself or part != other_part or part == ALL
        )


def _list_films(data: PreparedData, split: Split) -> _Films:
    numbers: dict[str, int] = {}
    samples, patients = np.full((2, data.num_images), -1, dtype=np.int64)
    parts = np.full(data.num_images, PARTS.index(UNASSIGNED), dtype=np.int64)
    part_of_sample = {row: number for number, rows in enumerate(split.parts) for row in rows}
    for row, sample in enumerate(data.samples):
        images = list(sample.images)
        samples[images] = row
        patients[images] = numbers.setdefault(sample.patient, len(numbers))
        parts[images] = part_of_sample.get(row, PARTS.index(UNASSIGNED))
    return _Films(data.hashes, samples, patients, parts)


class _Nearest:
    """The nearest match of each image in all searches so far."""

    def __init__(self, hashes: Hashes, other_hashes: Hashes) -> None:
        self._hashes, self._other_hashes = hashes, other_hashes
        self._distances = np.full(len(hashes), FARTHEST, dtype=np.int64)
        self._others = np.full(len(hashes), -1, dtype=np.int64)

    def search(self, asked: Mask, among: Mask) -> Mask:
        """Whether each image is `asked` for and matches one of the other images `among`."""
        rows, others = np.flatnonzero(asked), np.flatnonzero(among)
        matches = find_matches(self._hashes[rows], self._other_hashes[others])
        matched = matches.rows >= 0
        rows, distances, others = rows[matched], matches.distances[matched], others[matches.rows[matched]]
        closer = distances < self._distances[rows]
        self._distances[rows[closer]], self._others[rows[closer]] = distances[closer], others[closer]
        found = np.zeros(len(self._hashes), dtype=bool)
        found[rows] = True
        return found

    def pairs(self) -> tuple[FilmPair, ...]:
        """Each image that has a match, with its nearest; nearest first, then by row."""
        found = np.flatnonzero(self._others >= 0)
        found = found[np.argsort(self._distances[found], kind="stable")]
        columns = (found, self._others[found], self._distances[found])
        return tuple(FilmPair(*values) for values in zip(*(column.tolist() for column in columns), strict=True))
