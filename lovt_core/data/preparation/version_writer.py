"""Writing one version of prepared data, an image at a time: memory does not grow with the number of images' pixels."""

import hashlib
import json
import os
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lovt_core.data.checksums import compute_file_sha256, compute_fingerprint
from lovt_core.data.overlap import WORDS
from lovt_core.data.preparation.decoding import DecodedImage, DecodedItem
from lovt_core.data.preparation.journal import JOURNAL_FILE, describe_item
from lovt_core.data.prepared import (
    BOX_INDEX_FILE,
    BOXES_FILE,
    CHECKSUMS_FILE,
    HASHES_FILE,
    IMAGES_FILE,
    INDEX_FILE,
    MASKS_FILE,
    SAMPLES_FILE,
    STATISTICS_FILE,
)
from lovt_core.data.prepared_meta import META_FILE, PreparedMeta
from lovt_core.files import write_bytes_atomic, write_text_atomic


class _HashedFile:
    """A new file, readable by the user only, and the sha256 of what was written to it."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._digest = hashlib.sha256()

    def write(self, content: bytes | memoryview) -> None:
        self._file.write(content)
        self._digest.update(content)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> str:
        """sha256 (hex) of all that was written; OSError when the last of it did not fit."""
        self._file.close()
        return self._digest.hexdigest()


class VersionWriter:
    """Collects items into the files that `PreparedData` reads. OSErrors (a full disk) pass through."""

    def __init__(self, folder: Path, with_masks: bool) -> None:
        self._folder = folder
        names = (IMAGES_FILE, SAMPLES_FILE, JOURNAL_FILE, *((MASKS_FILE,) if with_masks else ()))
        self._files = {name: _HashedFile(folder / name) for name in names}
        self._offset = self._mask_offset = 0
        self._index = array("q")
        self._hashes = array("Q")
        self._statistics = array("d")
        self._boxes = array("f")
        self._box_index = array("q")
        self.num_images = 0
        self.num_samples = 0
        self.num_sentences = 0
        self.num_kept = 0
        self.patients: set[str] = set()
        self.ids: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:  # closes every file, also where one of them cannot be flushed
            for file in self._files.values():
                stack.callback(file.close)

    @property
    def num_boxes(self) -> int:
        """Boxes written so far."""
        return len(self._boxes) // 4

    def add(self, key: str, decoded: DecodedItem) -> None:
        """Append one sample with its images; `key` finds it again in the journal."""
        item, images = decoded.item, decoded.images
        self.num_kept += decoded.kept
        first, offsets = self.num_images, (self._offset, self._mask_offset)
        for image in images:
            self._add_image(image)
        for name in (IMAGES_FILE, MASKS_FILE):
            if name in self._files:
                self._files[name].flush()
        self._files[JOURNAL_FILE].write(describe_item(key, images, offsets))
        self._files[JOURNAL_FILE].flush()
        line: dict[str, Any] = {"id": item.id, "patient": item.patient, "images": list(range(first, self.num_images))}
        optional = {"sentences": list(item.sentences), "findings": dict(item.findings), "split": item.split}
        line |= {name: value for name, value in optional.items() if value}
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
            BOXES_FILE: np.array(self._boxes, dtype="<f4").reshape(-1, 4),
            BOX_INDEX_FILE: np.array(self._box_index, dtype="<i8").reshape(-1, 2),
        }
        for name, content in arrays.items():
            with _create(self._folder / name) as file:
                np.save(file, content, allow_pickle=False)
            sha256[name] = compute_file_sha256(self._folder / name)
        return compute_fingerprint(sha256, index, classes), sha256

    def _add_image(self, image: DecodedImage) -> None:
        height, width = image.pixels.shape
        self._files[IMAGES_FILE].write(np.ascontiguousarray(image.pixels).data)
        if image.mask_bits is not None:
            self._files[MASKS_FILE].write(np.ascontiguousarray(image.mask_bits).data)
            self._mask_offset += image.mask_bits.size
        self._index.extend((self._offset, height, width))
        self._offset += height * width
        self._hashes.extend(image.hash.tolist())
        self._statistics.extend((image.mean, image.variance))
        self._boxes.extend(image.boxes.ravel().tolist())
        for label in image.labels.tolist():
            self._box_index.extend((self.num_images, label))
        self.num_images += 1


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
