"""`lovt data overlap`: films that data sets share, and films and patients that the parts of one split share."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.data.printing import print_line
from lovt_tui.datasets.overlap import (
    INNER_HEADINGS,
    Table,
    choose_split,
    find_overlap,
    inner_table,
    shared_table,
    unshared_text,
)

if TYPE_CHECKING:
    from lovt_core.data.prepared import Bytes, PreparedData
    from lovt_core.data.shared_films import Cell, FilmPair, InnerTable, SharedFilms
    from lovt_core.data.splits import Split

SAVED_PAIRS = 10
"""Saved where --pairs does not say how many."""
_SAVED_HEIGHT = 320
"""Pixels."""
_SPLIT_HELP = "auto, published, download, patient:SEED or lists:HASH [default: auto]."

SplitSet = tuple["PreparedData", "Split"]


@dataclass(frozen=True)
class _Wanted:
    """Which pairs to show."""

    count: int
    folder: Path | None
    """Where to save them, too."""


def command(
    name: Annotated[str | None, typer.Argument(metavar="A", help="Data set [default: all that are prepared].")] = None,
    other: Annotated[str | None, typer.Argument(metavar="B", help="Another one: the full table.")] = None,
    splits: Annotated[str | None, typer.Option("--splits", metavar="SPLIT", help=_SPLIT_HELP)] = None,
    splits_a: Annotated[str | None, typer.Option("--splits-a", metavar="SPLIT", help="Another split of A.")] = None,
    splits_b: Annotated[str | None, typer.Option("--splits-b", metavar="SPLIT", help="Another split of B.")] = None,
    pairs: Annotated[int, typer.Option("--pairs", metavar="N", min=0, help="List the N nearest pairs.")] = 0,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="DIR", help="Also save these pairs as PNG [default: 10 of them].")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find films that data sets share, and films and patients in more than one part of a split.

    Films are known again by a perceptual hash, whatever their size and compression. Without names: all prepared data
    sets, in pairs. With A: the parts of its split, and every other data set. With A and B: each part of A by each of B.

    \b
    Example: lovt data overlap covid-rural covid-chestxray --pairs 5
    """
    from lovt_core.data.catalog import find_data_set
    from lovt_core.data.inventory import open_all, open_any_size
    from lovt_core.errors import InputError
    from lovt_tui.cli.output_file import check_folder

    check_folder(save, "--save")
    if name is None and (pairs or save or splits_a):
        raise InputError("--pairs, --save and --splits-a need a data set: lovt data overlap A [B]")
    if name == other and name is not None:
        raise InputError(f"'{name}' is both A and B: give it once to compare the parts of its split")
    if other is None and splits_b:
        raise InputError("--splits-b needs a second data set: lovt data overlap A B")
    root = get_workspace(workspace).prepared_root
    data_sets = [find_data_set(each) for each in (name, other) if each is not None]
    opened = [open_any_size(root, data_set) for data_set in data_sets] or open_all(root)
    own_splits = (splits_a, splits_b, *(None for _ in opened))
    sets = [(data, choose_split(data, own or splits)) for data, own in zip(opened, own_splits, strict=False)]
    wanted = _Wanted(pairs or (SAVED_PAIRS if save else 0), save.expanduser() if save else None)
    if other is not None:
        _compare_two(sets[0], sets[1], wanted, as_json)
    elif name is not None:
        _compare_one(sets[0], root, wanted, as_json)
    else:
        _compare_all(sets, root, as_json)


def _compare_all(sets: Sequence[SplitSet], root: Path, as_json: bool) -> None:
    from lovt_core.data.shared_films import compare_films, compare_parts

    shared = [(one.name, compare_films(one, two)) for (one, _), (two, _) in combinations(sets, 2)]
    inner = [(data, split, compare_parts(data, split)) for data, split in sets]
    if as_json:
        print_json({"sets": [_set_json(*each) for each in inner], "shared": [_shared_json(*each) for each in shared]})
        return
    if not sets:
        print_line(f"Nothing is prepared in {root}. Try: lovt data prepare NAME --source DIR")
        return
    print_line(f"Prepared: {', '.join(data.name for data, _ in sets)}")
    _print_shared(shared)
    rows = []
    for data, split, table in inner:
        film, patient = table.by_film[-1].shared, table.by_patient[-1].shared
        rows.append((data.name, split.spec, film.images, film.patients, patient.patients, patient.images))
    _print_table("In two parts of the split:", ("set", "split", *INNER_HEADINGS), rows)


def _compare_one(one: SplitSet, root: Path, wanted: _Wanted, as_json: bool) -> None:
    data, split = one
    found = find_overlap(data, split, root)
    listed = _list_pairs(found.inner.pairs, data, data, wanted)
    if as_json:
        shown = [_shared_json(*each) for each in found.shared]
        print_json({"sets": [_set_json(data, split, found.inner)], "shared": shown, "pairs": listed})
        return
    print_line(split.announcement, indent=2)
    _print(inner_table(found.inner))
    _print_shared(found.shared)
    _print_pairs(listed, data.name, data.name, wanted)


