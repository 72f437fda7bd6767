"""Tiny downloads on disk, in the layouts of the real data sets, and their preparation."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.prepared import PreparedData
from lovt_core.data.synthetic.generate import Synthesis, synthesize

NOTE = "Patchy consolidation of the left lower lobe. No effusion."
CHESTXRAY_COLUMNS = ("Patientid", "filename", "view", "modality", "clinical notes", "license")


def draw_film(seed: int, height: int = 60, width: int = 72) -> np.ndarray:
    """(height, width) smooth grey pattern that differs from seed to seed."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (9, 9), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def note_row(number: int, **changes: str) -> dict[str, str]:
    """One row of `metadata.csv`; two images a patient."""
    row = {
        "Patientid": f"p{number // 2}",
        "filename": f"film-{number}.png",
        "view": "PA",
        "modality": "X-ray",
        "clinical notes": f"{NOTE} Film {number}.",
        "license": "CC0",
    }
    return row | changes


def write_chestxray(folder: Path, rows: int | Iterable[Mapping[str, str]] = 6, *, encoding: str = "utf-8") -> Path:
    """A download of pairs; every named image that is not on disk yet is drawn."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = [note_row(number) for number in range(rows)] if isinstance(rows, int) else list(rows)
    write_table(folder / "metadata.csv", rows, encoding)
    for seed, row in enumerate(rows):
        path = folder / "images" / row["filename"]
        if row["filename"] and not path.exists():
            Image.fromarray(draw_film(seed)).save(path)
    return folder


def write_table(path: Path, rows: Iterable[Mapping[str, str]], encoding: str = "utf-8") -> None:
    """A CSV with the columns of the original."""
    with path.open("w", newline="", encoding=encoding) as file:
        table = csv.DictWriter(file, CHESTXRAY_COLUMNS)
        table.writeheader()
        table.writerows(rows)


def rural_stem(number: int) -> str:
    """Name of image `number`; two images a patient."""
    return f"COVID-19-AR-{16400000 + number // 2}_0{1 + number % 2}-01-2012-XR"


def write_rural(folder: Path, count: int = 6, first: int = 0) -> Path:
    """A download of images with masks; the spot of the mask is bright in the image."""
    for name in ("jpgs", "pngs_masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        film = draw_film(1000 + number)
        mask = np.zeros(film.shape, dtype=np.uint8)
        mask[10:30, 20 : 30 + number % 5] = 1
        image = np.where(mask == 1, 250, film // 2)
        Image.fromarray(image.astype(np.uint8)).convert("RGB").save(folder / "jpgs" / f"{rural_stem(number)}.jpg")
        Image.fromarray(mask).save(folder / "pngs_masks" / f"{rural_stem(number)}.png")
    return folder


def synthesize_quietly(folder: Path, name: str, count: int = 24) -> Path:
    """A synthetic download, in this process, without progress."""
    return synthesize(folder, Synthesis(name, count, 48, workers=1), lambda progress: None)


def write_lists(folder: Path, *parts: Iterable[str]) -> Path:
    """Split lists as the authors of LoVT publish theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, ids in zip(("train", "validation", "test"), parts, strict=True):
        (folder / f"{name}.csv").write_text("\n".join(("ID", *ids, "")))
    return folder


def prepare_quietly(name: str, source: Path, root: Path, **options: object) -> PreparedData:
    """Prepare in this process, without progress."""
    settings = {"size": 32, "workers": 1} | options
    return prepare(name, source, root, PrepareOptions(**settings), lambda progress: None)
