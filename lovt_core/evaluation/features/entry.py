"""One entry of the feature cache on disk: a raw file for each stride and `meta.json`, which vouches for them.

    stride-32.bin   rows in the order of the samples, channels last: (N, h, w, D), little-endian
    meta.json       format, key, and shape, number format, size and CRC-32 of each file

Entries are written once, front to back, and never changed.
"""

import math
import os
import zlib
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from lovt_core.errors import RecordError
from lovt_core.values import Progress

FORMAT: Final = 1
META_FILE: Final = "meta.json"
_CHECKED_AT_ONCE: Final = 64 * 2**20
_MEGABYTE: Final = 10**6

NumberFormat = Literal["float32", "float16", "bfloat16"]
_DTYPES: Final[Mapping[NumberFormat, torch.dtype]] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
_BITS: Final[Mapping[NumberFormat, tuple[torch.dtype, str]]] = {
    "float32": (torch.int32, "<i4"),
    "float16": (torch.int16, "<i2"),
    "bfloat16": (torch.int16, "<i2"),
}
"""Integers that carry the bits through numpy, which has no bfloat16."""

_Count = Annotated[int, Field(ge=0)]


class StrideFile(BaseModel):
    """What `meta.json` says of the features of one stride."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stride: _Count
    shape: tuple[_Count, _Count, _Count]
    """h, w, D of one image."""
    number_format: NumberFormat
    num_bytes: _Count
    crc32: _Count

    @property
    def name(self) -> str:
        """File name inside the entry."""
        return _file_name(self.stride)

    def count_expected_bytes(self, num_rows: int) -> int:
        """Size that the shape asks for."""
        return num_rows * math.prod(self.shape) * _DTYPES[self.number_format].itemsize


class EntryMeta(BaseModel):
    """Content of `meta.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    key: str
    """Equal only where encoder, data, samples, strides and number format are."""
    num_rows: _Count
    files: tuple[StrideFile, ...]


class EntryWriter:
    """Writes features of consecutive samples into a folder; a context that closes the files.

    All methods raise OSError when the disk is full or refuses.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` exists, is empty and is still temporary."""
        self._folder = folder
        self._files: dict[int, _StrideWriter] = {}
        self._stack = ExitStack()
        self._num_rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, features: Mapping[int, Tensor]) -> None:
        """Append stride -> (B, D, h, w); strides, shapes and number formats are those of the first call."""
        if not self._files:
            for stride, maps in features.items():
                file = self._stack.enter_context((self._folder / _file_name(stride)).open("xb"))
                self._files[stride] = _StrideWriter(file, maps)
        for stride, writer in self._files.items():
            writer.append(features[stride])
        self._num_rows += len(next(iter(features.values())))

    def finish(self, key: str) -> EntryMeta:
        """Make everything durable and vouch for it."""
        files = tuple(writer.describe(stride) for stride, writer in self._files.items())
        meta = EntryMeta(format=FORMAT, key=key, num_rows=self._num_rows, files=files)
        with (self._folder / META_FILE).open("xb") as file:
            file.write(meta.model_dump_json(indent=1).encode() + b"\n")
            _sync(file)
        return meta


class _StrideWriter:
    def __init__(self, file: BinaryIO, maps: Tensor) -> None:
        self._file = file
        self._format: NumberFormat = next(name for name, dtype in _DTYPES.items() if dtype == maps.dtype)
        depth, height, width = maps.shape[1:]
        self._shape = (height, width, depth)
        self._num_bytes = self._crc32 = 0

    def append(self, maps: Tensor) -> None:
        carrier, layout = _BITS[self._format]
        rows = maps.detach().permute(0, 2, 3, 1).contiguous().cpu().view(carrier).numpy()
        content = rows.astype(layout, copy=False).reshape(-1).view(np.uint8).data
        self._file.write(content)
        self._num_bytes += content.nbytes
        self._crc32 = zlib.crc32(content, self._crc32)

    def describe(self, stride: int) -> StrideFile:
        _sync(self._file)
        return StrideFile(
            stride=stride,
            shape=self._shape,
            number_format=self._format,
            num_bytes=self._num_bytes,
            crc32=self._crc32,
        )


def check_entry(folder: Path, key: str, num_rows: int) -> Generator[Progress, None, EntryMeta]:
    """Read the whole entry and compare it with what its `meta.json` says; yields progress in megabytes.

    Raises RecordError where it is damaged, of another format or of another key, OSError where it cannot be read.
    """
    meta = _read_meta(folder / META_FILE)
    if (meta.format, meta.key, meta.num_rows) != (FORMAT, key, num_rows):
        raise RecordError(f"{folder / META_FILE} is of another format or of other features")
    for file in meta.files:
        path = folder / file.name
        size = path.stat().st_size if path.is_file() else None
        if size != file.num_bytes or size != file.count_expected_bytes(num_rows):
            raise RecordError(f"{path} is missing or has another size than {META_FILE} says")
    done, total = 0, sum(file.num_bytes for file in meta.files)
    for file in meta.files:
        crc32 = 0
        with (folder / file.name).open("rb") as opened:
            while content := opened.read(_CHECKED_AT_ONCE):
                crc32 = zlib.crc32(content, crc32)
                done += len(content)
                yield Progress(done // _MEGABYTE, total // _MEGABYTE, "MB", f"checking {folder}")
        if crc32 != file.crc32:
            raise RecordError(f"{folder / file.name} is damaged: its checksum differs")
    return meta


def map_features(path: Path, file: StrideFile, num_rows: int) -> npt.NDArray[np.signedinteger]:
    """Bits (N, h, w, D) of one stride as a read-only memory map."""
    _, layout = _BITS[file.number_format]
    mapped: np.memmap[tuple[int, ...], np.dtype[np.signedinteger]]
    mapped = np.memmap(path, dtype=layout, mode="r", shape=(num_rows, *file.shape))
    return mapped.view(np.ndarray)


def to_features(bits: npt.NDArray[np.signedinteger], file: StrideFile, device: str) -> Tensor:
    """Bits (B, h, w, D) -> features (B, D, h, w) on the device, channels last in memory."""
    features = torch.from_numpy(bits).view(_DTYPES[file.number_format])
    return features.to(device, non_blocking=True).permute(0, 3, 1, 2)


def _file_name(stride: int) -> str:
    return f"stride-{stride}.bin"


def _read_meta(path: Path) -> EntryMeta:
    try:
        return EntryMeta.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise RecordError(f"{path} is missing") from error
    except ValidationError as error:
        raise RecordError(f"{path} is damaged: {error.errors()[0]['msg']}") from error


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
