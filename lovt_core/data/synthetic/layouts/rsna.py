"""Layout of the RSNA Pneumonia Detection Challenge: `stage_2_train_labels.csv` and `stage_2_train_images/<id>.dcm`.

Every film is a patient of its own, as in the original; pneumonias and infiltrates get boxes.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lovt_core.data.synthetic.dicom_file import Header, draw_personal, write_dicom
from lovt_core.data.synthetic.findings import FindingKind
from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.patients import Film

TABLE, IMAGES = "stage_2_train_labels.csv", "stage_2_train_images"
COLUMNS = ("patientId", "x", "y", "width", "height", "Target")
KINDS: frozenset[FindingKind] = frozenset({"pneumonia", "infiltrate"})
"""What the annotators of the original boxed: opacities that may be pneumonia."""


def write_film(root: Path, film: Film) -> Row:
    """Write one image below `root` and return its id and boxes."""
    (root / IMAGES).mkdir(exist_ok=True)
    film = replace(film, patient=film.index, follow_up=0)
    case = film.build()
    patient = str(_draw_uuid(film, "patient"))
    study, series, instance = (f"2.25.{_draw_uuid(film, level).int}" for level in ("study", "series", "instance"))
    write_dicom(
        root / IMAGES / f"{patient}.dcm", case.image, Header(instance, study, series, patient, *draw_personal(film))
    )
    boxes = [
        find_box(outline)
        for finding, outline in zip(case.findings, case.outlines, strict=True)
        if finding.kind in KINDS and finding.in_lung and outline.any()
    ]
    return {"patient": patient, "boxes": boxes}


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Write the table: a row for each box, and a row with an empty box for an image without."""
    lines = [",".join(COLUMNS)]
    for row in rows:
        lines += [f"{row['patient']},{','.join(map(str, map(float, box)))},1" for box in row["boxes"]]
        if not row["boxes"]:
            lines.append(f"{row['patient']},,,,,0")
    (root / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def find_box(outline: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, width and height of the smallest box around the True pixels of a (height, width) outline."""
    columns, rows = (np.flatnonzero(outline.any(axis=axis)) for axis in (0, 1))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def _draw_uuid(film: Film, what: str) -> uuid.UUID:
    digest = hashlib.sha256(f"rsna {what} {film.seed} {film.stream} {film.index}".encode()).digest()
    return uuid.UUID(bytes=digest[:16], version=4)
