"""Layout of MIMIC-CXR-JPG with the reports of MIMIC-CXR: tables, `files/p10/p10000032/s50414267/` and the archive.

One film makes one study: a frontal image, sometimes a second one of another exposure, sometimes a lateral one.
Training, validation and test have 6/8, 1/8 and 1/8 of the patients, so that small downloads have all three.
"""

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lovt_core.config.methods import CHEXPERT_LABELS
from lovt_core.data.synthetic.findings import FindingKind
from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.layouts.mimic_report import DEVICE_SENTENCES, write_report
from lovt_core.data.synthetic.patients import Film
from lovt_core.data.synthetic.phrases import ABSENT
from lovt_core.data.synthetic.scene import Case

METADATA_COLUMNS = (
    *("dicom_id", "subject_id", "study_id", "PerformedProcedureStepDescription", "ViewPosition", "Rows", "Columns"),
    *("StudyDate", "StudyTime", "ProcedureCodeSequence_CodeMeaning", "ViewCodeSequence_CodeMeaning"),
    "PatientOrientationCodeSequence_CodeMeaning",
)
SPLIT_COLUMNS = ("dicom_id", "study_id", "subject_id", "split")
_LABEL_OF: Mapping[FindingKind, str] = {
    "nodule": "Lung Lesion",
    "mass": "Lung Lesion",
    "pneumonia": "Pneumonia",
    "infiltrate": "Lung Opacity",
    "atelectasis": "Atelectasis",
    "effusion": "Pleural Effusion",
    "pneumothorax": "Pneumothorax",
    "cardiomegaly": "Cardiomegaly",
}
_HEDGES = {"Pneumonia": "concerning for pneumonia", "Atelectasis": "likely subsegmental atelectasis"}
"""Wording that leaves a finding uncertain."""
_MEANINGS = {"PA": "postero-anterior", "AP": "antero-posterior", "LATERAL": "lateral"}

_SPLITS = ("train", "train", "train", "validate", "train", "train", "test", "train")
"""By patient, over and over."""
_NUM_PATIENTS, _FIRST_PATIENT, _PATIENT_STEP = 10_000_000, 1_618_033, 6_180_339
_NUM_STUDIES, _FIRST_STUDY, _STUDY_STEP = 5_000_000, 1_414_213, 3_090_169
"""Ids of eight digits that look arbitrary; distinct for the first ten and five millions. Study ids are even."""
_LISTED_FILM, LISTED_STUDY = 9, 50058765
"""This film bears the id of a study that the protocol excludes; it is odd."""
_STUDY_STREAM = 7
"""Stream of random numbers of its own, beside those of `patients.py`."""
_SECOND_FRONTAL, _LATERAL, _ONLY_LATERAL = 0.15, 0.30, 0.03
"""Probabilities."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _View:
    position: str
    pixels: Pixels


def write_film(root: Path, film: Film) -> Row:
    """Write the images of one study below `root`; returns its report and its rows of the tables."""
    case, rng = film.build(), np.random.default_rng((film.seed, film.stream, _STUDY_STREAM, film.index))
    subject, study = _number_patient(film), number_study(film)
    views = _draw_views(case.image, rng)
    examination = _name_examination(views)
    folder = root / "files" / f"p{subject}"[:3] / f"p{subject}" / f"s{study}"
    folder.mkdir(parents=True)
    ids = {"subject_id": subject, "study_id": study}
    images = []
    for number, view in enumerate(views):
        dicom = _name_image(film, number)
        Image.fromarray(view.pixels).save(folder / f"{dicom}.jpg", quality=92)
        images.append({"dicom_id": dicom, **ids, **_describe_view(view, examination)})
    taken = _date_study(film, rng)
    person = str(film.personal().choice(("F", "M")))
    return {
        **ids,
        "images": [image | taken for image in images],
        "split": _SPLITS[film.patient % len(_SPLITS)],
        "labels": _label(case),
        "report": write_report(case.report, examination, person, rng),
    }


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Write the three tables and the archive of the reports, in the order of patients and studies."""
    rows = sorted(rows, key=lambda row: (row["subject_id"], row["study_id"]))
    images = [image for row in rows for image in row["images"]]
    splits = [image | {"split": row["split"]} for row in rows for image in row["images"]]
    labels = [{"subject_id": row["subject_id"], "study_id": row["study_id"], **row["labels"]} for row in rows]
    _write_table(root / "mimic-cxr-2.0.0-metadata.csv.gz", METADATA_COLUMNS, images)
    _write_table(root / "mimic-cxr-2.0.0-split.csv.gz", SPLIT_COLUMNS, splits)
    _write_table(root / "mimic-cxr-2.0.0-chexpert.csv.gz", ("subject_id", "study_id", *CHEXPERT_LABELS), labels)
    with zipfile.ZipFile(root / "mimic-cxr-reports.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows:
            patient = f"p{row['subject_id']}"
            member = zipfile.ZipInfo(f"files/{patient[:3]}/{patient}/s{row['study_id']}.txt")  # dated 1980
            member.compress_type, member.create_system, member.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
            archive.writestr(member, row["report"])


def _number_patient(film: Film) -> int:
    return 10_000_000 + (_FIRST_PATIENT + _PATIENT_STEP * film.patient) % _NUM_PATIENTS


def number_study(film: Film) -> int:
    """Id of the study that a film makes."""
    if film.index == _LISTED_FILM:
        return LISTED_STUDY
    return 50_000_000 + 2 * ((_FIRST_STUDY + _STUDY_STEP * film.index) % _NUM_STUDIES)


def _name_image(film: Film, number: int) -> str:
    digest = hashlib.sha256(f"{film.seed} {film.stream} {film.index} {number}".encode()).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))


