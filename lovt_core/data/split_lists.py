"""Lists of sample ids for training, validation and test: the published ones, and a user's own.

The published lists ship with the package (`published/`, with their source and licence). Others are a folder with
`train.csv`, `validation.csv` and `test.csv`, each with a column `ID`, as the authors of LoVT publish theirs.
"""

import csv
import functools
import hashlib
import io
import json
import lzma
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from lovt_core.data.tables import stream_table
from lovt_core.errors import DataError

PARTS = ("train", "validation", "test")
LIST_FILES = tuple(f"{part}.csv" for part in PARTS)


@dataclass(frozen=True)
class SplitLists:
    """Ids of each part, in the order of the list: subsets are its first ids (PROTOCOL A.1)."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def parts(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Training, validation, test."""
        return self.train, self.validation, self.test

    @functools.cached_property
    def ids(self) -> frozenset[str]:
        """All ids."""
        return frozenset(id_ for part in self.parts for id_ in part)

    @property
    def digest(self) -> str:
        """First 8 hex digits of a sha256 over the lists: their name among a data set's splits."""
        return hashlib.sha256(json.dumps(self.parts).encode()).hexdigest()[:8]


@functools.cache
def load_published(name: str) -> SplitLists | None:
    """The published lists of a data set; None where none were published."""
    file = resources.files("lovt_core.data") / "published" / f"{name}.csv.xz"
    if not file.is_file():
        return None
    rows = list(csv.DictReader(io.StringIO(lzma.decompress(file.read_bytes()).decode())))
    return SplitLists(*(tuple(row["id"] for row in rows if row["part"] == part) for part in PARTS))


def load_lists(folder: Path) -> SplitLists:
    """Lists of a folder; raises DataError for a missing or damaged list, and for an id that occurs twice."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; split lists are a folder with {', '.join(LIST_FILES)}")
    missing = [name for name in LIST_FILES if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder}: no {' and no '.join(missing)} there: split lists are {', '.join(LIST_FILES)}")
    lists = SplitLists(*(_load_list(folder / name) for name in LIST_FILES))
    twice = [id_ for id_, count in Counter(id_ for part in lists.parts for id_ in part).items() if count > 1]
    if twice:
        raise DataError(f"{folder}: {len(twice)} ids occur more than once in the lists, for example {twice[0]}")
    return lists


def _load_list(path: Path) -> tuple[str, ...]:
    return tuple(row["id"] for row in stream_table(path, ("id",), may_be_empty=True))


@dataclass(frozen=True)
class Agreement:
    """How the ids of a download agree with lists."""

    found: int
    """Ids of the lists that are in the download."""
    missing: tuple[str, ...]
    """Ids of the lists that are not."""
    extra: tuple[str, ...]
    """Ids of the download that are in no list."""
    repeated: tuple[str, ...]
    """Ids that occur more than once in the download."""

    @property
    def is_exact(self) -> bool:
        """Whether the download holds exactly the listed ids, each once."""
        return not (self.missing or self.extra or self.repeated)


def compare_ids(lists: SplitLists, ids: tuple[str, ...]) -> Agreement:
    """Compare the ids of a download with lists."""
    counts = Counter(ids)
    listed = [id_ for part in lists.parts for id_ in part]
    return Agreement(
        found=sum(id_ in counts for id_ in listed),
        missing=tuple(id_ for id_ in listed if id_ not in counts),
        extra=tuple(id_ for id_ in counts if id_ not in lists.ids),
        repeated=tuple(id_ for id_, count in counts.items() if count > 1),
    )
