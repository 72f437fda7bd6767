"""What the cells of `pairs.csv` mean: boxes, classes, labels of the whole image, the split, file names."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lovt_core.data.annotations.faults import find_shape_fault
from lovt_core.data.annotations.shapes import Annotation, Box, MaskFile, Shape
from lovt_core.data.prepared_meta import SplitPart
from lovt_core.data.sources.download import printable

DEFAULT_CLASS = "finding"
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm", ".tif", ".tiff")
MASK_SUFFIXES = (".png", ".tif", ".tiff")
_SPLITS: dict[str, SplitPart] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "test",
}
_STATES = {"1": 1, "0": 0, "-1": -1}


class CellError(Exception):
    """A cell that cannot be used; the message says what is wrong and what would be right."""


@dataclass(frozen=True)
class Mark:
    """An annotation whose class is still a name."""

    shape: Shape
    class_name: str

    def number(self, classes: tuple[str, ...], where: str) -> Annotation:
        """The same with the position of its class."""
        return Annotation(self.shape, where, classes.index(self.class_name))


@dataclass(frozen=True)
class Folder:
    """The files below the root, and whether each may be read: links that lead out of the root may not."""

    root: Path
    files: dict[str, bool]

    def locate(self, name: str, what: str) -> str:
        """The file's name, relative to the root, as listed; raises CellError where it is absent or leads out."""
        relative = normalise(name, what)
        if relative not in self.files:
            raise CellError(f"{_describe(what, relative)} is not in the folder")
        if not self.files[relative]:
            raise CellError(f"{_describe(what, relative)} is a link that leads out of the folder: copy the file")
        return relative


def list_folder(root: Path) -> Folder:
    """All files below `root`, hidden ones left out; folders that are links are not entered."""
    top = root.resolve()
    files: dict[str, bool] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (name for name in names if not name.startswith(".")):
            path = Path(folder, name)
            inside = not path.is_symlink() or path.resolve().is_relative_to(top)
            files[path.relative_to(root).as_posix()] = inside
    return Folder(root, files)


def normalise(name: str, what: str) -> str:
    """The name of a file relative to the root in its shortest spelling; raises CellError where it leads out."""
    path = PurePosixPath(name)
    if not name:
        raise CellError(f"no {what}")
    if path.is_absolute() or ".." in path.parts or "\\" in name or name[1:2] == ":":
        raise CellError(
            f"{_describe(what, name)} may lead out of the folder: write it relative to the folder, with / but not .."
        )
    return str(path)


def check_suffix(name: str, what: str, suffixes: tuple[str, ...]) -> None:
    """Raise CellError for a file of another kind."""
    if PurePosixPath(name).suffix.lower() not in suffixes:
        raise CellError(f"{_describe(what, name)} is of an unknown kind: {' '.join(suffixes)} can be read")


def parse_split(cell: str) -> SplitPart | None:
    """The part that a word names; None for an empty cell."""
    if not cell:
        return None
    if cell.lower() not in _SPLITS:
        raise CellError("the split is none of train, validation and test")
    return _SPLITS[cell.lower()]


def parse_marks(boxes: str, mask: str, classes: str) -> tuple[Mark, ...]:
    """Boxes and mask with their classes; a single class name is that of all of them."""
    drawn: list[Shape] = [_parse_box(number, text) for number, text in enumerate(_split(boxes), start=1)]
    names = _split(classes) or [DEFAULT_CLASS]
    if not drawn and not mask:
        if classes:
            raise CellError("classes without boxes or mask")
        return ()
    if not all(names):
        raise CellError("a name in classes is empty")
    if len(names) not in (1, len(drawn)):
        raise CellError(f"{len(names)} classes for {len(drawn) or 'a mask and no'} boxes: one for each, or one for all")
    if mask and len(set(names)) > 1:
        raise CellError("a mask beside boxes of several classes: the mask of a row shows one class")
    by_box = names * len(drawn) if len(names) == 1 else names
    marks = [Mark(shape, name) for shape, name in zip(drawn, by_box, strict=True)]
    return (*marks, Mark(MaskFile(mask), names[0])) if mask else tuple(marks)


def parse_findings(cell: str) -> tuple[tuple[str, int], ...]:
    """Labels of the whole image: `Edema:1|Pneumonia:0|Effusion:-1`; a bare name is present."""
    findings: dict[str, int] = {}
    for number, text in enumerate(_split(cell), start=1):
        name, colon, state = text.rpartition(":")
        name, state = (name.strip(), state.strip()) if colon else (text, "1")
        if not name or state not in _STATES:
            raise CellError(f"entry {number} of findings is not <name>:<1, 0 or -1>")
        if name in findings:
            raise CellError(f"entry {number} of findings names the same as one before")
        findings[name] = _STATES[state]
    return tuple(findings.items())


def _describe(what: str, name: str) -> str:
    """What a cell names; names with blanks are not repeated: a report may stand in the wrong column."""
    return f"the {what}" if " " in name else f"the {what} {printable(name)}"


def _split(cell: str) -> list[str]:
    return [text.strip() for text in cell.split("|")] if cell else []


def _parse_box(number: int, text: str) -> Box:
    try:
        left, top, width, height = (float(value) for value in text.split(";"))
    except ValueError as error:
        raise CellError(f"box {number} is not x;y;w;h") from error
    box = Box(left, top, width, height)
    fault = find_shape_fault(box)
    if fault is not None:
        raise CellError(fault)
    return box
