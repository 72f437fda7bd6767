"""Fingerprint of prepared data, and re-checking a version on disk."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lovt_core.data.prepared import (
    BOX_INDEX_FILE,
    BOXES_FILE,
    CHECKSUMS_FILE,
    IMAGES_FILE,
    INDEX_FILE,
    MASKS_FILE,
    SAMPLES_FILE,
    PreparedData,
)
from lovt_core.data.prepared_meta import Problem
from lovt_core.errors import DataError

_BLOCK = 1 << 20


def compute_file_sha256(path: Path) -> str:
    """sha256 (hex) of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def compute_fingerprint(sha256: Mapping[str, str], index: npt.NDArray[np.int64], classes: Sequence[str]) -> str:
    """sha256 (hex) over pixels, shapes, masks, boxes, samples and class names; `sha256` is per file name.

    Statistics and hashes are left out: they follow from the download, and their last bits may differ between machines.
    """
    content = {
        "images": sha256[IMAGES_FILE],
        "index": hashlib.sha256(index.astype("<i8").tobytes()).hexdigest(),
        "masks": sha256.get(MASKS_FILE),
        "boxes": [sha256[BOXES_FILE], sha256[BOX_INDEX_FILE]],
        "samples": sha256[SAMPLES_FILE],
        "classes": list(classes),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_checksums(folder: Path) -> dict[str, str]:
    """sha256 per file name; raises DataError where the list is absent or damaged."""
    path = folder / CHECKSUMS_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in content.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"cannot read {path} ({error}); prepare the data set again") from error


def verify(folder: Path) -> tuple[Problem, ...]:
    """Read every byte of a version again; empty where all is as it was written."""
    try:
        expected = load_checksums(folder)
    except DataError as error:
        return (Problem(where=CHECKSUMS_FILE, what=str(error)),)
    actual: dict[str, str] = {}
    problems: list[Problem] = []
    for name, wanted in sorted(expected.items()):
        try:
            actual[name] = compute_file_sha256(folder / name)
        except OSError as error:
            problems.append(Problem(where=name, what=f"cannot be read: {error.strerror}"))
            continue
        if actual[name] != wanted:
            problems.append(Problem(where=name, what="the content has changed since it was prepared"))
    if problems:
        return tuple(problems)
    return _verify_fingerprint(folder, actual)


def _verify_fingerprint(folder: Path, sha256: Mapping[str, str]) -> tuple[Problem, ...]:
    try:
        data = PreparedData(folder)
        index = np.load(folder / INDEX_FILE, allow_pickle=False)
        fingerprint = compute_fingerprint(sha256, index, data.meta.classes)
    except (DataError, KeyError) as error:
        return (Problem(where=str(folder), what=str(error)),)
    if fingerprint != data.fingerprint:
        return (Problem(where="meta.json", what="the fingerprint is not that of the content"),)
    return ()
