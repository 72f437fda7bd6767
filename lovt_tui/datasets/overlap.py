"""Films that data sets share as tables to print or to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lovt_core.data.prepared import PreparedData
    from lovt_core.data.shared_films import InnerTable, SharedFilms
    from lovt_core.data.splits import Split

INNER_HEADINGS = ("films", "their patients", "patients by id", "their images")


@dataclass(frozen=True)
class Table:
    """A title, headings and rows; numbers stand right."""

    title: str
    headings: tuple[str, ...]
    rows: "tuple[tuple[str | int, ...], ...]"


@dataclass(frozen=True)
class SetOverlap:
    """What one set shares with the others, and the parts of its split with one another."""

    split: "Split"
    inner: "InnerTable"
    shared: "tuple[tuple[str, SharedFilms], ...]"
    """Name of the one set, and what it shares with each other one."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Those that have rows."""
        return tuple(table for table in (inner_table(self.inner), shared_table(self.shared)) if table.rows)


def find_overlap(data: "PreparedData", split: "Split", root: Path) -> SetOverlap:
    """Compare a set with all that is prepared in `root`; raises DataError for a damaged set."""
    from lovt_core.data.shared_films import compare_parts, count_shared_films

    shared = tuple((data.name, films) for films in count_shared_films(data, root))
    return SetOverlap(split, compare_parts(data, split), shared)


def choose_split(data: "PreparedData", spec: str | None) -> "Split":
    """The split asked for; where none was and the set is too small to be split, one that holds nothing."""
    from lovt_core.config.split_names import AUTO
    from lovt_core.data.splits import Split, build_split
    from lovt_core.errors import DataError

    if spec is not None:
        return build_split(data, spec)
    try:
        return build_split(data, AUTO)
    except DataError as error:
        return Split(spec="none", train=(), validation=(), test=(), fingerprint="", announcement=f"not split: {error}")


def inner_table(table: "InnerTable") -> Table:
    """Films and patients in more than one part of a split."""
    from lovt_core.data.shared_films import ALL

    rows = tuple(
        (film.part, film.other_part, film.shared.images, film.shared.patients, same.shared.patients, same.shared.images)
        for film, same in zip(table.by_film, table.by_patient, strict=True)
        if (film.part == ALL) == (film.other_part == ALL)
    )
    return Table("In two parts of the split:", ("part", "also in", *INNER_HEADINGS), rows)


def shared_table(shared: "Sequence[tuple[str, SharedFilms]]") -> Table:
    """Pairs of sets that share films."""
    rows = tuple(
        (name, films.other, f"{films.images:,} of {films.of:,}", f"{films.others:,} of {films.of_others:,}")
        for name, films in shared
        if films.images
    )
    return Table("In two data sets:", ("A", "B", "images of A in B", "images of B in A"), rows)


def unshared_text(shared: "Sequence[tuple[str, SharedFilms]]") -> str:
    """How many pairs of sets share no film; empty where all do."""
    unshared = sum(not films.images for _, films in shared)
    return f"Pairs of data sets that share no film: {unshared} of {len(shared)}" if unshared else ""
