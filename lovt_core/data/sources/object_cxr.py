"""Object-CXR (MIDL 2020): `train.csv` and `dev.csv` with the images of `train/` and `dev/` (PROTOCOL A.2).

A row names an image and the foreign objects on it: boxes, ellipses and polygons (reference vectors, section 17). Who
the patients are is not published: each image counts as a patient of its own.
"""

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from lovt_core.data.annotations.faults import find_shape_fault
from lovt_core.data.annotations.shapes import Annotation, Box, Ellipse, Polygon
from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem, SplitPart
from lovt_core.data.sources.download import Download, Flow, Item, Labels, find_repeated_ids, printable, require_layout
from lovt_core.data.tables import Row, stream_table

DATA_SET = DataSet(
    name="object-cxr",
    title="Object-CXR (JF Healthcare)",
    kind="localized",
    summary="9,000 X-rays with foreign objects as boxes, ellipses and polygons: tasks 15 to 17 of the protocol.",
    licence="none stated on the pages of the challenge; research use",
    citation="JF Healthcare: Object-CXR - Automatic detection of foreign objects on chest X-rays. MIDL 2020 challenge",
    url="https://academictorrents.com/details/fdc91f11d7010f7259a05403fc9d00079a09f5d5",
    approximate_size="9,000 images, 14 GB",
    documented_layout=(
        "train.csv       columns image_name, annotation",
        "dev.csv         likewise",
        "train/          00001.jpg to 08000.jpg, the files named in train.csv (from train.zip)",
        "dev/            08001.jpg to 09000.jpg, the files named in dev.csv (from dev.zip)",
    ),
    default_size=224,
    split_fractions=(6400 / 9000, 1600 / 9000, 1000 / 9000),
    classes=("foreign object",),
    equalised=True,
    jpeg_round_trip=True,
)
COLUMNS = ("image name", "annotation")
PARTS: dict[str, SplitPart] = {"train": "train", "dev": "test"}
"""Folders (tables are named alike), and what the protocol uses them for."""
_TABLES = tuple(f"{part}.csv" for part in PARTS)
_SUFFIXES = (".jpg", ".jpeg")


class AnnotationError(ValueError):
    """An annotation that cannot be read; the message says what is wrong."""


@dataclass(frozen=True)
class _Record:
    """One row of a table."""

    part: str
    where: str
    name: str
    annotations: tuple[Annotation, ...]
    fault: str | None
    """What is wrong with its annotation."""


def scan(root: Path) -> Download:
    """Read both tables and look for the images; raises DataError for a wrong folder or a damaged table."""
    require_layout(root, (*_TABLES, *PARTS), DATA_SET)
    records = list(_read_records(root))
    images = {part: _list_images(root, part) for part in PARTS}
    flow = Flow(len(records))
    flow.drop(0, f"rows of {' and '.join(_TABLES)}")
    problems, items = [], []
    for record in records:
        problem = _find_problem(record, images[record.part])
        if problem is None:
            items.append(_build_item(record, images[record.part][record.name]))
        else:
            problems.append(problem)
    flow.drop(len(problems), "image missing or annotation unusable")
    items_once, repeated = find_repeated_ids(items)
    flow.drop(len(repeated), "named more than once")
    unlabelled = _find_unlabelled(records, images)
    return Download(root, items_once, _TABLES, tuple(flow.steps), (*problems, *repeated, *unlabelled))


def read_labels(root: Path) -> Labels:
    """Images and objects of both tables."""
    require_layout(root, _TABLES, DATA_SET)
    records = list(_read_records(root))
    shapes = Counter(type(each.shape) for record in records for each in record.annotations)
    counts = (
        *((f"images in {part}.csv", sum(record.part == part for record in records)) for part in PARTS),
        ("images with objects", sum(bool(record.annotations) for record in records)),
        ("objects", shapes.total()),
        ("boxes", shapes[Box]),
        ("ellipses", shapes[Ellipse]),
        ("polygons", shapes[Polygon]),
    )
    problems = tuple(Problem(where=record.where, what=record.fault) for record in records if record.fault is not None)
    ids = dict.fromkeys(Path(record.name).stem for record in records if record.name)
    return Labels(counts, tuple(ids), problems)


def parse_annotation(text: str, where: str) -> tuple[Annotation, ...]:
    """The objects of one image; `where` is for messages. Raises AnnotationError."""
    return tuple(Annotation(_parse_shape(item), where) for item in text.split(";") if item.strip())


def _parse_shape(item: str) -> Box | Ellipse | Polygon:
    """One `type coordinates` item: 0 box and 1 ellipse have x1 y1 x2 y2, 2 polygon has x1 y1 x2 y2 x3 y3 ..."""
    kind, *texts = item.split()
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        raise AnnotationError("a coordinate is not a number") from None
    shape: Box | Ellipse | Polygon
    match kind:
        case "0":
            shape = Box(*_corners_to_size(numbers, "a box"))
        case "1":
            shape = Ellipse(*_corners_to_size(numbers, "an ellipse"))
        case "2":
            if len(numbers) % 2:
                raise AnnotationError(f"a polygon has pairs of coordinates, this one has {len(numbers)} coordinates")
            shape = Polygon(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
        case _:
            raise AnnotationError(f"unknown shape '{kind}': 0 is a box, 1 an ellipse, 2 a polygon")
    fault = find_shape_fault(shape)
    if fault is not None:
        raise AnnotationError(fault)
    return shape


def _corners_to_size(numbers: list[float], kind: str) -> tuple[float, float, float, float]:
    if len(numbers) != 4:
        raise AnnotationError(f"{kind} has the 4 coordinates x1 y1 x2 y2, this one has {len(numbers)}")
    left, top, right, bottom = numbers
    return left, top, right - left, bottom - top


def _read_records(root: Path) -> Generator[_Record, None, None]:
    for part, table in zip(PARTS, _TABLES, strict=True):
        for row in stream_table(root / table, COLUMNS):
            yield _read_record(part, table, row)


def _read_record(part: str, table: str, row: Row) -> _Record:
    where = f"{table}: row {row.number}"
    try:
        return _Record(part, where, row["image name"], parse_annotation(row["annotation"], where), None)
    except AnnotationError as error:
        return _Record(part, where, row["image name"], (), str(error))


def _list_images(root: Path, part: str) -> dict[str, str]:
    """Names of the images of a part with their paths below the root; archives unpacked a folder too deep are fine."""
    folder = root / part
    if (folder / part).is_dir():
        folder = folder / part
    return {
        path.name: path.relative_to(root).as_posix()
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    }


def _find_problem(record: _Record, images: dict[str, str]) -> Problem | None:
    if record.fault is not None:
        return Problem(where=record.where, what=record.fault)
    if record.name not in images:
        named = record.name or "(nothing)"
        return Problem(where=record.where, what=f"the image {named} is not in the folder {record.part}")
    return None


def _find_unlabelled(records: list[_Record], images: dict[str, dict[str, str]]) -> list[Problem]:
    named = {(record.part, record.name) for record in records}
    return [
        Problem(where=printable(path), what=f"no row in {part}.csv: whether objects are on it is unknown")
        for part, paths in images.items()
        for name, path in paths.items()
        if (part, name) not in named
    ]


def _build_item(record: _Record, path: str) -> Item:
    stem = Path(record.name).stem
    return Item(id=stem, patient=stem, images=(path,), annotations=record.annotations, split=PARTS[record.part])
