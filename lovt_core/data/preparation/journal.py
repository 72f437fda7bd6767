"""What was decoded already: an interrupted preparation, or an earlier version, spares the next one the same work.

`journal.jsonl` in a version, and in a folder that is being written, has one line an item: its key (a hash over files,
annotations and settings), where its pixels and masks lie, and everything small. A line is written after its pixels. The
bytes are checked against the line's sha256 before they are used again, because after a power failure they may be gone.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np

from lovt_core.data.annotations.mask_bits import count_mask_bytes
from lovt_core.data.preparation.decoding import DecodedImage, DecodedItem
from lovt_core.data.prepared import IMAGES_FILE, MASKS_FILE
from lovt_core.data.sources.download import Item

JOURNAL_FILE = "journal.jsonl"


def describe_item(key: str, images: Sequence[DecodedImage], offsets: tuple[int, int]) -> bytes:
    """One line of a journal; `offsets` is where the first image's pixels and its masks begin."""
    described = [_describe_image(each) for each in images]
    line = {"key": key, "offsets": offsets, "sha256": _hash(images), "images": described}
    return json.dumps(line).encode() + b"\n"


def _describe_image(image: DecodedImage) -> dict[str, Any]:
    return {
        "shape": list(image.pixels.shape),
        "classes": 0 if image.mask_bits is None else len(image.mask_bits),
        "boxes": image.boxes.tolist(),
        "labels": image.labels.tolist(),
        "hash": image.hash.tolist(),
        "moments": [image.mean, image.variance],
    }


def _hash(images: Sequence[DecodedImage]) -> str:
    digest = hashlib.sha256()
    for image in images:
        digest.update(np.ascontiguousarray(image.pixels).data)
        if image.mask_bits is not None:
            digest.update(np.ascontiguousarray(image.mask_bits).data)
    return digest.hexdigest()


class Stash:
    """Decoded items of some folders, by key. Memory: two hundred bytes an item; pixels are read when asked for."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Index the journals of `folders`; what is damaged or unfinished in them is as if it were not there."""
        self._stack = ExitStack()
        self._lines: dict[str, tuple[Path, int]] = {}
        self._files: dict[Path, BinaryIO] = {}
        for folder in folders:
            with suppress(OSError, ValueError, KeyError, TypeError):
                self._index(folder / JOURNAL_FILE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __contains__(self, key: str) -> bool:
        return key in self._lines

    def __len__(self) -> int:
        return len(self._lines)

    def load(self, key: str, item: Item) -> DecodedItem | None:
        """The decoded item; None where its bytes are not what they were."""
        path, position = self._lines[key]
        try:
            journal = self._open(path)
            journal.seek(position)
            line = json.loads(journal.readline())
            images = self._load_images(path.parent, line)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return DecodedItem(item, images, kept=True) if _hash(images) == line["sha256"] else None

    def _index(self, path: Path) -> None:
        with path.open("rb") as journal:
            position = 0
            for line in journal:
                self._lines[json.loads(line)["key"]] = (path, position)
                position += len(line)

    def _load_images(self, folder: Path, line: dict[str, Any]) -> tuple[DecodedImage, ...]:
        images = []
        offset, mask_offset = line["offsets"]
        for each in line["images"]:
            (height, width), classes = each["shape"], each["classes"]
            mask_bytes = classes * count_mask_bytes(height, width)
            masks = self._read(folder / MASKS_FILE, mask_offset, mask_bytes).reshape(classes, -1) if classes else None
            images.append(
                DecodedImage(
                    pixels=self._read(folder / IMAGES_FILE, offset, height * width).reshape(height, width),
                    mask_bits=masks,
                    boxes=np.array(each["boxes"], dtype=np.float32).reshape(-1, 4),
                    labels=np.array(each["labels"], dtype=np.int64),
                    hash=np.array(each["hash"], dtype=np.uint64),
                    mean=each["moments"][0],
                    variance=each["moments"][1],
                )
            )
            offset += height * width
            mask_offset += mask_bytes
        return tuple(images)

    def _read(self, path: Path, offset: int, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        file = self._open(path)
        file.seek(offset)
        return np.frombuffer(file.read(size), dtype=np.uint8)

    def _open(self, path: Path) -> BinaryIO:
        if path not in self._files:
            self._files[path] = self._stack.enter_context(path.open("rb"))
        return self._files[path]
