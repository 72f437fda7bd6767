"""Write a synthetic download: the same bytes for the same request, however many processes work on it."""

import functools
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lovt_core.data.pool import map_in_order
from lovt_core.data.preparation.describe import SYNTHETIC_MARKER
from lovt_core.data.synthetic.layouts import (
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
from lovt_core.data.synthetic.layouts.layout import Layout, Row
from lovt_core.data.synthetic.patients import Film, plan_films
from lovt_core.errors import InputError
from lovt_core.files import publish_folder
from lovt_core.values import Progress

LAYOUTS: Mapping[str, Layout] = {
    "mimic-cxr": Layout(mimic_cxr.write_film, mimic_cxr.finish),
    "openi": Layout(openi.write_film, openi.finish),
    "covid-chestxray": Layout(covid_chestxray.write_film, covid_chestxray.finish),
    "paired-csv": Layout(paired_csv.write_film, paired_csv.finish),
    "rsna": Layout(rsna.write_film, rsna.finish),
    "covid-rural": Layout(covid_rural.write_film, covid_rural.finish),
    "siim": Layout(siim.write_film, siim.finish),
    "object-cxr": Layout(object_cxr.write_film, object_cxr.finish),
    "nih-cxr": Layout(nih_cxr.write_film, nih_cxr.finish),
}
"""How a film and what belongs to all films are written, by the name of the data set."""
GENERATOR_VERSION = 2
"""Raised whenever the same request gives other bytes."""

_CHUNK = 8
_MIN_SIZE = 32


@dataclass(frozen=True)
class Synthesis:
    """What to make."""

    layout: str
    """Name of the data set whose download is imitated."""
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
    layout = LAYOUTS[synthesis.layout]
    chunks = [films[start : start + _CHUNK] for start in range(0, len(films), _CHUNK)]
    rows: list[Row] = []
    for written in map_in_order(functools.partial(_write_chunk, layout, root), chunks, synthesis.workers):
        rows += written
        on_progress(Progress(len(rows), len(films), "image"))
    layout.finish(root, rows)


def _write_chunk(layout: Layout, root: Path, films: Sequence[Film]) -> list[Row]:
    return [layout.write_film(root, film) for film in films]