def _draw_views(image: Pixels, rng: np.random.Generator) -> list[_View]:
    """One or two frontal views and perhaps a lateral one, or a lateral view alone."""
    frontal = "PA" if rng.random() < 0.4 else "AP"
    second, lateral, only_lateral = rng.random(3) < (_SECOND_FRONTAL, _LATERAL, _ONLY_LATERAL)
    views = [] if only_lateral else [_View(frontal, image)]
    if second and not only_lateral:
        views.append(_View(frontal, _expose_again(image, rng)))
    if lateral or only_lateral:
        views.append(_View("LATERAL", _turn(image)))
    return views


def _expose_again(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Another exposure of the same body, a little shifted."""
    gamma, contrast = rng.uniform(0.7, 1.4), rng.uniform(0.8, 1.0)
    shift = rng.uniform(-0.03, 0.03, 2) * len(image)
    moved = Image.fromarray(image).transform(
        image.shape, Image.Transform.AFFINE, (1, 0, shift[0], 0, 1, shift[1]), Image.Resampling.BILINEAR
    )
    values = 0.5 + contrast * ((np.asarray(moved) / 255) ** gamma - 0.5)
    return np.rint(255 * values).astype(np.uint8)


def _turn(image: Pixels) -> Pixels:
    """Stands in for a lateral film, which is never prepared: narrow, both lungs on top of each other."""
    both = image.astype(np.uint16) + image[:, ::-1]
    narrow = Image.fromarray((both // 2).astype(np.uint8)).resize((3 * len(image) // 4, len(image)))
    return np.asarray(narrow)


def _name_examination(views: Sequence[_View]) -> str:
    positions = {view.position for view in views}
    if positions == {"AP"}:
        return "CHEST (PORTABLE AP)"
    if positions == {"LATERAL"}:
        return "CHEST (LAT)"
    frontal = "AP" if "AP" in positions else "PA"
    return f"CHEST ({frontal} AND LAT)" if "LATERAL" in positions else f"CHEST ({frontal})"


def _describe_view(view: _View, examination: str) -> dict[str, Any]:
    return {
        "PerformedProcedureStepDescription": examination,
        "ViewPosition": view.position,
        "Rows": view.pixels.shape[0],
        "Columns": view.pixels.shape[1],
        "ProcedureCodeSequence_CodeMeaning": examination,
        "ViewCodeSequence_CodeMeaning": _MEANINGS[view.position],
        "PatientOrientationCodeSequence_CodeMeaning": "Recumbent" if "PORTABLE" in examination else "Erect",
    }


def _date_study(film: Film, rng: np.random.Generator) -> dict[str, str]:
    """Far in the future, as the original's; the studies of a patient in their order."""
    day = date(2110, 1, 1) + timedelta(days=int(film.personal().integers(0, 30_000)) + 11 * film.follow_up)
    hour, minute, second, thousandth = (int(rng.integers(limit)) for limit in (24, 60, 60, 1000))
    return {"StudyDate": f"{day:%Y%m%d}", "StudyTime": f"{hour:02d}{minute:02d}{second:02d}.{thousandth:03d}"}


def _label(case: Case) -> dict[str, str]:
    """1.0 for what is there, -1.0 where the report hedges, 0.0 for what it denies; the rest stays blank."""
    text = " ".join(case.report)
    present = {_LABEL_OF[finding.kind] for finding in case.findings if finding.kind in _LABEL_OF}
    denied = {_LABEL_OF[kind] for kind, sentences in ABSENT.items() if any(each in case.report for each in sentences)}
    labels = dict.fromkeys(sorted(denied - present), "0.0")
    labels |= {label: "-1.0" if _HEDGES.get(label, "\n") in text else "1.0" for label in sorted(present)}
    if DEVICE_SENTENCES.intersection(case.report):
        labels["Support Devices"] = "1.0"
    if not case.findings:
        labels["No Finding"] = "1.0"
    return labels


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
