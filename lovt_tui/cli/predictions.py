"""`lovt show RUN --predictions`: best, median and worst test images of each task, with what is to be found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lovt_tui.cli.context import get_console, print_json, visible
from lovt_tui.cli.data.printing import print_line, print_warning
from lovt_tui.cli.output_file import check_picture

if TYPE_CHECKING:
    from lovt_core.data.predictions import PredictedCase, Predictions
    from lovt_core.data.prepared import PreparedData
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace

_MAX_COLUMNS, _MAX_ROWS = 64, 32
"""Largest picture in a terminal, in cells."""
_SHEET_SIDE = 256
_SHOWN_BOXES = 10


@dataclass(frozen=True)
class PredictionsRequest:
    """What to do with a run's predictions."""

    task: str | None = None
    """Task id, number, glob or suite; None: all."""
    sheet: Path | None = None
    """PNG to write instead of drawing in the terminal."""
    as_json: bool = False


def show_predictions(place: "Workspace", row: "RunRow", request: PredictionsRequest) -> None:
    """Draw the run's predictions, save them as a contact sheet or list them as JSON.

    Raises InputError where there are none, DataError where they are damaged or the prepared data is gone (JSON needs
    none).
    """
    check_picture(request.sheet, force=True, option="--sheet")
    found = find_predictions(place.runs / row.id, row, request.task)
    if request.sheet is not None or not request.as_json:
        opened = [(each, open_data(place, each)) for each in found]
        if request.sheet is not None:
            _save_sheet(opened, request.sheet.expanduser())
        else:
            _draw(opened)
    if request.as_json:
        print_json([_describe(each) for each in found])


def find_predictions(folder: Path, row: "RunRow", wanted: str | None) -> "list[Predictions]":
    """What the run in `folder` keeps of each task that `wanted` names, in the paper's order."""
    from lovt_core.data.predictions import load_predictions
    from lovt_core.errors import InputError
    from lovt_core.tasks import expand_tasks

    if row.kind != "evaluate":
        raise InputError(f"run {row.id} is a {row.kind} run: only evaluations have predictions")
    tasks = expand_tasks(["all" if wanted is None else wanted])
    files = {path.stem: path for path in (folder / "artifacts" / "predictions").glob("*.npz")}
    if not files:
        raise InputError(
            f"run {row.id} ({row.state}) has no predictions: only evaluations by this version keep them, for each task "
            "that they finish"
        )
    kept = [files[task.id] for task in tasks if task.id in files]
    if not kept:
        raise InputError(f"run {row.id} has no predictions of '{wanted}': it has those of {', '.join(sorted(files))}")
    return [_check(load_predictions(path), path) for path in kept]


def _check(predictions: "Predictions", path: Path) -> "Predictions":
    """Raise DataError where the classes are not those of the task that the file is named after."""
    from lovt_core.errors import DataError
    from lovt_core.tasks import find_task

    num_classes = len(find_task(path.stem).classes)
    fits = predictions.task == path.stem
    for case in predictions.cases:
        labels = [] if case.classes is None else case.classes.tolist()
        fits &= case.mask is None or len(case.mask) == num_classes
        fits &= all(0 <= label < num_classes for label in labels)
    if not fits:
        raise DataError(f"the predictions {path} are not those of {path.stem}: evaluate the encoder again")
    return predictions


def open_data(place: "Workspace", predictions: "Predictions") -> "PreparedData":
    """The prepared data that the predictions are about; raises DataError where it is gone or another."""
    from lovt_core.data.prediction_overlays import check_case
    from lovt_core.data.prepared import open_prepared
    from lovt_core.errors import DataError

    try:
        data = open_prepared(place.prepared_root, predictions.data, fingerprint=predictions.data_fingerprint)
        for case in predictions.cases:
            check_case(data, case)
    except DataError as error:
        raise DataError(f"cannot draw the predictions of {predictions.task}, but --json lists them: {error}") from error
    return data


