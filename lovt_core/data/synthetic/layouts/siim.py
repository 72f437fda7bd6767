"""Layout of SIIM-ACR Pneumothorax Segmentation: `train-rle.csv`, `dicom-images-train/<study>/<series>/<id>.dcm`.

Every film is a patient of its own. Each pneumothorax is one annotation or, on some films, drawn in two parts.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lovt_core.data.annotations.run_lengths import NO_RUNS, encode_runs
from lovt_core.data.synthetic.dicom_file import Header, draw_personal, write_dicom
from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.patients import Film

TABLE, IMAGES = "train-rle.csv", "dicom-images-train"
HEADER = "ImageId, EncodedPixels"
"""The original header, its stray space included."""
RASTER = 1024
"""Side of the square that runs are counted in, whatever the size of the film."""
_SHARE_IN_PARTS = 0.25

Outline = NDArray[np.bool_]


def write_film(root: Path, film: Film) -> Row:
    """Write one image below `root` and return its id and annotations."""
    film = replace(film, patient=film.index, follow_up=0)
    case = film.build()
    study, series, image = (_draw_uid(film, level) for level in ("study", "series", "image"))
    folder = root / IMAGES / study / series
    folder.mkdir(parents=True, exist_ok=True)
    patient = str(uuid.UUID(int=int(_draw_uid(film, "patient").rpartition(".")[2])))
    write_dicom(folder / f"{image}.dcm", case.image, Header(image, study, series, patient, *draw_personal(film)))
    in_parts = np.random.default_rng((film.seed, film.stream, film.index)).random() < _SHARE_IN_PARTS
    annotations = [
        encode_runs(part)
        for finding, outline in zip(case.findings, case.outlines, strict=True)
        if finding.kind == "pneumothorax"
        for part in _split(_enlarge(outline), in_parts)
        if part.any()
    ]
    return {"image": image, "annotations": annotations}


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Write the table: a row for each annotation, and a row with -1 for an image without."""
    lines = [HEADER]
    for row in rows:
        lines += [f"{row['image']},{runs}" for runs in row["annotations"] or [NO_RUNS]]
    (root / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _enlarge(outline: Outline) -> Outline:
    """A (size, size) outline on the raster of the runs."""
    image = Image.fromarray(outline.astype(np.uint8)).resize((RASTER, RASTER), Image.Resampling.NEAREST)
    return np.asarray(image) > 0


def _split(outline: Outline, in_parts: bool) -> tuple[Outline, ...]:
    """The outline, or its upper and lower half, which meet."""
    if not in_parts or not outline.any():
        return (outline,)
    middle = int(np.mean(np.flatnonzero(outline.any(axis=1))))
    is_upper = np.arange(RASTER)[:, None] <= middle
    return outline & is_upper, outline & ~is_upper


def _draw_uid(film: Film, what: str) -> str:
    """A UID made from a UUID, which no other file has (DICOM PS3.5, B.2)."""
    digest = hashlib.sha256(f"siim {what} {film.seed} {film.stream} {film.index}".encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"
