"""SIIM-ACR Pneumothorax Segmentation: `train-rle.csv` and DICOM files somewhere below `dicom-images-train/`.

A row is one annotation of an image (run lengths), or says that the image has none (-1); annotations of an image are
united (PROTOCOL A.2). The download holds 42 files more than the table has images: those are left out. The table does
not say who the patients are, and the published splits are by image: each image counts as a patient of its own.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from lovt_core.data.annotations.run_lengths import NO_RUNS, find_fault
from lovt_core.data.annotations.shapes import Annotation, RunLengths
from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.sources.download import Download, Flow, Item, Labels, printable, require_layout
from lovt_core.data.tables import Row, stream_table
from lovt_core.errors import DataError

TABLES, IMAGES = ("train-rle.csv", "stage_2_train.csv"), "dicom-images-train"
FOLDERS = ("", "siim/")
"""Where they lie below the root: the official download, and a copy of it on Kaggle."""
SUFFIX = ".dcm"
COLUMNS = ("imageid", "encodedpixels")
DATA_SET = DataSet(
    name="siim",
    title="SIIM-ACR Pneumothorax Segmentation",
    kind="localized",
    summary="12,047 X-rays, 2,669 with masks of a pneumothorax: tasks 13 and 14 of the protocol.",
    licence="terms of the competition: non-commercial and academic use",
    citation="Society for Imaging Informatics in Medicine, American College of Radiology: SIIM-ACR Pneumothorax "
    "Segmentation. Kaggle (2019)",
    url="https://www.kaggle.com/competitions/siim-acr-pneumothorax-segmentation/data",
    approximate_size="12,089 images, 1.7 GB",
    documented_layout=(
        "train-rle.csv          columns ImageId, EncodedPixels (in copies: stage_2_train.csv)",
        "dicom-images-train/    <study>/<series>/<ImageId>.dcm, at any depth",
        "(both may lie in a folder siim/)",
    ),
    default_size=224,
    split_fractions=(0.6, 0.2, 0.2),
    classes=("pneumothorax",),
    equalised=True,
)


@dataclass
class _Image:
    """What the rows say about one image."""

    name: str
    first_row: int
    annotations: list[Annotation] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    """Row number of each distinct content."""
    is_sound: bool = True


def scan(root: Path) -> Download:
    """Read the table and look for the images; raises DataError for a wrong folder or a damaged table."""
    table, folder = _locate(root, TABLES, (IMAGES,))
    labelled, problems, _ = _read_images(root, table)
    files = _list_files(root, folder)
    flow = Flow(sum(len(paths) for paths in files.values()))
    flow.drop(0, f"images in {folder}")
    twice = {name: paths for name, paths in files.items() if name in labelled and len(paths) > 1}
    flow.drop(sum(len(paths) for name, paths in files.items() if name not in labelled), "without a row in the table")
    flow.drop(sum(map(len, twice.values())), "several of the same name")
    once = [name for name in labelled if name in files and name not in twice]
    items = tuple(_build_item(labelled[name], files[name][0]) for name in once if labelled[name].is_sound)
    flow.drop(len(once) - len(items), "rows that cannot be used")
    problems += [Problem(where=paths[1], what=f"also there as {paths[0]}") for paths in twice.values()]
    problems += [
        Problem(where=f"{table}: row {image.first_row}", what=f"the image {name}{SUFFIX} is nowhere below {folder}")
        for name, image in labelled.items()
        if name not in files
    ]
    return Download(root, items, (table,), tuple(flow.steps), tuple(problems))


def read_labels(root: Path) -> Labels:
    """Rows, images and annotations of the table."""
    (table,) = _locate(root, TABLES)
    images, problems, num_rows = _read_images(root, table)
    counts = (
        ("rows", num_rows),
        ("images", len(images)),
        ("images with pneumothorax", sum(bool(image.annotations) for image in images.values())),
        ("annotations", sum(len(image.annotations) for image in images.values())),
    )
    return Labels(counts, tuple(images), tuple(problems))


def _locate(root: Path, *wanted: tuple[str, ...]) -> list[str]:
    """For each group of names the first that is there, relative to the root; raises DataError where none is."""
    found = [
        next((place + name for place in FOLDERS for name in names if (root / place / name).exists()), None)
        for names in wanted
    ]
    require_layout(root, [names[0] for names, path in zip(wanted, found, strict=True) if path is None], DATA_SET)
    return [path for path in found if path is not None]


def _read_images(root: Path, table: str) -> tuple[dict[str, _Image], list[Problem], int]:
    """Images in the order of the table, a problem for each row that cannot be used, and the number of rows."""
    images: dict[str, _Image] = {}
    problems: list[Problem] = []
    num_rows = 0
    for row in stream_table(root / table, COLUMNS):
        num_rows += 1
        name, where = row["imageid"], f"{table}: row {row.number}"
        if not name or "/" in name or "\\" in name:
            problems.append(Problem(where=where, what=f"the ImageId {name or '(nothing)'} is not the name of an image"))
            continue
        image = images.setdefault(name, _Image(name, row.number))
        what = _find_repetition(image, row) or _add_row(image, row["encodedpixels"], where)
        if what is not None:
            image.is_sound = False
            problems.append(Problem(where=where, what=what))
    return images, problems, num_rows


def _find_repetition(image: _Image, row: Row) -> str | None:
    first = image.seen.setdefault(row["encodedpixels"], row.number)
    return None if first == row.number else f"the same as row {first}"


def _add_row(image: _Image, text: str, where: str) -> str | None:
    """Add an annotation to the image; says what is wrong where it cannot be used."""
    if NO_RUNS in image.seen and len(image.seen) > 1:
        return f"the image has both run lengths and {NO_RUNS} (row {image.first_row} and this one)"
    if text == NO_RUNS:
        return None
    shape = RunLengths(text)
    fault = find_fault(text, shape.height, shape.width)
    if fault is not None:
        return f"run lengths: {fault}"
    image.annotations.append(Annotation(shape, where))
    return None


def _list_files(root: Path, folder: str) -> dict[str, list[str]]:
    """Paths of all DICOM files below a folder, relative to the root, by the name without suffix.

    Raises OSError for a folder that cannot be listed, DataError for a name that cannot be stored as text.
    """
    files: dict[str, list[str]] = {}
    for parent, folders, names in os.walk(root / folder, onerror=_raise):
        folders.sort()
        for name in sorted(names):
            if name.endswith(SUFFIX) and not name.startswith("."):
                path = Path(parent, name).relative_to(root).as_posix()
                if path != printable(path):
                    raise DataError(f"{root}: {printable(path)}: the name is not UTF-8 text: rename the folder")
                files.setdefault(name.removesuffix(SUFFIX), []).append(path)
    return files


def _raise(error: OSError) -> None:
    raise error


def _build_item(image: _Image, file: str) -> Item:
    return Item(id=image.name, patient=image.name, images=(file,), annotations=tuple(image.annotations))