def _draw(opened: "Sequence[tuple[Predictions, PreparedData]]") -> None:
    from rich.text import Text

    from lovt_core.data.prediction_overlays import COLOURS, MEANINGS, mark_outlines, shrink_image
    from lovt_tui.pictures import Mark, draw_legend, draw_marked_cells, fit_cells

    console = get_console()
    colour = console.color_system is not None and not console.no_color
    legend = [Mark(letter, COLOURS[flag], MEANINGS[flag]) for flag, letter in zip(COLOURS, "TPB", strict=True)]
    cells = min(console.width, _MAX_COLUMNS), _MAX_ROWS
    for predictions, data in opened:
        print_line(f"{predictions.task} on {data.name} {data.fingerprint[:8]}, replicate {predictions.replicate + 1}")
        console.print(draw_legend(legend, colour=colour))
        for case in predictions.cases:
            console.print(Text(visible(_title(case))), overflow="fold", soft_wrap=not console.is_terminal)
            shape = fit_cells(data.image(case.image_row).shape, cells)
            pixels, marks = shrink_image(data, case.image_row, shape), mark_outlines(data, case, shape)
            console.print(draw_marked_cells(pixels, marks, legend, colour=colour), end="")
            for line in _list_findings(data, case):
                print_line(f"  {line}", indent=4)
            print_line()


def _title(case: "PredictedCase") -> str:
    score = "Dice" if case.mask is not None else "average precision"
    return f"{case.rank}: {case.sample}, {score} of this image {case.score:.4f}"


def _list_findings(data: "PreparedData", case: "PredictedCase") -> Iterator[str]:
    """The picture in words: pixels of each class, or boxes."""
    names = data.meta.classes
    if case.mask is not None:
        for name, truth, mask in zip(names, data.mask(case.image_row).astype(bool), case.mask, strict=True):
            if truth.any() or mask.any():
                yield (
                    f"{name}: {int(truth.sum())} pixels to be found, {int(mask.sum())} predicted, "
                    f"{int((truth & mask).sum())} both"
                )
        return
    for box, label in zip(*data.boxes(case.image_row), strict=True):
        yield f"to be found: {names[label]}, {_place(box.tolist())}"
    found = _boxes(case, names)
    for each in found[:_SHOWN_BOXES]:
        yield f"predicted {each['confidence']:.2f}: {each['class']}, {_place(each['left_top_width_height'])}"
    if len(found) > _SHOWN_BOXES:
        yield f"and {len(found) - _SHOWN_BOXES} more predicted (--json lists them all)"
    if not found:
        yield "nothing predicted"


def _place(box: Sequence[float]) -> str:
    left, top, width, height = box
    return f"left {left:.0f}, top {top:.0f}, width {width:.0f}, height {height:.0f}"


def _boxes(case: "PredictedCase", names: Sequence[str]) -> list[dict[str, Any]]:
    """Most confident first."""
    if case.boxes is None or case.confidence is None or case.classes is None:
        return []
    rows = zip(case.boxes.tolist(), case.confidence.tolist(), case.classes.tolist(), strict=True)
    found = [
        {"class": names[label], "confidence": confidence, "left_top_width_height": box}
        for box, confidence, label in rows
    ]
    return sorted(found, key=lambda each: -each["confidence"])


def _describe(predictions: "Predictions") -> dict[str, Any]:
    """JSON values, boxes in pixels of the prepared image."""
    from lovt_core.tasks import find_task

    names = find_task(predictions.task).classes
    return {
        "task": predictions.task,
        "data": predictions.data,
        "data_fingerprint": predictions.data_fingerprint,
        "image_size": predictions.image_size,
        "replicate": predictions.replicate,
        "cases": [
            {
                "rank": case.rank,
                "sample": case.sample,
                "image_row": case.image_row,
                "score": case.score,
                "mask_pixels": None
                if case.mask is None
                else {name: int(mask.sum()) for name, mask in zip(names, case.mask, strict=True)},
                "boxes": None if case.boxes is None else _boxes(case, names),
            }
            for case in predictions.cases
        ],
    }


def _save_sheet(opened: "Sequence[tuple[Predictions, PreparedData]]", path: Path) -> None:
    """One PNG of all tasks, readable by the user only."""
    import io

    from lovt_core.data.catalog import find_data_set
    from lovt_core.data.prediction_overlays import draw_case, draw_case_sheet
    from lovt_core.files import write_bytes_atomic

    tasks = [
        [
            (draw_case(data, case, _SHEET_SIDE), f"{case.sample}  {predictions.task}: {case.rank} {case.score:.4f}")
            for case in predictions.cases
        ]
        for predictions, data in opened
    ]
    content = io.BytesIO()
    draw_case_sheet([pictures for pictures in tasks if pictures]).save(content, format="PNG")
    write_bytes_atomic(path, content.getvalue())
    is_private = any(find_data_set(data.name).credentialed and not data.meta.synthetic for _, data in opened)
    print_warning(f"saved {path}{'; it is under a data use agreement: keep it to yourself' if is_private else ''}")
