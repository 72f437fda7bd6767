"""Samples of prepared data as PNG files, readable by the user only."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lovt_tui.datasets.samples import caption

if TYPE_CHECKING:
    from PIL.Image import Image

    from lovt_core.data.prepared import PreparedData, Sample

SHEET_COLUMNS: Final = 5
SHEET_SIDE: Final = 256
SAVED_SIDE: Final = 512
"""Pixels of the long side."""


def save_samples(data: "PreparedData", samples: "Sequence[Sample]", folder: Path) -> str:
    """One PNG an image; says where, and what is to be kept private. Raises OSError or LovtError where it cannot."""
    from lovt_core.data.overlays import draw_overlay

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for sample in samples:
        for number, row in enumerate(sample.images):
            suffix = f"-{number}" if number else ""
            stem = re.sub(r"[^\w.-]", "_", sample.id)
            _save(draw_overlay(data, row, SAVED_SIDE), folder / f"{data.name}-{stem}{suffix}.png")
    return _tell(data, folder)


def save_sheet(data: "PreparedData", samples: "Sequence[Sample]", path: Path) -> str:
    """All samples on one PNG; says where."""
    from lovt_core.data.overlays import draw_overlay, draw_sheet

    pictures = [
        (draw_overlay(data, row, SHEET_SIDE), caption(data, sample)) for sample in samples for row in sample.images
    ]
    _save(draw_sheet(pictures, SHEET_COLUMNS), path)
    return _tell(data, path)


def _save(picture: "Image", path: Path) -> None:
    import io

    from lovt_core.files import write_bytes_atomic

    content = io.BytesIO()
    picture.save(content, format="PNG")
    write_bytes_atomic(path, content.getvalue())


def _tell(data: "PreparedData", path: Path) -> str:
    from lovt_core.data.catalog import find_data_set

    is_private = find_data_set(data.name).credentialed and not data.meta.synthetic
    return f"saved {path}{'; it is under a data use agreement: keep it to yourself' if is_private else ''}"
