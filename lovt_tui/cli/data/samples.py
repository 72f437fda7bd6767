"""Samples of prepared data as pictures: in the terminal, as PNG files, on one contact sheet."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lovt_tui.cli.context import get_console
from lovt_tui.cli.data.printing import print_line, print_warning

if TYPE_CHECKING:
    from PIL.Image import Image

    from lovt_core.data.prepared import Bytes, PreparedData, Sample

_SHEET_COLUMNS, _SHEET_SIDE, _SAVED_SIDE = 5, 256, 512
_MAX_COLUMNS, _MAX_ROWS = 64, 32
"""Largest picture in a terminal, in cells."""


def choose_samples(data: "PreparedData", count: int, ids: Sequence[str], seed: int) -> "tuple[Sample, ...]":
    """The samples of these ids, and `count` others drawn at random; half of them with a finding where there are any.

    Raises DataError for an unknown id.
    """
    import numpy as np

    from lovt_core.errors import DataError

    by_id = {sample.id: sample for sample in data.samples}
    unknown = [each for each in ids if each not in by_id]
    if unknown:
        raise DataError(f"{data.name} has no sample {unknown[0]}; its first is {data.samples[0].id}")
    order = np.random.default_rng(seed).permutation(len(data.samples)).tolist()
    if data.num_classes:
        positive = [row for row in order if _is_positive(data, data.samples[row])][: -(-count // 2)]
        order = positive + [row for row in order if row not in set(positive)]
    drawn = [data.samples[row] for row in order[:count]]
    return tuple({sample.id: sample for sample in (*(by_id[each] for each in ids), *drawn)}.values())


def print_samples(data: "PreparedData", samples: "Sequence[Sample]") -> None:
    """Each sample with its caption, and its report or its findings."""
    import numpy as np

    from lovt_core.data.overlays import draw_overlay
    from lovt_tui.pictures import draw_cells, fit_cells

    console = get_console()
    colour = console.color_system is not None and not console.no_color
    for sample in samples:
        print_line(_caption(data, sample))
        for row in sample.images:
            cells = min(console.width, _MAX_COLUMNS), _MAX_ROWS
            height, width = fit_cells(data.image(row).shape, cells)
            picture = draw_overlay(data, row, max(height, width)).resize((width, height))
            console.print(draw_cells(np.asarray(picture), colour=colour), end="")
            for name, box in _name_boxes(data, row):
                print_line(f"  {name}: left {box[0]:.0f}, top {box[1]:.0f}, width {box[2]:.0f}, height {box[3]:.0f}")
        for sentence in sample.sentences:
            print_line(f"  {sentence}", indent=2)
        print_line()


def describe_sample(data: "PreparedData", sample: "Sample") -> dict[str, Any]:
    """JSON values of what `print_samples` shows, boxes in pixels of the prepared image."""
    images = [
        {
            "row": row,
            "height_width": data.image(row).shape,
            "boxes": [{"class": name, "left_top_width_height": box} for name, box in _name_boxes(data, row)],
            "masks": [name for name, mask in zip(data.meta.classes, _masks(data, row), strict=True) if mask.any()],
        }
        for row in sample.images
    ]
    return {
        "id": sample.id,
        "patient": sample.patient,
        "split": sample.split,
        "images": images,
        "sentences": sample.sentences,
        "findings": dict(sample.findings),
    }


def _name_boxes(data: "PreparedData", row: int) -> list[tuple[str, list[float]]]:
    boxes, labels = data.boxes(row)
    return [(data.meta.classes[label], box) for box, label in zip(boxes.tolist(), labels.tolist(), strict=True)]


def _masks(data: "PreparedData", row: int) -> "Bytes | tuple[()]":
    return data.mask(row) if data.num_classes else ()


def save_samples(data: "PreparedData", samples: "Sequence[Sample]", folder: Path) -> None:
    """One PNG an image, readable by the user only."""
    from lovt_core.data.overlays import draw_overlay

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for sample in samples:
        for number, row in enumerate(sample.images):
            suffix = f"-{number}" if number else ""
            stem = re.sub(r"[^\w.-]", "_", sample.id)
            _save(draw_overlay(data, row, _SAVED_SIDE), folder / f"{data.name}-{stem}{suffix}.png")
    _warn(data, folder)


def save_sheet(data: "PreparedData", samples: "Sequence[Sample]", path: Path) -> None:
    """All samples on one PNG, readable by the user only."""
    from lovt_core.data.overlays import draw_overlay, draw_sheet

    pictures = [
        (draw_overlay(data, row, _SHEET_SIDE), _caption(data, sample)) for sample in samples for row in sample.images
    ]
    _save(draw_sheet(pictures, _SHEET_COLUMNS), path)
    _warn(data, path)


def _save(picture: "Image", path: Path) -> None:
    import io

    from lovt_core.files import write_bytes_atomic

    content = io.BytesIO()
    picture.save(content, format="PNG")
    write_bytes_atomic(path, content.getvalue())


def _warn(data: "PreparedData", path: Path) -> None:
    from lovt_core.data.catalog import find_data_set

    is_private = find_data_set(data.name).credentialed and not data.meta.synthetic
    print_warning(f"saved {path}{'; it is under a data use agreement: keep it to yourself' if is_private else ''}")


def _is_positive(data: "PreparedData", sample: "Sample") -> bool:
    return any(bool(data.mask(row).any()) for row in sample.images)


def _caption(data: "PreparedData", sample: "Sample") -> str:
    """Id, and what is marked on the image."""
    labels = [int(label) for row in sample.images for label in data.boxes(row)[1]]
    marked = [data.meta.classes[label] for label in labels]
    if data.num_classes and not marked:
        masks = [data.mask(row) for row in sample.images]
        marked = [name for label, name in enumerate(data.meta.classes) if any(mask[label].any() for mask in masks)]
    counts = {name: marked.count(name) for name in marked}
    listed = ", ".join(f"{count} {name}" if count > 1 else name for name, count in counts.items())
    return f"{sample.id}  {listed or 'nothing marked'}" if data.num_classes else sample.id
