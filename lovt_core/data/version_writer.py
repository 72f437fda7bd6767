"""Writing one version of prepared data, an image at a time: memory does not grow with the number of images' pixels."""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lovt_core.data.checksums import compute_file_sha256, compute_fingerprint
from lovt_core.data.decoding import DecodedImage
from lovt_core.data.hashing import Hash
from lovt_core.data.overlap import WORDS
from lovt_core.data.prepared import (
    CHECKSUMS_FILE,
    HASHES_FILE,
    IMAGES_FILE,
    INDEX_FILE,
    MASKS_FILE,
    SAMPLES_FILE,
    STATISTICS_FILE,
)
from lovt_core.data.prepared_meta import META_FILE, PreparedMeta
from lovt_core.data.sources.download import Item
from lovt_core.files import write_bytes_atomic, write_text_atomic


class _HashedFile:
    """A new file, readable by the user only, and the sha256 of what was written to it."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._digest = hashlib.sha256()

    def write(self, content: bytes | memoryview) -> None:
        self._file.write(content)
        self._digest.update(content)

    def close(self) -> str:
        """sha256 (hex) of all that was written; OSError when the last of it did not fit."""
        self._file.close()
        return self._digest.hexdigest()


class VersionWriter:
    """Collects items into the files that `PreparedData` reads. OSErrors (a full disk) pass through."""

    def __init__(self, folder: Path, with_masks: bool) -> None:
        self._folder = folder
        self._files = {IMAGES_FILE: _HashedFile(folder / IMAGES_FILE), SAMPLES_FILE: _HashedFile(folder / SAMPLES_FILE)}
        if with_masks:
            self._files[MASKS_FILE] = _HashedFile(folder / MASKS_FILE)
        self._offset = 0
        self._index: list[tuple[int, int, int]] = []
        self._hashes: list[Hash] = []
        self._statistics: list[tuple[float, float]] = []
        self.num_samples = 0
        self.num_sentences = 0
        self.patients: set[str] = set()
        self.ids: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:  # closes every file, also where one of them cannot be flushed
            for file in self._files.values():
                stack.callback(file.close)

    @property
    def num_images(self) -> int:
        """Images written so far."""
        return len(self._index)

    def add(self, item: Item, images: Sequence[DecodedImage]) -> None:
        """Append one sample with its images."""
        first = self.num_images
        for image in images:
            self._add_image(image)
        line = {
            "id": item.id,
            "patient": item.patient,
            "images": list(range(first, self.num_images)),
            "sentences": list(item.sentences),
        }
        self._files[SAMPLES_FILE].write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self.num_samples += 1
        self.num_sentences += len(item.sentences)
        self.patients.add(item.patient)
        self.ids.append(item.id)

    def finish(self, classes: Sequence[str]) -> tuple[str, dict[str, str]]:
        """Write the arrays; returns the fingerprint and the sha256 of each file written so far."""
        sha256 = {name: file.close() for name, file in self._files.items()}
        index = np.array(self._index, dtype="<i8").reshape(-1, 3)
        arrays: dict[str, npt.NDArray[Any]] = {
            INDEX_FILE: index,
            HASHES_FILE: np.array(self._hashes, dtype="<u8").reshape(-1, WORDS),
            STATISTICS_FILE: np.array(self._statistics, dtype="<f8").reshape(-1, 2),
        }
        for name, array in arrays.items():
            with _create(self._folder / name) as file:
                np.save(file, array, allow_pickle=False)
            sha256[name] = compute_file_sha256(self._folder / name)
        return compute_fingerprint(sha256, index, classes), sha256

    def _add_image(self, image: DecodedImage) -> None:
        height, width = image.pixels.shape
        self._files[IMAGES_FILE].write(np.ascontiguousarray(image.pixels).data)
        if image.masks is not None:
            self._files[MASKS_FILE].write(np.ascontiguousarray(image.masks).data)
        self._index.append((self._offset, height, width))
        self._offset += height * width
        self._hashes.append(image.hash)
        self._statistics.append((image.mean, image.variance))


def write_meta(folder: Path, meta: PreparedMeta, sha256: dict[str, str]) -> None:
    """Write `meta.json` and, last, `checksums.json`."""
    with _create(folder / META_FILE) as file:
        file.write(meta.model_dump_json(indent=1).encode() + b"\n")
    sha256 = sha256 | {META_FILE: compute_file_sha256(folder / META_FILE)}
    with _create(folder / CHECKSUMS_FILE) as file:
        file.write(json.dumps(sha256, indent=1, sort_keys=True).encode() + b"\n")


def replace_meta(source: Path, target: Path) -> None:
    """Give the version `target` the meta that was written for the same content in `source`.

    Readers see the old meta or the new one. Killed between the two files, `verify` reports the version and the next
    preparation writes it anew.
    """
    checksums = json.loads((target / CHECKSUMS_FILE).read_text(encoding="utf-8"))
    meta = (source / META_FILE).read_bytes()
    checksums[META_FILE] = hashlib.sha256(meta).hexdigest()
    write_bytes_atomic(target / META_FILE, meta)
    write_text_atomic(target / CHECKSUMS_FILE, json.dumps(checksums, indent=1, sort_keys=True) + "\n")


def _create(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
