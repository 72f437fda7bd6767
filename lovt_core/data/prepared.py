"""Reading prepared data: memory-mapped, read-only, an image in a few microseconds.

Files of a version (all integers little-endian): `images.bin` the grey pixels of all images, one after the other, row by
row; `images.npy` (images, 3) int64: offset, height, width; `masks.bin` where there are classes, the masks of all images
as bits (`annotations/mask_bits.py`); `boxes.npy` (boxes, 4) float32: left, top, width, height in pixels of the prepared
image, and `box_index.npy` (boxes, 2) int64: row of the image, class, ascending; `samples.jsonl` one sample a line;
`hashes.npy` (images, 4) uint64 perceptual hashes; `statistics.npy` (images, 2) float64 mean and variance of the [0, 1]
image at its original resolution; `meta.json`; `journal.jsonl` (`preparation/journal.py`); `checksums.json`. Row numbers
count images from 0.
"""

import json
import mmap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lovt_core.data.annotations.mask_bits import count_mask_bytes, unpack_masks
from lovt_core.data.overlap import WORDS
from lovt_core.data.prepared_meta import PreparedMeta, SplitPart, load_meta
from lovt_core.data.versions import find_current, find_fingerprint
from lovt_core.errors import DataError

IMAGES_FILE = "images.bin"
INDEX_FILE = "images.npy"
MASKS_FILE = "masks.bin"
BOXES_FILE = "boxes.npy"
BOX_INDEX_FILE = "box_index.npy"
SAMPLES_FILE = "samples.jsonl"
HASHES_FILE = "hashes.npy"
STATISTICS_FILE = "statistics.npy"
CHECKSUMS_FILE = "checksums.json"

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    """One study or image of a data set."""

    id: str
    patient: str
    images: tuple[int, ...]
    """Rows of its images."""
    sentences: tuple[str, ...] = ()
    """Sentences of its report; empty for localized sets."""
    findings: tuple[tuple[str, int], ...] = ()
    """Labels of the whole sample: name, and 1 present, 0 absent, -1 uncertain."""
    split: SplitPart | None = None
    """Where the download itself puts it."""


class PreparedData:
    """One prepared version, opened read-only. Cheap to open, to copy to another process and to keep open."""

    def __init__(self, path: Path) -> None:
        """Open the version folder `path`; raises DataError where it is damaged."""
        self.path = path
        self.meta: PreparedMeta = load_meta(path)
        self.name = self.meta.name
        self.fingerprint = self.meta.fingerprint
        self.num_images = self.meta.num_images
        self.num_classes = len(self.meta.classes)
        self._index = self._load_array(INDEX_FILE, (self.num_images, 3))
        sizes = self._index[:, 1] * self._index[:, 2]
        self._pixels = self._map(IMAGES_FILE, int(sizes.sum()))
        self._mask_ends = np.cumsum(-(-sizes // 8)) * self.num_classes
        self._masks = self._map(MASKS_FILE, int(self._mask_ends[-1])) if self.num_classes else None
        self._boxes = self._load_array(BOXES_FILE, (self.meta.num_boxes, 4))
        self._box_index = self._load_array(BOX_INDEX_FILE, (self.meta.num_boxes, 2))

    def __reduce__(self) -> tuple[type["PreparedData"], tuple[Path]]:
        return PreparedData, (self.path,)

    def __repr__(self) -> str:
        return f"PreparedData({self.name}, {len(self.samples)} samples, {self.fingerprint[:8]})"

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """All samples, ordered by patient and id."""
        path = self.path / SAMPLES_FILE
        try:
            with path.open(encoding="utf-8") as lines:
                samples = tuple(_read_sample(json.loads(line)) for line in lines)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"cannot read {path} ({error}); {self._remedy}") from error
        if len(samples) != self.meta.num_samples:
            raise DataError(f"{path} holds {len(samples)} of {self.meta.num_samples} samples; {self._remedy}")
        return samples

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """(images, 4) perceptual hash of each image."""
        return self._load_array(HASHES_FILE, (self.num_images, WORDS))

    @cached_property
    def statistics(self) -> npt.NDArray[np.float64]:
        """(images, 2) mean and variance of each [0, 1] image at its original resolution."""
        return self._load_array(STATISTICS_FILE, (self.num_images, 2))

    def image(self, row: int) -> Bytes:
        """(height, width) grey image, a read-only view of the file."""
        offset, height, width = self._index[row].tolist()
        return self._pixels[offset : offset + height * width].reshape(height, width)

    def mask(self, row: int) -> Bytes:
        """(classes, height, width) mask of 0 and 1; raises DataError for a set without masks."""
        if self._masks is None:
            raise DataError(f"data set {self.name} is paired with reports: it has no masks")
        _, height, width = self._index[row].tolist()
        end = int(self._mask_ends[row])
        start = end - self.num_classes * count_mask_bytes(height, width)
        return unpack_masks(self._masks[start:end].reshape(self.num_classes, -1), height, width)

    def boxes(self, row: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """(boxes, 4) left, top, width, height in pixels of the prepared image (not clipped), and (boxes,) classes."""
        first, last = np.searchsorted(self._box_index[:, 0], (row, row + 1))
        return self._boxes[first:last], self._box_index[first:last, 1]

    @property
    def _remedy(self) -> str:
        return f"prepare it again: lovt data prepare {self.name} --source DIR"

    def _load_array(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        path = self.path / name
        try:
            array: npt.NDArray[Any] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"cannot read {path} ({error}); {self._remedy}") from error
        if array.shape != shape:
            raise DataError(f"{path} has shape {array.shape} instead of {shape}; {self._remedy}")
        array.flags.writeable = False
        return array

    def _map(self, name: str, size: int) -> Bytes:
        path = self.path / name
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read {path} ({error}); {self._remedy}") from error
        if len(mapped) != size:
            raise DataError(f"{path} has {len(mapped)} bytes instead of {size}; {self._remedy}")
        return np.frombuffer(mapped, dtype=np.uint8)


def open_prepared(root: Path, name: str, size: int | None = None, fingerprint: str | None = None) -> PreparedData:
    """Open the current version of a data set at `size`, or the version with that fingerprint.

    Without a size: the default one, else the only one there is. Raises DataError that names the command to run.
    """
    folder = find_fingerprint(root, name, fingerprint) if fingerprint else find_current(root, name, size)
    return PreparedData(folder)


def _read_sample(line: dict[str, Any]) -> Sample:
    return Sample(
        id=str(line["id"]),
        patient=str(line["patient"]),
        images=tuple(line["images"]),
        sentences=tuple(line.get("sentences", ())),
        findings=tuple((str(name), int(value)) for name, value in line.get("findings", {}).items()),
        split=line.get("split"),
    )
