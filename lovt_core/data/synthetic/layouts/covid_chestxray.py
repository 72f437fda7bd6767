"""Layout of ieee8023/covid-chestxray-dataset: `metadata.csv` with the original columns, and `images/`.

The report stands in `clinical notes`, the patient in `Patientid`, the file in `filename`.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from lovt_core.data.synthetic.findings import FindingKind
from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.patients import Film

COLUMNS = (
    "Patientid",
    "offset",
    "sex",
    "age",
    "finding",
    "survival",
    "view",
    "modality",
    "date",
    "location",
    "filename",
    "doi",
    " url",
    "license",
    "clinical notes",
    "other notes",
)
"""The original header, its stray space included."""
_DIAGNOSES: dict[FindingKind, str] = {
    "nodule": "Nodule",
    "mass": "Mass",
    "pneumonia": "Pneumonia",
    "infiltrate": "Infiltrate",
    "atelectasis": "Atelectasis",
    "effusion": "Effusion",
    "pneumothorax": "Pneumothorax",
    "cardiomegaly": "Cardiomegaly",
    "foreign object": "Foreign object",
}


def write_film(root: Path, film: Film) -> Row:
    """Write one image below `root` and return its row of the table."""
    (root / "images").mkdir(exist_ok=True)
    case = film.build()
    name = f"synthetic-{film.seed}-{film.index:06d}.jpg"
    Image.fromarray(case.image).save(root / "images" / name, quality=92)
    personal = film.personal()
    sex, age, offset = personal.choice(("F", "M")), int(personal.integers(21, 90)), int(personal.integers(0, 10))
    diagnoses = [_DIAGNOSES[finding.kind] for finding in case.findings]
    return {
        "Patientid": str(film.patient + 1),
        "offset": str(offset + 3 * film.follow_up),
        "sex": str(sex),
        "age": str(age),
        "finding": "/".join(dict.fromkeys(diagnoses)) or "No Finding",
        "view": str(personal.choice(("PA", "AP", "AP Supine"), p=(0.6, 0.25, 0.15))),
        "modality": "X-ray",
        "location": "synthetic",
        "filename": name,
        "license": "synthetic",
        "clinical notes": " ".join(case.report),
    }


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Write `metadata.csv`."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (root / "metadata.csv").write_text(text.getvalue(), encoding="utf-8")