def _compare_two(one: SplitSet, two: SplitSet, wanted: _Wanted, as_json: bool) -> None:
    from lovt_core.data.shared_films import compare_sets

    (data, split), (other, other_split) = one, two
    table = compare_sets(data, split, other, other_split)
    listed = _list_pairs(table.pairs, data, other, wanted)
    if as_json:
        a = {"name": data.name, "fingerprint": data.fingerprint, "split": split.spec}
        b = {"name": other.name, "fingerprint": other.fingerprint, "split": other_split.spec}
        sizes = [{part: asdict(size) for part, size in each.items()} for each in (table.sizes, table.other_sizes)]
        cells = [_cell_json(cell) for cell in table.cells]
        print_json({"a": {**a, "sizes": sizes[0]}, "b": {**b, "sizes": sizes[1]}, "cells": cells, "pairs": listed})
        return
    print_line(split.announcement, indent=2)
    print_line(other_split.announcement, indent=2)
    for what in ("images", "patients"):
        rows = [
            (part, getattr(size, what), *(getattr(cell.shared, what) for cell in table.cells if cell.part == part))
            for part, size in table.sizes.items()
        ]
        title = f"{what.capitalize()} of {data.name} also in {other.name}, by part of each:"
        _print_table(title, ("", "of", *table.other_sizes), rows)
    _print_pairs(listed, data.name, other.name, wanted)


def _list_pairs(
    pairs: "Sequence[FilmPair]", data: "PreparedData", other: "PreparedData", wanted: _Wanted
) -> list[dict[str, Any]]:
    """The nearest pairs by id, saved where that is wanted."""
    if wanted.folder is not None:
        _make_folder(wanted.folder, (data, other))
    ids, other_ids = _name_images(data), _name_images(other)
    listed: list[dict[str, Any]] = []
    for number, pair in enumerate(pairs[: wanted.count], start=1):
        row: dict[str, Any] = {"bits": pair.distance, "a": ids[pair.image], "b": other_ids[pair.other_image]}
        row |= {"image_a": pair.image, "image_b": pair.other_image}
        if wanted.folder is not None:
            path = wanted.folder / f"pair-{number:03d}-{pair.distance}-bits.png"
            captions = (f"{data.name} {row['a']}", f"{other.name} {row['b']}")
            films = (data.image(pair.image), other.image(pair.other_image))
            _save(path, zip(films, captions, strict=True))
            row["file"] = path
        listed.append(row)
    return listed


def _name_images(data: "PreparedData") -> dict[int, str]:
    """By row of the image: id of its sample, with the number of the image where there are several."""
    return {
        image: sample.id if len(sample.images) == 1 else f"{sample.id} image {number}"
        for sample in data.samples
        for number, image in enumerate(sample.images, start=1)
    }


def _make_folder(folder: Path, sets: "Iterable[PreparedData]") -> None:
    """Make the folder, for the user only; raises InputError where others could see what is under an agreement."""
    from lovt_core.data.catalog import find_data_set
    from lovt_core.errors import InputError

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error
    private = [data.name for data in sets if find_data_set(data.name).credentialed]
    if private and folder.stat().st_mode & 0o077:
        raise InputError(
            f"{folder} is open to others, and images of {private[0]} are under a data use agreement: "
            f"name a new folder, or close this one (chmod 700 {folder})"
        )


def _save(path: Path, films: "Iterable[tuple[Bytes, str]]") -> None:
    """Films side by side, with their captions, readable by the user only."""
    import io

    from PIL import Image

    from lovt_core.data.overlays import draw_sheet
    from lovt_core.files import write_bytes_atomic

    pictures = []
    for pixels, caption in films:
        width = max(1, round(pixels.shape[1] * _SAVED_HEIGHT / pixels.shape[0]))
        resized = Image.fromarray(pixels).resize((width, _SAVED_HEIGHT), Image.Resampling.BILINEAR)
        pictures.append((resized, caption))
    content = io.BytesIO()
    draw_sheet(pictures, columns=2).save(content, format="PNG")
    write_bytes_atomic(path, content.getvalue())


def _set_json(data: "PreparedData", split: "Split", table: "InnerTable") -> dict[str, Any]:
    return {
        "name": data.name,
        "fingerprint": data.fingerprint,
        "split": split.spec,
        "sizes": {part: asdict(size) for part, size in table.sizes.items()},
        "by_film": [_cell_json(cell) for cell in table.by_film],
        "by_patient": [_cell_json(cell) for cell in table.by_patient],
    }


def _cell_json(cell: "Cell") -> dict[str, Any]:
    return {"part": cell.part, "other_part": cell.other_part, **asdict(cell.shared)}


def _shared_json(name: str, films: "SharedFilms") -> dict[str, Any]:
    return {"a": name, "b": films.other, **asdict(films)}


def _print_shared(shared: "Sequence[tuple[str, SharedFilms]]") -> None:
    if text := unshared_text(shared):
        print_line(f"\n{text}")
    _print(shared_table(shared))


def _print_pairs(listed: Sequence[dict[str, Any]], name: str, other: str, wanted: _Wanted) -> None:
    if wanted.count and not listed:
        print_line("\nThere is no pair to list or to save.")
    _print_table("Nearest pairs:", ("bits", name, other), [(row["bits"], row["a"], row["b"]) for row in listed])
    for row in listed:
        if "file" in row:
            print_line(f"saved {row['file']}")


def _print(table: Table) -> None:
    _print_table(table.title, table.headings, table.rows)


def _print_table(title: str, headings: Sequence[str], rows: "Sequence[Sequence[str | int]]") -> None:
    """Title and table; nothing where it has no rows. Numbers stand right."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, value in zip(headings, rows[0], strict=True):
        table.add_column(heading, justify="right" if isinstance(value, int) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else Text(value) for value in row))
    print_line(f"\n{title}")
    get_console().print(table)
