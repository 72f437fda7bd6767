"""Layout of NIH ChestX-ray8: two tables, lists of the official split, PNG images in numbered folders.

Every image has labels; a quarter of the images with findings has no boxes, as nearly all of the original ones.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lovt_core.data.synthetic.findings import FindingKind
from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.patients import Film
from lovt_core.data.synthetic.scene import Case, Outline

BOX_HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
ENTRY_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
"""The original headers, their odd commas included."""
_BOX_LABELS: dict[FindingKind, str] = {
    "atelectasis": "Atelectasis",
    "cardiomegaly": "Cardiomegaly",
    "effusion": "Effusion",
    "infiltrate": "Infiltrate",
    "mass": "Mass",
    "nodule": "Nodule",
    "pneumonia": "Pneumonia",
    "pneumothorax": "Pneumothorax",
}
"""What the eight findings are called in the table of boxes; foreign objects are no finding there."""
_ENTRY_SPELLINGS = {"Infiltrate": "Infiltration"}
"""What the table of image labels calls otherwise."""
_FIRST_PATIENT = 90_000_001
"""Above the original ones (1 to 30805): no synthetic image has the name of a real one."""
_IMAGES_PER_FOLDER = 100
_TEST_EVERY = 3
"""One patient in so many is in the official test list."""
_NO_BOXES_EVERY = 4


def write_film(root: Path, film: Film) -> Row:
    """Write one image below `root` and return what both tables and the lists say of it."""
    folder = root / f"images_{1 + film.index // _IMAGES_PER_FOLDER:03d}" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    case, patient = film.build(), _FIRST_PATIENT + film.patient
    name = f"{patient:08d}_{film.follow_up:03d}.png"
    Image.fromarray(case.image).save(folder / name)
    personal = film.personal()
    sex, age, view = personal.choice(("F", "M")), int(personal.integers(21, 90)), personal.choice(("PA", "AP"))
    labels = sorted({_ENTRY_SPELLINGS.get(label, label) for label in _find_labels(case)})
    entry = (name, "|".join(labels) or "No Finding", film.follow_up, patient, age + film.follow_up, sex, view)
    boxes = [] if film.index % _NO_BOXES_EVERY == _NO_BOXES_EVERY - 1 else _find_boxes(case)
    return {
        "name": name,
        "entry": ",".join(map(str, (*entry, film.size, film.size, 0.143, 0.143))),
        "boxes": [f"{name},{label},{box}" for label, box in boxes],
        "is_test": film.patient % _TEST_EVERY == 0,
    }


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Write both tables and both lists."""
    _write_lines(root / "BBox_List_2017.csv", [BOX_HEADER, *(line for row in rows for line in row["boxes"])])
    _write_lines(root / "Data_Entry_2017_v2020.csv", [ENTRY_HEADER, *(row["entry"] for row in rows)])
    _write_lines(root / "test_list.txt", [row["name"] for row in rows if row["is_test"]])
    _write_lines(root / "train_val_list.txt", [row["name"] for row in rows if not row["is_test"]])


def _find_labels(case: Case) -> list[str]:
    return [_BOX_LABELS[finding.kind] for finding in case.findings if finding.kind in _BOX_LABELS]


def _find_boxes(case: Case) -> list[tuple[str, str]]:
    """Label and `x,y,w,h` of each finding that is on the film."""
    return [
        (_BOX_LABELS[finding.kind], _box_around(outline))
        for finding, outline in zip(case.findings, case.outlines, strict=True)
        if finding.kind in _BOX_LABELS and outline.any()
    ]


def _box_around(outline: Outline) -> str:
    rows, columns = np.flatnonzero(outline.any(axis=1)), np.flatnonzero(outline.any(axis=0))
    sides = (columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0])
    return ",".join(f"{int(side)}.0" for side in sides)


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
