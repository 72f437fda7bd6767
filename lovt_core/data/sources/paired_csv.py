"""A group's own pairs of images and reports: a folder with `pairs.csv` and the files that it names.

One row an image; rows with the same `id` are one study with several images and one report. Only `image`, `patient` and
`report` (or `report_file`) are needed. The smallest table, and one with everything (the last three lines are one row):

    image,report,patient
    films/0001.png,"The heart is enlarged. No effusion.",p17

    id,image,report_file,patient,split,boxes,mask,classes,findings
    study-2,films/0002.dcm,notes/0002.txt,p18,train,
    12;40;200;150|300;80;90;60,,effusion|nodule,
    Effusion:1|Nodule:1|Edema:-1|Pneumothorax

A report with headings as MIMIC-CXR has them is reduced to findings and impression; of any other, every sentence counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem, SplitPart
from lovt_core.data.reports.sections import find_sections
from lovt_core.data.reports.text import MIN_TOKENS, count_tokens, split_sentences
from lovt_core.data.sources.download import Download, Flow, Item, Labels, require_layout
from lovt_core.data.sources.pair_fields import (
    IMAGE_SUFFIXES,
    MASK_SUFFIXES,
    CellError,
    Folder,
    Mark,
    check_suffix,
    list_folder,
    normalise,
    parse_findings,
    parse_marks,
    parse_split,
)
from lovt_core.data.tables import Row, stream_table
from lovt_core.errors import DataError

DATA_SET = DataSet(
    name="paired-csv",
    title="Own pairs of images and reports",
    kind="paired",
    summary="A group's own images and reports, listed in one table; boxes, masks and labels where there are any.",
    licence="the group's own",
    citation="none: the group's own data",
    url="docs/data.md",
    approximate_size="as large as the group's data",
    documented_layout=(
        "pairs.csv       columns image, report (or report_file), patient; one row an image; optional columns:",
        "                id (rows with the same id are one study), split (train, validation, test),",
        "                boxes (x;y;w;h|x;y;w;h in pixels), mask (image file, 0 and one positive value),",
        "                classes (name|name, one a box), findings (Edema:1|Pneumonia:0|Effusion:-1)",
        "films/1.png     the files of the column `image`, in any folders: png, jpg, dcm, tif",
        "example:        image,report,patient",
        '                films/1.png,"The heart is enlarged. No effusion.",p17',
        '                films/2.png,"Normal chest.",p18',
    ),
    default_size=320,
    split_fractions=(0.8, 0.1, 0.1),
)
TABLE = "pairs.csv"
COLUMNS = ("image", "patient")
REPORT_COLUMNS = ("report", "report file")


@dataclass(frozen=True)
class _Study:
    """What one row, or all rows of one id, say."""

    row: int
    id: str
    patient: str
    images: tuple[str, ...]
    sentences: tuple[str, ...]
    marks: tuple[Mark, ...]
    findings: tuple[tuple[str, int], ...]
    split: SplitPart | None

    @property
    def where(self) -> str:
        """The first row."""
        return _where(self.row)


def scan(root: Path) -> Download:
    """Read the table and look for the files; raises DataError for a wrong folder or a damaged table."""
    require_layout(root, (TABLE,), DATA_SET)
    folder = list_folder(root)
    reader = _Reader(folder, needs_images=True)
    rows = list(reader.read())
    studies, contradictions = _join(rows)
    flow = Flow(reader.num_rows)
    flow.drop(0, f"rows of {TABLE}")
    flow.drop(reader.num_rows - len(rows), "row unusable")
    flow.drop(len(rows) - len(studies) - len(contradictions), "further images of a study")
    flow.drop(len(contradictions), "rows of a study contradict each other")
    kept = [study for study in studies if count_tokens(study.sentences) >= MIN_TOKENS]
    flow.drop(len(studies) - len(kept), f"report shorter than {MIN_TOKENS} tokens")
    problems = (*reader.problems, *contradictions, *_find_unnamed(folder, reader.named))
    classes = tuple(sorted({mark.class_name for study in kept for mark in study.marks}))
    items = tuple(_build_item(study, classes) for study in kept)
    return Download(root, items, (TABLE,), tuple(flow.steps), problems, classes)


def read_labels(root: Path) -> Labels:
    """Rows, studies, patients, reports and annotations of the table, images or not; report files are read."""
    require_layout(root, (TABLE,), DATA_SET)
    reader = _Reader(list_folder(root), needs_images=False)
    studies, contradictions = _join(list(reader.read()))
    marks = [mark for study in studies for mark in study.marks]
    counts = [
        ("rows", reader.num_rows),
        ("studies", len(studies)),
        ("images", sum(len(study.images) for study in studies)),
        ("patients", len({study.patient for study in studies})),
        ("reports", sum(bool(study.sentences) for study in studies)),
        ("sentences", sum(len(study.sentences) for study in studies)),
        ("boxes and masks", len(marks)),
        ("studies with findings", sum(bool(study.findings) for study in studies)),
    ]
    for name in sorted({mark.class_name for mark in marks}):
        counts.append((f"boxes and masks of class {name}", sum(mark.class_name == name for mark in marks)))
    return Labels(tuple(counts), tuple(study.id for study in studies), (*reader.problems, *contradictions))


class _Reader:
    """Reads the rows one by one and remembers what it met."""

    def __init__(self, folder: Folder, needs_images: bool) -> None:
        self.folder = folder
        self.needs_images = needs_images
        self.num_rows = 0
        self.problems: list[Problem] = []
        self.first_rows: dict[str, int] = {}
        """Each image and the first row that names it."""
        self.named: set[str] = set()
        """What stands in the columns `image` and `mask`, also of rows that cannot be used."""

    def read(self) -> Iterator[_Study]:
        """One study of one image for each row that can be used."""
        for row in stream_table(self.folder.root / TABLE, COLUMNS):
            if self.num_rows == 0 and not any(column in row.values for column in REPORT_COLUMNS):
                raise DataError(f"{self.folder.root / TABLE}: row 1: no column report and no column report_file")
            self.num_rows += 1
            try:
                yield self._read_row(row)
            except CellError as error:
                self.problems.append(Problem(where=_where(row.number), what=str(error)))

    def _read_row(self, row: Row) -> _Study:
        mask = row.values.get("mask", "")
        self.named |= {str(PurePosixPath(row["image"])), str(PurePosixPath(mask))}
        image = self._find(row["image"], "image", IMAGE_SUFFIXES)
        first = self.first_rows.setdefault(image, row.number)
        mask = self._find(mask, "mask", MASK_SUFFIXES) if mask else ""
        if first != row.number:
            raise CellError(f"row {first} names the image {image} already")
        if not row["patient"]:
            raise CellError("no patient")
        return _Study(
            row=row.number,
            id=row.values.get("id", "") or image,
            patient=row["patient"],
            images=(image,),
            sentences=self._read_report(row),
            marks=parse_marks(row.values.get("boxes", ""), mask, row.values.get("classes", "")),
            findings=parse_findings(row.values.get("findings", "")),
            split=parse_split(row.values.get("split", "")),
        )

    def _find(self, name: str, what: str, suffixes: tuple[str, ...]) -> str:
        relative = self.folder.locate(name, what) if self.needs_images else normalise(name, what)
        check_suffix(relative, what, suffixes)
        return relative

    def _read_report(self, row: Row) -> tuple[str, ...]:
        text, file = row.values.get("report", ""), row.values.get("report file", "")
        if text and file:
            raise CellError("a report and a report_file: only one of them can be right")
        if file:
            relative = self.folder.locate(file, "report file")
            try:
                text = (self.folder.root / relative).read_text(encoding="utf-8-sig")
            except UnicodeDecodeError as error:
                raise CellError(f"the report file {relative} is not UTF-8 text: save it as UTF-8") from error
            except OSError as error:
                raise CellError(f"the report file {relative} cannot be read: {error.strerror}") from error
        return _split_report(text)


def _split_report(text: str) -> tuple[str, ...]:
    """Sentences of findings and impression where headings tell them, of the whole text otherwise."""
    sections = find_sections(f"\n {text.lstrip()}")
    if sections is None:
        return split_sentences(text)
    return (*split_sentences(sections.findings), *split_sentences(sections.impression))


def _join(rows: list[_Study]) -> tuple[list[_Study], list[Problem]]:
    """Rows of the same id as one study; a problem for each id whose rows contradict each other."""
    groups: dict[str, list[_Study]] = {}
    for row in rows:
        groups.setdefault(row.id, []).append(row)
    has_splits = any(row.split is not None for row in rows)
    studies: list[_Study] = []
    problems: list[Problem] = []
    for group in groups.values():
        study = replace(
            group[0],
            images=tuple(image for row in group for image in row.images),
            sentences=next((row.sentences for row in group if row.sentences), ()),
            findings=next((row.findings for row in group if row.findings), ()),
            split=next((row.split for row in group if row.split is not None), None),
        )
        fault = _find_contradiction(group, study, has_splits)
        if fault is None:
            studies.append(study)
        else:
            problems.append(fault)
    return studies, problems


def _find_contradiction(group: list[_Study], study: _Study, has_splits: bool) -> Problem | None:
    if has_splits and study.split is None:
        return Problem(where=study.where, what="no split, although other rows have one: give all rows one, or none")
    for row in group:
        differing = [
            name
            for name, differs in (
                ("patient", row.patient != study.patient),
                ("report", row.sentences not in ((), study.sentences)),
                ("split", row.split not in (None, study.split)),
                ("findings", row.findings not in ((), study.findings)),
            )
            if differs
        ]
        if differing:
            what = f"another {' and '.join(differing)} than in another row of the study that begins in row {study.row}"
            return Problem(where=row.where, what=what)
        if row.marks and len(group) > 1:
            what = f"its study has {len(group)} images: only studies of one image can have boxes or a mask"
            return Problem(where=row.where, what=what)
    return None


def _build_item(study: _Study, classes: tuple[str, ...]) -> Item:
    return Item(
        id=study.id,
        patient=study.patient,
        images=study.images,
        sentences=study.sentences,
        annotations=tuple(mark.number(classes, study.where) for mark in study.marks),
        findings=study.findings,
        split=study.split,
    )


def _find_unnamed(folder: Folder, named: set[str]) -> list[Problem]:
    unnamed = [name for name in folder.files if Path(name).suffix.lower() in IMAGE_SUFFIXES and name not in named]
    return [Problem(where=name, what=f"no row of {TABLE} names this image") for name in sorted(unnamed)]


def _where(row: int) -> str:
    return f"{TABLE}: row {row}"
