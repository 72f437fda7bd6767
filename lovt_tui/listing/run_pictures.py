"""The pictures among what a run has left behind: image files, and predictions outlined on the images they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lovt_tui.reading.snapshot import RunFile

if TYPE_CHECKING:
    from lovt_core.data.prepared import Bytes
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.pictures import Mark

IMAGES = (".png", ".jpg", ".jpeg")
PREDICTIONS = "artifacts/predictions/"
REGIONS = "artifacts/regions/"
RANKS = ("best", "median", "worst")
"""The cases that an evaluation keeps of each task, in their order."""
PICTURE_PIXELS = 256
"""Height of a prediction's picture before it is fitted to the screen."""


@dataclass(frozen=True)
class RunPicture:
    """One picture to look at."""

    title: str
    path: str
    """Relative to the run's directory."""
    case: int | None = None
    """Which case of a file of predictions."""


@dataclass(frozen=True)
class DrawnPart:
    """A prediction, or one picture of a sheet, ready to be shown."""

    title: str
    pixels: "Bytes"
    """(height, width, 3)"""
    marks: "Bytes | None" = None
    """(height, width) flags of `legend`."""
    legend: "tuple[Mark, ...]" = ()


def list_pictures(files: Sequence[RunFile]) -> tuple[RunPicture, ...]:
    """Image files, then the predictions of each task."""
    images = [RunPicture(file.path.removeprefix("artifacts/"), file.path) for file in files if _is_image(file.path)]
    tasks = [Path(file.path) for file in files if file.path.startswith(PREDICTIONS) and file.path.endswith(".npz")]
    cases = [
        RunPicture(f"{path.stem}: {rank}", str(path), number) for path in tasks for number, rank in enumerate(RANKS)
    ]
    return (*images, *cases)


def _is_image(path: str) -> bool:
    return path.startswith("artifacts/") and path.lower().endswith(IMAGES)


def draw_parts(workspace: "Workspace", path: Path, picture: RunPicture) -> tuple[DrawnPart, ...]:
    """A prediction, or each picture of a sheet of regions; empty for an image file that is to be shown as it is.

    Raises what `draw_case` does, OSError where the file cannot be read.
    """
    if picture.case is not None:
        return (draw_case(workspace, path, picture.case),)
    if not picture.path.startswith(REGIONS):
        return ()
    from lovt_core.data.region_pictures import read_panels

    return tuple(DrawnPart(f"{path.stem}  {panel.caption}", panel.pixels) for panel in read_panels(path))


def draw_case(workspace: "Workspace", path: Path, number: int) -> DrawnPart:
    """What is to be found and what was predicted on one image.

    Raises DataError where the file is damaged or its prepared data is gone, IndexError where it keeps fewer cases.
    """
    from lovt_core.data.prediction_overlays import COLOURS, MEANINGS, mark_outlines, shrink_image
    from lovt_core.data.predictions import load_predictions
    from lovt_tui.cli.predictions import open_data
    from lovt_tui.pictures import Mark

    predictions = load_predictions(path)
    data = open_data(workspace, predictions)
    case = predictions.cases[number]
    height, width = data.image(case.image_row).shape
    shape = (PICTURE_PIXELS, max(1, round(width * PICTURE_PIXELS / height)))
    legend = tuple(Mark(letter, COLOURS[flag], MEANINGS[flag]) for flag, letter in zip(COLOURS, "TPB", strict=True))
    pixels, marks = shrink_image(data, case.image_row, shape), mark_outlines(data, case, shape)
    score = "Dice" if case.mask is not None else "average precision"
    title = f"{predictions.task} {case.rank}: {score} {case.score:.4f} of this image, {case.sample}"
    return DrawnPart(title, pixels, marks, legend)
