"""Layout of a group's own data: `pairs.csv` with every optional column, images of all kinds in folders by patient.

Two films in three keep their report in the table, the others in a file with headings; every sixth film is a study of
two images; of the others with findings every fifth has a mask, the rest boxes.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lovt_core.data.synthetic.dicom_file import Header, draw_personal, write_dicom
from lovt_core.data.synthetic.findings import LOOKS
from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.layouts.rsna import find_box
from lovt_core.data.synthetic.patients import Film
from lovt_core.data.synthetic.phrases import ABSENT
from lovt_core.data.synthetic.scene import Case

COLUMNS = ("id", "image", "report", "report_file", "patient", "split", "boxes", "mask", "classes", "findings")
MASK_CLASS = "lesion"
_SUFFIXES = (".png", ".jpg", ".tif", ".dcm")
_SPLITS = ("train", "train", "val", "train", "test", "train", "train", "validation", "train", "test")
"""By patient, over and over."""
_SLIGHT = 0.15
"""Findings of less severity than that are labelled as uncertain."""


def write_film(root: Path, film: Film) -> Row:
    """Write the files of one study below `root` and return its rows of the table."""
    case, patient = film.build(), f"p{film.patient + 1:05d}"
    folder = root / "films" / patient
    folder.mkdir(parents=True, exist_ok=True)
    identifier = f"study-{film.seed}-{film.index:06d}"
    row = {
        "id": identifier,
        "image": f"films/{patient}/{identifier}{_SUFFIXES[film.index % len(_SUFFIXES)]}",
        "patient": patient,
        "split": _SPLITS[film.patient % len(_SPLITS)],
        "findings": _label(case),
        **_write_report(root, identifier, film.index, case.report),
    }
    _write_image(root / row["image"], case.image, film)
    if film.index % 6 == 4:
        second = f"films/{patient}/{identifier}-2.png"
        Image.fromarray(_brighten(case.image)).save(root / second)
        return {"rows": [row, {"id": identifier, "image": second, "patient": patient, "split": row["split"]}]}
    return {"rows": [row | _annotate(root, identifier, film.index, case)]}


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Write `pairs.csv`."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerows(row["rows"])
    (root / "pairs.csv").write_text(text.getvalue(), encoding="utf-8")


def _write_image(path: Path, image: NDArray[np.uint8], film: Film) -> None:
    if path.suffix == ".dcm":
        study, series, instance = (f"2.25.{10**9 * (film.seed + 1) + 10 * film.index + part}" for part in (1, 2, 3))
        write_dicom(path, image, Header(instance, study, series, f"p{film.patient + 1:05d}", *draw_personal(film)))
    else:
        Image.fromarray(image).save(path)


def _brighten(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Another exposure of the same body."""
    return np.rint(255 * (image / 255) ** 0.8).astype(np.uint8)


def _write_report(root: Path, identifier: str, index: int, sentences: Sequence[str]) -> dict[str, str]:
    """The cell that holds the report, or names its file."""
    if index % 3 != 1:
        return {"report": " ".join(sentences)}
    (root / "notes").mkdir(exist_ok=True)
    file = f"notes/{identifier}.txt"
    parts = {"EXAMINATION": "Chest.", "FINDINGS": " ".join(sentences[:-1]), "IMPRESSION": sentences[-1]}
    text = "FINAL REPORT\n" + "".join(f" {heading}:  {part}\n\n" for heading, part in parts.items() if part)
    (root / file).write_text(text, encoding="utf-8")
    return {"report_file": file}


def _annotate(root: Path, identifier: str, index: int, case: Case) -> dict[str, str]:
    """Cells of the boxes, or of the mask, and their classes."""
    if index % 5 == 2 and case.lesion_mask().any():
        (root / "masks").mkdir(exist_ok=True)
        file = f"masks/{identifier}.png"
        Image.fromarray(case.lesion_mask().astype(np.uint8) * np.uint8(255)).save(root / file)
        return {"mask": file, "classes": MASK_CLASS}
    seen = [(finding.kind, outline) for finding, outline in zip(case.findings, case.outlines, strict=True)]
    boxes = [(kind, find_box(outline)) for kind, outline in seen if outline.any()]
    return {
        "boxes": "|".join(";".join(map(str, box)) for _, box in boxes),
        "classes": "|".join(kind for kind, _ in boxes),
    }


def _label(case: Case) -> str:
    """What is there, what is there perhaps, and what the report denies."""
    denied = {kind for kind, sentences in ABSENT.items() if any(sentence in case.report for sentence in sentences)}
    severities = {finding.kind: finding.severity for finding in case.findings}
    states = {kind: "-1" if severity < _SLIGHT else "1" for kind, severity in severities.items()}
    states |= dict.fromkeys(denied - set(states), "0")
    return "|".join(f"{looks.kind}:{states[looks.kind]}" for looks in LOOKS if looks.kind in states)
