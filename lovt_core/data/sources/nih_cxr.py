"""NIH ChestX-ray8 / ChestX-ray14: boxes of eight findings, image labels, and images in numbered folders (PROTOCOL A.2).

Of the 112,120 images the protocol keeps the 880 with boxes, and 100 without finding: the published ones, or where the
download holds none of these, others drawn by patient. Only images that are kept have to be there.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lovt_core.data.annotations.faults import find_shape_fault
from lovt_core.data.annotations.shapes import Annotation, Box
from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.sources.download import Download, Flow, Item, Labels, printable, require_layout
from lovt_core.data.split_lists import load_published
from lovt_core.data.tables import Row, stream_table
from lovt_core.errors import DataError

DATA_SET = DataSet(
    name="nih-cxr",
    title="NIH ChestX-ray8",
    kind="localized",
    summary="880 X-rays with boxes of eight findings and 100 without finding: task 18 of the protocol.",
    licence="free use with attribution to the NIH Clinical Center and the paper",
    citation="Wang, Peng, Lu, Lu, Bagheri, Summers: ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks "
    "on Weakly-Supervised Classification and Localization of Common Thorax Diseases. CVPR 2017",
    url="https://nihcc.app.box.com/v/ChestXray-NIHCC",
    approximate_size="112,120 images, 45 GB (980 of them are used)",
    documented_layout=(
        "BBox_List_2017.csv          columns Image Index, Finding Label, Bbox [x,y,w,h]",
        "Data_Entry_2017_v2020.csv   columns Image Index, Finding Labels, Patient ID (or Data_Entry_2017.csv, .csv.gz)",
        "test_list.txt               names of the official test images (needed where no published image is there)",
        "images_001/images/          PNG files, up to images_012/images/ (or all of them in images/)",
    ),
    default_size=224,
    split_fractions=(0.6, 0.2, 0.2),
    classes=(
        "Atelectasis",
        "Cardiomegaly",
        "Effusion",
        "Infiltrate",
        "Mass",
        "Nodule",
        "Pneumonia",
        "Pneumothorax",
    ),
    equalised=True,
)
BOXES, TEST_LIST = "BBox_List_2017.csv", "test_list.txt"
ENTRIES = tuple(f"Data_Entry_2017{version}.csv{packed}" for version in ("_v2020", "") for packed in ("", ".gz"))
"""Spellings of the table of image labels, the preferred one first."""
BOX_COLUMNS = ("image index", "finding label", "bbox [x", "y", "w", "h]")
"""As the comma in the header's `Bbox [x,y,w,h]` cuts it."""
ENTRY_COLUMNS = ("image index", "finding labels", "patient id")
NO_FINDING = "No Finding"
NUM_NO_FINDING = 100
_NAME = re.compile(r"[0-9]{8}_[0-9]{3}\.png")


@dataclass
class _Boxes:
    """What the table of boxes says."""

    annotations: dict[str, list[Annotation]] = field(default_factory=dict)
    """By image; an image all of whose boxes are unusable has an empty list."""
    first_rows: dict[str, str] = field(default_factory=dict)
    """Where an image is named first."""
    faulty: set[str] = field(default_factory=set)
    """Images with an unusable box: they cannot be used without it."""
    problems: list[Problem] = field(default_factory=list)


@dataclass
class _Entries:
    """What the table of image labels says."""

    table: str
    rows: dict[str, int] = field(default_factory=dict)
    """Row of each image."""
    no_finding: list[str] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)
    """Images whose patient is in doubt."""
    problems: list[Problem] = field(default_factory=list)


