"""What is prepared under a root, and which sets share films."""

from dataclasses import dataclass
from pathlib import Path

from lovt_core.data.catalog import DATA_SETS
from lovt_core.data.data_set import DataSet
from lovt_core.data.overlap import find_overlapping
from lovt_core.data.prepared import PreparedData, open_prepared
from lovt_core.data.prepared_meta import PreparedMeta, load_meta
from lovt_core.data.versions import find_versions, load_current
from lovt_core.errors import DataError


@dataclass(frozen=True)
class Version:
    """One prepared version."""

    folder: Path
    is_current: bool
    """The one that is opened for its size."""
    meta: PreparedMeta | None
    """None where it is damaged."""
    problem: str = ""
    """What is damaged."""


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


def list_versions(root: Path, name: str) -> tuple[Version, ...]:
    """All versions of a data set, sorted by folder name; damaged ones say what is wrong. Raises nothing for them."""
    problem = ""
    try:
        current = set(load_current(root, name).values())
    except DataError as error:
        current, problem = set(), str(error)
    return tuple(_describe(folder, folder.name in current, problem) for folder in find_versions(root, name))


def _describe(folder: Path, is_current: bool, problem: str) -> Version:
    try:
        return Version(folder, is_current, load_meta(folder), problem)
    except DataError as error:
        return Version(folder, is_current, None, str(error))


def open_any_size(root: Path, data_set: DataSet) -> PreparedData:
    """Its current version, at the default size where there is one (hashes do not depend on the size).

    Raises DataError that names the command to run where none is prepared.
    """
    sizes = load_current(root, data_set.name)
    size = data_set.default_size if data_set.default_size in sizes or not sizes else min(sizes)
    return open_prepared(root, data_set.name, size)


def open_all(root: Path) -> tuple[PreparedData, ...]:
    """Every data set that is prepared, in the order of the catalogue; raises DataError for a damaged one."""
    return tuple(open_any_size(root, data_set) for data_set in DATA_SETS if load_current(root, data_set.name))


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
