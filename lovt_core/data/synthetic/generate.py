"""Write a synthetic download: the same bytes for the same request, however many processes work on it."""

import functools
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, assert_never, get_args

from lovt_core.data.catalog import Layout
from lovt_core.data.describe import SYNTHETIC_MARKER
from lovt_core.data.pool import map_in_order
from lovt_core.data.synthetic.layouts import covid_chestxray, covid_rural
from lovt_core.data.synthetic.patients import Film, plan_films
from lovt_core.errors import InputError
from lovt_core.files import publish_folder
from lovt_core.values import Progress

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
GENERATOR_VERSION = 1
"""Raised whenever the same request gives other bytes."""

T = TypeVar("T")

_CHUNK = 8
_MIN_SIZE = 32


@dataclass(frozen=True)
class Synthesis:
    """What to make."""

    layout: Layout
    count: int
    """Films."""
    size: int
    """Pixels a side."""
    seed: int = 0
    workers: int | None = None
    """Processes; None uses the cores this process may run on."""

    def check(self) -> None:
        """Raise InputError for a request that cannot be met."""
        if self.layout not in LAYOUTS:
            raise InputError(f"unknown layout '{self.layout}': known layouts are {', '.join(LAYOUTS)}")
        if self.count < 1:
            raise InputError(f"count is {self.count}: a download has at least one film")
        if self.size < _MIN_SIZE:
            raise InputError(f"size is {self.size}: films have at least {_MIN_SIZE} pixels a side")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"{self.workers} workers cannot work: at least 1 is needed")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}: seeds are 0 or more")


def synthesize(out: Path, synthesis: Synthesis, on_progress: Callable[[Progress], None]) -> Path:
    """Write the download to the new folder `out` and return it.

    Nothing is left behind when it fails. Raises InputError for a bad request or where `out` exists, LovtError when the
    disk refuses.
    """
    synthesis.check()
    if out.exists():
        raise InputError(f"{out} exists already: name a new folder for the synthetic download, or delete it")
    stream = zlib.crc32(synthesis.layout.encode())
    films = list(plan_films(synthesis.count, synthesis.seed, stream, synthesis.size))
    with publish_folder(out) as root:
        _write_download(root, synthesis, films, on_progress)
        marker = {
            "layout": synthesis.layout,
            "seed": synthesis.seed,
            "count": synthesis.count,
            "size": synthesis.size,
            "version": GENERATOR_VERSION,
        }
        (root / SYNTHETIC_MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    return out


def _write_download(
    root: Path, synthesis: Synthesis, films: Sequence[Film], on_progress: Callable[[Progress], None]
) -> None:
    match synthesis.layout:
        case "covid-chestxray":
            (root / "images").mkdir()
            rows: list[Mapping[str, str]] = []
            for chunk in _run(functools.partial(covid_chestxray.write_film, root), synthesis, films):
                rows += chunk
                on_progress(Progress(len(rows), len(films), "image"))
            covid_chestxray.write_table(root, rows)
        case "covid-rural":
            for folder in ("jpgs", "pngs_masks"):
                (root / folder).mkdir()
            done = 0
            for written in _run(functools.partial(covid_rural.write_film, root), synthesis, films):
                done += len(written)
                on_progress(Progress(done, len(films), "image"))
        case _:
            assert_never(synthesis.layout)


def _run(write: Callable[[Film], T], synthesis: Synthesis, films: Sequence[Film]) -> Iterator[list[T]]:
    """Apply `write` to every film, in order, a chunk at a time."""
    chunks = [films[start : start + _CHUNK] for start in range(0, len(films), _CHUNK)]
    yield from map_in_order(functools.partial(_write_chunk, write), chunks, synthesis.workers)


def _write_chunk(write: Callable[[Film], T], films: Sequence[Film]) -> list[T]:
    return [write(film) for film in films]
