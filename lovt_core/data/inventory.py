"""What is prepared under a root."""

from dataclasses import dataclass
from pathlib import Path

from lovt_core.data.catalog import DATA_SETS
from lovt_core.data.data_set import DataSet
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
