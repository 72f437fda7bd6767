"""What an annotation marks on an image, as its download says it: shapes in pixels of the original image."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle; also what a detector has to find."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Ellipse:
    """The ellipse that fills a rectangle, its axes along rows and columns."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Polygon:
    """A closed outline."""

    points: tuple[tuple[float, float], ...]
    """(x, y): column, row."""


@dataclass(frozen=True)
class RunLengths:
    """A mask as SIIM-ACR writes it: pairs of offset and length, column by column (reference vectors, section 16)."""

    text: str
    height: int = 1024
    """Of the raster that the runs are counted in, whatever the size of the image."""
    width: int = 1024


@dataclass(frozen=True)
class MaskFile:
    """An image file of the size of the image: 0, and one positive value."""

    file: str
    """Relative to the download."""


Shape = Box | Ellipse | Polygon | RunLengths | MaskFile


@dataclass(frozen=True)
class Annotation:
    """One finding on an image."""

    shape: Shape
    where: str
    """Table and row, for messages."""
    label: int = 0
    """Position in the classes of the data set."""
