"""Samples of prepared data as pictures in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lovt_tui.cli.context import get_console
from lovt_tui.cli.data.printing import print_line
from lovt_tui.datasets.samples import box_texts, caption, name_boxes

if TYPE_CHECKING:
    from lovt_core.data.prepared import Bytes, PreparedData, Sample

_MAX_COLUMNS, _MAX_ROWS = 64, 32
"""Largest picture in a terminal, in cells."""


def print_samples(data: "PreparedData", samples: "Sequence[Sample]") -> None:
    """Each sample with its caption, and its report or its findings."""
    import numpy as np

    from lovt_core.data.overlays import draw_overlay
    from lovt_tui.pictures import draw_cells, fit_cells

    console = get_console()
    colour = console.color_system is not None and not console.no_color
    for sample in samples:
        print_line(caption(data, sample))
        for row in sample.images:
            cells = min(console.width, _MAX_COLUMNS), _MAX_ROWS
            height, width = fit_cells(data.image(row).shape, cells)
            picture = draw_overlay(data, row, max(height, width)).resize((width, height))
            console.print(draw_cells(np.asarray(picture), colour=colour), end="")
            for line in box_texts(data, row):
                print_line(f"  {line}")
        for sentence in sample.sentences:
            print_line(f"  {sentence}", indent=2)
        print_line()


def describe_sample(data: "PreparedData", sample: "Sample") -> dict[str, Any]:
    """JSON values of what `print_samples` shows, boxes in pixels of the prepared image."""
    images = [
        {
            "row": row,
            "height_width": data.image(row).shape,
            "boxes": [{"class": name, "left_top_width_height": box} for name, box in name_boxes(data, row)],
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


def _masks(data: "PreparedData", row: int) -> "Bytes | tuple[()]":
    return data.mask(row) if data.num_classes else ()
