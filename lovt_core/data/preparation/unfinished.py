"""Preparations that were interrupted: where they lie, and going on with what they have decoded."""

import functools
import shutil
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from lovt_core.data.pool import map_in_order
from lovt_core.data.preparation.decoding import DecodedItem, decode_item
from lovt_core.data.preparation.describe import Origin
from lovt_core.data.preparation.journal import JOURNAL_FILE, Stash
from lovt_core.data.sources.download import Item
from lovt_core.errors import LovtError


def find_unfinished(folder: Path, size: int) -> list[Path]:
    """The interrupted preparation of that size that got farthest, if any; others of that size are removed."""
    found = sorted(folder.glob(f".building-{size}-*"), key=_journal_bytes)
    for old in found[:-1]:
        shutil.rmtree(old)
    return found[-1:]


def begin_building(folder: Path, size: int) -> Path:
    """A new folder to prepare into, which stays where it is when the preparation is interrupted."""
    numbers = [int(path.name.rpartition("-")[2]) for path in folder.glob(f".building-{size}-*")]
    building = folder / f".building-{size}-{max(numbers, default=0) + 1}"
    try:
        building.mkdir(mode=0o700)
    except OSError as error:
        raise LovtError(f"cannot write prepared data in {folder}: {error.strerror}") from error
    return building


def decode_items(
    origin: Origin, items: Sequence[Item], stash: Stash, workers: int | None
) -> Generator[tuple[str, DecodedItem], None, None]:
    """Key and decoded images of each item, in order; those in the stash are copied, the others decoded."""
    keys = [origin.item_key(item) for item in items]
    missing = [item for key, item in zip(keys, items, strict=True) if key not in stash]
    decode = functools.partial(decode_item, origin.recipe)
    with closing(map_in_order(decode, missing, workers)) as decoded:
        for key, item in zip(keys, items, strict=True):
            if key in stash:
                yield key, stash.load(key, item) or decode(item)
            else:
                yield key, next(decoded)


def _journal_bytes(folder: Path) -> int:
    path = folder / JOURNAL_FILE
    return path.stat().st_size if path.exists() else 0
