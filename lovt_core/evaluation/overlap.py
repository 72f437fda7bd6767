"""Test images that an encoder has seen in pre-training, by perceptual hash."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lovt_core.data.overlap import find_overlapping
from lovt_core.data.prepared import open_prepared
from lovt_core.errors import DataError
from lovt_core.evaluation.task_data import TaskData


def compute_overlap(pretraining: Mapping[str, Any], data: TaskData, prepared_root: Path) -> dict[str, Any] | None:
    """How many test images are also among those of a pre-training, as JSON values; None: none is.

    `pretraining` is what the checkpoint says of its data: its name, fingerprint and what was left out. The number of
    images is null where that data is not prepared here.
    """
    rows = data.image_rows(data.split.test)
    hashes = data.prepared.hashes[rows]
    found = {"data": [pretraining["name"]], "num_images": None, "num_test_images": len(rows)}
    try:
        seen = open_prepared(prepared_root, pretraining["name"], fingerprint=pretraining.get("fingerprint")).hashes
    except DataError:
        return found
    if data.prepared.name in pretraining.get("exclude_overlap_with", ()):
        seen = seen[~find_overlapping(seen, data.prepared.hashes)]
    num_images = int(find_overlapping(hashes, seen).sum())
    return {**found, "num_images": num_images} if num_images else None
