"""Tiny downloads of MIMIC-CXR: tables, empty image files, and the archive of reports."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lovt_core.config.methods import CHEXPERT_LABELS

REPORT = (
    " " * 33 + "FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n \n FINDINGS: \n \n Lungs are clear.  No\n effusion.\n"
    " \n IMPRESSION: \n \n 1.  No acute process.\n 2.  Secret wording.\n"
)
SENTENCES = ("Lungs are clear.", "No effusion.", "No acute process.", "Secret wording.")
METADATA, SPLIT, CHEXPERT = (f"mimic-cxr-2.0.0-{kind}.csv.gz" for kind in ("metadata", "split", "chexpert"))


@dataclass(frozen=True)
class Film:
    """One image and what the tables and the archive say of it."""

    patient: int
    study: int
    view: str = "PA"
    number: int = 0
    split: str | None = "train"
    report: str | bytes | None = REPORT

    @property
    def dicom(self) -> str:
        return f"{self.patient}-{self.study}-abcdef-{self.number}"

    @property
    def study_folder(self) -> str:
        return f"files/p{self.patient}"[:9] + f"/p{self.patient}/s{self.study}"

    @property
    def file(self) -> str:
        return f"{self.study_folder}/{self.dicom}.jpg"

    def row(self) -> dict[str, str]:
        ids = {"dicom_id": self.dicom, "subject_id": str(self.patient), "study_id": str(self.study)}
        return {**ids, "ViewPosition": self.view, "split": self.split or ""}


FILMS = (
    Film(10000032, 50000002),
    Film(10000032, 50000002, "LATERAL", 1),
    Film(10000032, 50000001, "AP", 0),
    Film(10000032, 50000001, "AP", 1),
    Film(11000007, 50000003, split="validate"),
    Film(12000000, 50000004, "LL"),
    Film(13000000, 50000005, split="test"),
)


def write_gzipped(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(columns), restval="", extrasaction="ignore")
    table.writeheader()
    table.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode()))


def write_reports(path: Path, films: Iterable[Film], extra: Mapping[str, str] | None = None) -> None:
    reports = {f"{film.study_folder}.txt": film.report for film in films if film.report is not None}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (reports | dict(extra or {})).items():
            archive.writestr(name, content)


def write_mimic(root: Path, films: Iterable[Film] = FILMS, labels: Iterable[Mapping[str, str]] = ()) -> Path:
    """A download with every image of `films`; without `labels` it has no CheXpert table."""
    films, labels = list(films), list(labels)
    for film in films:
        (root / film.study_folder).mkdir(parents=True, exist_ok=True)
        (root / film.file).touch()
        (root / film.study_folder / "index.html").touch()
    rows = [film.row() for film in films]
    write_gzipped(root / METADATA, ("dicom_id", "subject_id", "study_id", "ViewPosition", "Rows"), rows)
    splits = [row for row in rows if row["split"]]
    write_gzipped(root / SPLIT, ("dicom_id", "study_id", "subject_id", "split"), splits)
    if labels:
        write_gzipped(root / CHEXPERT, ("subject_id", "study_id", *CHEXPERT_LABELS), labels)
    write_reports(root / "mimic-cxr-reports.zip", films)
    return root


def flow_of(download):
    return {step.what: (step.dropped, step.kept) for step in download.flow}


def problems_of(found):
    return [str(problem) for problem in found.problems]
