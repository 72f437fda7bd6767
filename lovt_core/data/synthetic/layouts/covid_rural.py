"""Layout of COVID Rural (TCIA COVID-19-AR with lesion masks): RGB `jpgs/` and 0/1 `pngs_masks/` of the same stem."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.patients import Film

_FIRST_PATIENT, _PATIENT_STEP, _NUM_PATIENTS = 12_345_678, 7_654_321, 87_000_000
"""Eight-digit ids that look arbitrary; distinct for the first 87 million patients."""


def write_film(root: Path, film: Film) -> Row:
    """Write one image and the mask of all its lung-field findings below `root`."""
    for folder in ("jpgs", "pngs_masks"):
        (root / folder).mkdir(exist_ok=True)
    case = film.build()
    patient = 12_000_000 + (_FIRST_PATIENT + _PATIENT_STEP * film.patient) % _NUM_PATIENTS
    day = date(2012, 1, 1) + timedelta(days=int(film.personal().integers(0, 300)) + 9 * film.follow_up)
    stem = f"COVID-19-AR-{patient}_{day:%m-%d-%Y}-XR"
    Image.fromarray(case.image).convert("RGB").save(root / "jpgs" / f"{stem}.jpg", quality=92)
    Image.fromarray(case.lesion_mask().astype(np.uint8)).save(root / "pngs_masks" / f"{stem}.png")
    return {"stem": stem}


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Nothing: this download has no table."""
