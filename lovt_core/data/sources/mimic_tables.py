"""The tables of MIMIC-CXR-JPG: images of each study, the official split, CheXpert labels.

Streamed: what is kept of 377,110 images and 227,835 studies fits in about a hundred megabytes.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lovt_core.config.methods import CHEXPERT_LABELS
from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem, SplitPart
from lovt_core.data.sources.download import require_layout
from lovt_core.data.tables import Row, canonical, stream_table

METADATA, SPLIT, CHEXPERT = "metadata", "split", "chexpert"
FRONTAL_VIEWS = frozenset(("AP", "PA"))

_VERSIONS = ("2.0.0", "2.1.0")
_SUFFIXES = (".csv.gz", ".csv")
_PARTS: Mapping[str, SplitPart] = {"train": "train", "validate": "validation", "test": "test"}
_VALUES = {"1.0": 1, "0.0": 0, "-1.0": -1, "1": 1, "0": 0, "-1": -1}
_NUMBER = re.compile(r"[0-9]{8}")
_DICOM = re.compile(r"[0-9a-z-]{1,64}")

Findings = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Study:
    """What the tables say of one study; filled while they are read."""

    patient: str
    """As its folder is called, for example `p10000032`."""
    frontal: tuple[str, ...] = ()
    """DICOM ids of AP and PA images, in the order of the table."""
    others: tuple[str, ...] = ()
    """DICOM ids of all other images."""
    split: SplitPart | None = None
    findings: Findings = ()

    @property
    def folder(self) -> str:
        """Of its patient, below `files`."""
        return f"{self.patient[:3]}/{self.patient}"


@dataclass
class Tables:
    """All tables of a download."""

    files: Mapping[str, str]
    """Name of each table that is there, by its kind."""
    studies: dict[str, Study] = field(default_factory=dict)
    """By id, for example `s50414267`."""
    num_rows: int = 0
    """Of the metadata."""
    num_unusable: int = 0
    """Rows of the metadata that are no images."""
    problems: list[Problem] = field(default_factory=list)

    def tell(self, table: str, row: Row | None, what: str) -> None:
        """Note a problem of a table, or of one of its rows."""
        where = self.files[table] if row is None else f"{self.files[table]}: row {row.number}"
        self.problems.append(Problem(where=where, what=what))


def read_tables(root: Path, expected: tuple[str, ...], data_set: DataSet) -> Tables:
    """Read metadata, split and, where it is there, the CheXpert table.

    Raises DataError for a damaged table and where a table or one of the `expected` names is not there.
    """
    found = {kind: _find_table(root, kind) for kind in (METADATA, SPLIT, CHEXPERT)}
    required = (found[kind] or f"mimic-cxr-{_VERSIONS[0]}-{kind}{_SUFFIXES[0]}" for kind in (METADATA, SPLIT))
    require_layout(root, (*expected, *required), data_set)
    tables = Tables({kind: name for kind, name in found.items() if name is not None})
    _read_metadata(root, tables)
    _read_split(root, tables)
    if CHEXPERT in tables.files:
        _read_findings(root, tables)
    return tables


def _find_table(root: Path, kind: str) -> str | None:
    names = (f"mimic-cxr-{version}-{kind}{suffix}" for version in _VERSIONS for suffix in _SUFFIXES)
    return next((name for name in names if (root / name).exists()), None)


def _read_metadata(root: Path, tables: Tables) -> None:
    columns = ("dicom id", "subject id", "study id", "viewposition")
    for row in stream_table(root / tables.files[METADATA], columns):
        tables.num_rows += 1
        problem = _add_image(tables.studies, row)
        if problem is not None:
            tables.num_unusable += 1
            tables.tell(METADATA, row, problem)


def _add_image(studies: dict[str, Study], row: Row) -> str | None:
    """Add the image of a row to its study; returns what is wrong with the row, if anything."""
    dicom, subject, number = row["dicom id"], row["subject id"], row["study id"]
    for column, value in (("subject_id", subject), ("study_id", number)):
        if _NUMBER.fullmatch(value) is None:
            return f"no number of eight digits in column {column}"
    if _DICOM.fullmatch(dicom) is None:
        return "no DICOM id (small letters, digits, hyphens) in column dicom_id"
    patient = sys.intern(f"p{subject}")
    study = studies.setdefault(f"s{number}", Study(patient))
    if study.patient != patient:
        return f"study s{number} belongs to {study.patient} in an earlier row and to {patient} here"
    if dicom in study.frontal or dicom in study.others:
        return f"the image {dicom} occurs a second time"
    if row["viewposition"].upper() in FRONTAL_VIEWS:
        study.frontal += (dicom,)
    else:
        study.others += (dicom,)
    return None


def _read_split(root: Path, tables: Tables) -> None:
    """Set the split of each study; what has no split, or two, stays without and becomes a problem."""
    unusable: set[str] = set()
    strangers = _Strangers()
    for row in stream_table(root / tables.files[SPLIT], ("study id", "split")):
        id_ = f"s{row['study id']}"
        study, part = tables.studies.get(id_), _PARTS.get(row["split"].lower())
        if study is None:
            strangers.count(row)
        elif part is None:
            unusable.add(id_)
            tables.tell(SPLIT, row, "column split: train, validate or test is expected")
        elif study.split not in (None, part):
            unusable.add(id_)
            tables.tell(SPLIT, row, f"study {id_} is in another split than in an earlier row")
        else:
            study.split = part
    for id_, study in tables.studies.items():
        if id_ in unusable:
            study.split = None
        elif study.split is None:
            tables.tell(SPLIT, None, f"no row for study {id_}")
    strangers.tell(SPLIT, tables)


def _read_findings(root: Path, tables: Tables) -> None:
    columns = tuple(canonical(label) for label in CHEXPERT_LABELS)
    known: dict[Findings, Findings] = {}  # few combinations occur, each is kept once
    labelled: set[str] = set()
    strangers = _Strangers()
    for row in stream_table(root / tables.files[CHEXPERT], ("study id", *columns)):
        id_ = f"s{row['study id']}"
        study = tables.studies.get(id_)
        values = [row[column] for column in columns]
        wrong = next((value for value in values if value and value not in _VALUES), None)
        if study is None:
            strangers.count(row)
        elif wrong is not None:
            tables.tell(CHEXPERT, row, "a cell that is no label: 1.0, 0.0, -1.0 or nothing is expected")
        elif id_ in labelled:
            tables.tell(CHEXPERT, row, f"study {id_} occurs a second time")
        else:
            labelled.add(id_)
            findings = tuple(
                (label, _VALUES[value]) for label, value in zip(CHEXPERT_LABELS, values, strict=True) if value
            )
            study.findings = known.setdefault(findings, findings)
    strangers.tell(CHEXPERT, tables)


@dataclass
class _Strangers:
    """Rows whose study the metadata does not know: one problem for all of them."""

    number: int = 0
    first: Row | None = None

    def count(self, row: Row) -> None:
        self.number += 1
        self.first = self.first or row

    def tell(self, table: str, tables: Tables) -> None:
        if self.first is not None:
            rows = "this row" if self.number == 1 else f"this row and {self.number - 1} more"
            tables.tell(table, self.first, f"no study of {tables.files[METADATA]} for {rows}")