def scan(root: Path) -> Download:
    """Read the tables and list the images; raises DataError for a wrong folder or a damaged table."""
    folders = _find_image_folders(root)
    require_layout(root, (BOXES, _entry_table(root), *(() if folders else ("images_001",))), DATA_SET)
    boxes, entries = _read_boxes(root), _read_entries(root)
    images, problems = _list_images(root, folders)
    problems = [*boxes.problems, *entries.problems, *problems, *_find_strangers(boxes, entries, images)]
    chosen, choice = _choose_no_finding(root, boxes, entries, images)
    wanted = [name for name in sorted({*boxes.annotations, *chosen}) if name in entries.rows]
    flow = Flow(len(entries.rows))
    flow.drop(0, f"images of {entries.table}")
    flow.drop(len(entries.rows) - len(wanted), f"no box, and {choice}")
    sound = [name for name in wanted if name not in boxes.faulty | entries.faulty]
    flow.drop(len(wanted) - len(sound), "box or patient unusable")
    found = [name for name in sound if name in images]
    flow.drop(len(sound) - len(found), "image missing")
    problems += [_report_missing(name, boxes, entries) for name in wanted if name not in images]
    items = tuple(_build_item(name, images[name], boxes) for name in found)
    tables = [BOXES, entries.table, *([TEST_LIST] if (root / TEST_LIST).is_file() else [])]
    return Download(root, items, tuple(tables), tuple(flow.steps), tuple(problems))


def read_labels(root: Path) -> Labels:
    """Boxes, boxed images, and image labels of both tables."""
    require_layout(root, (BOXES, _entry_table(root)), DATA_SET)
    boxes, entries = _read_boxes(root), _read_entries(root)
    per_class = Counter(each.label for annotations in boxes.annotations.values() for each in annotations)
    counts = (
        ("boxes", per_class.total()),
        ("images with boxes", len(boxes.annotations)),
        ("patients with boxes", len(set(map(_patient_of, boxes.annotations)))),
        *((f"boxes of {name}", per_class[label]) for label, name in enumerate(DATA_SET.classes)),
        ("images", len(entries.rows)),
        ("patients", len(set(map(_patient_of, entries.rows)))),
        ("images without finding", len(entries.no_finding)),
    )
    ids = tuple(name.removesuffix(".png") for name in dict.fromkeys((*entries.rows, *boxes.annotations)))
    return Labels(counts, ids, (*boxes.problems, *entries.problems))


def _entry_table(root: Path) -> str:
    return next((name for name in ENTRIES if (root / name).is_file()), ENTRIES[0])


def _read_boxes(root: Path) -> _Boxes:
    boxes = _Boxes()
    for row in stream_table(root / BOXES, BOX_COLUMNS):
        name, where = row["image index"], f"{BOXES}: row {row.number}"
        fault, twin = _find_name_fault(name) or _find_box_fault(row), None
        if fault is not None:
            boxes.problems.append(Problem(where=where, what=fault))
        if _NAME.fullmatch(name) is None:
            continue
        boxes.first_rows.setdefault(name, where)
        annotations = boxes.annotations.setdefault(name, [])
        if fault is None:
            annotation = Annotation(_parse_box(row), where, DATA_SET.classes.index(row["finding label"]))
            twin = next((each for each in annotations if replace(each, where=where) == annotation), None)
            annotations.append(annotation)
            if twin is not None:
                boxes.problems.append(Problem(where=where, what=f"the same box as {twin.where}: remove one"))
        if fault is not None or twin is not None:
            boxes.faulty.add(name)
    return boxes


def _find_name_fault(name: str) -> str | None:
    if _NAME.fullmatch(name) is None:
        return f"'{name}' is not the name of an image, such as 00000001_000.png"
    return None


def _find_box_fault(row: Row) -> str | None:
    if row["finding label"] not in DATA_SET.classes:
        return f"unknown finding '{row['finding label']}': boxes show {', '.join(DATA_SET.classes)}"
    try:
        return find_shape_fault(_parse_box(row))
    except ValueError:
        return "left, top, width and height of the box must be numbers"


def _parse_box(row: Row) -> Box:
    return Box(*(float(row[column]) for column in BOX_COLUMNS[2:]))


def _read_entries(root: Path) -> _Entries:
    entries = _Entries(_entry_table(root))
    for row in stream_table(root / entries.table, ENTRY_COLUMNS):
        name = row["image index"]
        fault = _find_name_fault(name) or _find_patient_fault(row)
        if fault is None and name in entries.rows:
            fault = f"the image {name} is named in row {entries.rows[name]} already"
        if fault is not None:
            entries.problems.append(Problem(where=f"{entries.table}: row {row.number}", what=fault))
            entries.faulty.add(name)
        if _NAME.fullmatch(name) is not None and name not in entries.rows:
            entries.rows[name] = row.number
            if row["finding labels"] == NO_FINDING:
                entries.no_finding.append(name)
    return entries


