"""RSNA Pneumonia Detection Challenge (Kaggle, stage 2): `stage_2_train_labels.csv`, `stage_2_train_images/`.

A row is one box of a patient (Target 1), or says that the patient has none (Target 0, empty box). Each patient has one
image, named after the patient (PROTOCOL A.2). Other parts of the download, as the test images, are not read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lovt_core.data.annotations.faults import find_shape_fault
from lovt_core.data.annotations.shapes import Annotation, Box
from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.sources.download import Download, Flow, Item, Labels, printable, require_layout
from lovt_core.data.tables import Row, stream_table

DATA_SET = DataSet(
    name="rsna",
    title="RSNA Pneumonia Detection Challenge (stage 2)",
    kind="localized",
    summary="26,684 X-rays, 6,012 with boxes around signs of pneumonia: tasks 1 to 9 of the protocol.",
    licence="terms of the competition: non-commercial and academic use",
    citation="Shih, Wu, Halabi et al.: Augmenting the National Institutes of Health Chest Radiograph Dataset with "
    "Expert Annotations of Possible Pneumonia. Radiology: Artificial Intelligence 1(1):e180041 (2019)",
    url="https://www.kaggle.com/competitions/rsna-pneumonia-detection-challenge/data",
    approximate_size="26,684 images, 3.5 GB",
    documented_layout=(
        "stage_2_train_labels.csv    columns patientId, x, y, width, height, Target",
        "stage_2_train_images/       <patientId>.dcm",
    ),
    default_size=224,
    split_fractions=(0.6, 0.2, 0.2),
    classes=("pneumonia",),
)
TABLE, IMAGES = "stage_2_train_labels.csv", "stage_2_train_images"
SUFFIX = ".dcm"
_SIDES = ("x", "y", "width", "height")
COLUMNS = ("patientid", *_SIDES, "target")


@dataclass
class _Patient:
    """What the rows say about one patient."""

    first_row: int
    annotations: list[Annotation] = field(default_factory=list)
    seen: dict[tuple[str, ...], int] = field(default_factory=dict)
    """Row number of each distinct content."""
    is_sound: bool = True


def scan(root: Path) -> Download:
    """Read the table and look for the images; raises DataError for a wrong folder or a damaged table."""
    require_layout(root, (TABLE, IMAGES), DATA_SET)
    patients, problems, _ = _read_patients(root)
    present = {path.name for path in (root / IMAGES).iterdir()}
    flow = Flow(len(patients))
    flow.drop(0, f"images named in {TABLE}")
    sound = {name: patient for name, patient in patients.items() if patient.is_sound}
    flow.drop(len(patients) - len(sound), "rows that cannot be used")
    items = tuple(_build_item(name, patient) for name, patient in sound.items() if name + SUFFIX in present)
    flow.drop(len(sound) - len(items), "image missing")
    absent = _find_absent(patients, present)
    return Download(
        root, items, (TABLE,), tuple(flow.steps), (*problems, *absent, *_find_unlabelled(patients, present))
    )


def read_labels(root: Path) -> Labels:
    """Rows, patients and boxes of the table."""
    require_layout(root, (TABLE,), DATA_SET)
    patients, problems, num_rows = _read_patients(root)
    counts = (
        ("rows", num_rows),
        ("patients", len(patients)),
        ("patients with boxes", sum(bool(patient.annotations) for patient in patients.values())),
        ("boxes", sum(len(patient.annotations) for patient in patients.values())),
    )
    return Labels(counts, tuple(patients), tuple(problems))


def _read_patients(root: Path) -> tuple[dict[str, _Patient], list[Problem], int]:
    """Patients in the order of the table, a problem for each row that cannot be used, and the number of rows."""
    patients: dict[str, _Patient] = {}
    problems: list[Problem] = []
    num_rows = 0
    for row in stream_table(root / TABLE, COLUMNS):
        num_rows += 1
        name, where = row["patientid"], f"{TABLE}: row {row.number}"
        if not name or "/" in name or "\\" in name:
            problems.append(
                Problem(where=where, what=f"the patientId {name or '(nothing)'} is not the name of an image")
            )
            continue
        patient = patients.setdefault(name, _Patient(row.number))
        what = _find_repetition(patient, row) or _add_row(patient, row, where)
        if what is not None:
            patient.is_sound = False
            problems.append(Problem(where=where, what=what))
    return patients, problems, num_rows


def _find_repetition(patient: _Patient, row: Row) -> str | None:
    content = tuple(row[column] for column in COLUMNS[1:])
    first = patient.seen.setdefault(content, row.number)
    return None if first == row.number else f"the same as row {first}"


def _add_row(patient: _Patient, row: Row, where: str) -> str | None:
    """Add what the row says to the patient; says what is wrong where it cannot be used."""
    texts, target = [row[side] for side in _SIDES], row["target"]
    if target not in ("0", "1"):
        return f"Target is {target or 'empty'}: it is 0 or 1"
    if len({content[-1] for content in patient.seen}) > 1:
        return f"Target is {target}, but another row of this patient has {1 - int(target)}"
    if target == "0":
        return "Target is 0, but there is a box" if any(texts) else None
    if not all(texts):
        return "Target is 1, but the box is missing or has gaps"
    try:
        box = Box(*map(float, texts))
    except ValueError:
        return f"the box {' '.join(texts)} is not made of numbers"
    fault = find_shape_fault(box)
    if fault is None:
        patient.annotations.append(Annotation(box, where))
    return fault


def _build_item(name: str, patient: _Patient) -> Item:
    return Item(id=name, patient=name, images=(f"{IMAGES}/{name}{SUFFIX}",), annotations=tuple(patient.annotations))


def _find_absent(patients: dict[str, _Patient], present: set[str]) -> Iterable[Problem]:
    for name, patient in patients.items():
        if name + SUFFIX not in present:
            where = f"{TABLE}: row {patient.first_row}"
            yield Problem(where=where, what=f"the image {name}{SUFFIX} is not in the folder {IMAGES}")


def _find_unlabelled(patients: dict[str, _Patient], present: set[str]) -> Iterable[Problem]:
    for file in sorted(present):
        if file.endswith(SUFFIX) and not file.startswith(".") and file.removesuffix(SUFFIX) not in patients:
            yield Problem(where=f"{IMAGES}/{printable(file)}", what=f"no row of {TABLE} names this image")