def _find_patient_fault(row: Row) -> str | None:
    if row["patient id"].lstrip("0") != _patient_of(row["image index"]).lstrip("0"):
        return f"the patient {row['patient id']} is not that of the image {row['image index']}"
    return None


def _patient_of(name: str) -> str:
    return name.partition("_")[0]


def _find_image_folders(root: Path) -> list[Path]:
    numbered = sorted(root.glob("images_*")) if root.is_dir() else []
    nested = [folder / "images" if (folder / "images").is_dir() else folder for folder in numbered]
    return [folder for folder in (root / "images", *nested) if folder.is_dir()]


def _list_images(root: Path, folders: Iterable[Path]) -> tuple[dict[str, str], list[Problem]]:
    """Names of all PNG files with their paths below the root, and a problem for each name that occurs twice."""
    images: dict[str, str] = {}
    problems = []
    for folder in folders:
        below = folder.relative_to(root).as_posix()
        for name in sorted(path.name for path in folder.iterdir()):
            if not name.lower().endswith(".png") or name.startswith("."):
                continue
            if name in images:
                problems.append(Problem(where=printable(f"{below}/{name}"), what=f"the same image as {images[name]}"))
            images.setdefault(name, f"{below}/{name}")
    return images, problems


def _find_strangers(boxes: _Boxes, entries: _Entries, images: dict[str, str]) -> list[Problem]:
    """Images with boxes or on disk that the table of image labels does not name."""
    absent = f"the image is not in {entries.table}"
    boxed = [
        Problem(where=boxes.first_rows[name], what=absent) for name in boxes.annotations if name not in entries.rows
    ]
    return boxed + [
        Problem(where=printable(path), what=absent)
        for name, path in images.items()
        if name not in entries.rows and name not in boxes.annotations
    ]


def _choose_no_finding(root: Path, boxes: _Boxes, entries: _Entries, images: dict[str, str]) -> tuple[list[str], str]:
    """The images without finding that are kept, and the words for why the others are not."""
    candidates = [name for name in entries.no_finding if name not in boxes.annotations]
    lists = load_published(DATA_SET.name)
    published = lists.ids if lists is not None else frozenset()
    listed = [name for name in candidates if name.removesuffix(".png") in published]
    if any(name in images for name in listed):
        return listed, f"not one of the {len(listed)} without finding in the published lists"
    pool, origin = [name for name in candidates if name in images], f"the whole download, as there is no {TEST_LIST}"
    if (root / TEST_LIST).is_file():
        official = _read_test_list(root / TEST_LIST)
        if not official:
            raise DataError(f"{root / TEST_LIST}: the list is empty; it names the official test images, one a line")
        pool, origin = [name for name in pool if name in official], TEST_LIST
    drawn = _draw_by_patient(pool, NUM_NO_FINDING)
    return drawn, f"not one of {len(drawn)} without finding drawn by patient (seed 0) from {origin}"


def _read_test_list(path: Path) -> set[str]:
    try:
        return set(path.read_text(encoding="utf-8-sig").split())
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason}); save the list as UTF-8") from error


def _draw_by_patient(names: Iterable[str], count: int) -> list[str]:
    """The first `count` in an order of hashes: one image of each patient before a second one of any.

    The hash is not that of the split by patient: patients drawn by that would all be the first to fill its test part.
    """
    seen: Counter[str] = Counter()
    order = []
    for name in sorted(names):
        patient = _patient_of(name)
        order.append((seen[patient], hashlib.sha256(f"no finding\n0\n{patient}".encode()).digest(), name))
        seen[patient] += 1
    return [name for _, _, name in sorted(order)[:count]]


def _report_missing(name: str, boxes: _Boxes, entries: _Entries) -> Problem:
    where = boxes.first_rows.get(name, f"{entries.table}: row {entries.rows[name]}")
    return Problem(where=where, what=f"the image {name} is in none of the folders of images")


def _build_item(name: str, path: str, boxes: _Boxes) -> Item:
    annotations = tuple(boxes.annotations.get(name, ()))
    return Item(name.removesuffix(".png"), _patient_of(name), (path,), annotations=annotations)
