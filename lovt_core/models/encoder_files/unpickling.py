"""Reads what `torch.save` wrote, whatever classes are in it, without running any of them.

Tensors and plain containers are built; every other class becomes an inert placeholder. Nothing is imported, called or
given state to on behalf of the file. Format: a zip archive with `data.pkl` and one raw file a storage (torch 1.6 and
later), or pickles followed by raw storages (before).
"""

import pickle
import struct
import zipfile
from pathlib import Path
from typing import IO, Any, Final

import torch
from torch import Tensor

from lovt_core.errors import ConfigError

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_DTYPES: Final = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}


_READING_ERRORS: Final = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, EOFError, ArithmeticError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, struct.error, MemoryError, AssertionError),
)
"""What unpickling damaged files raises."""


FORMATS: Final = "safetensors files and what torch.save writes (.pt, .pth, .ckpt, .bin)"


class Foreign:
    """Stands for an object of a class that is not built: takes whatever the pickle does to it and keeps nothing."""

    def __new__(cls, *_: Any, **__: Any) -> "Foreign":
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> "Foreign":
        return self

    def __setstate__(self, _: Any) -> None:
        pass

    def __setitem__(self, _: Any, __: Any) -> None:
        pass

    def append(self, _: Any) -> None:
        """Nothing is kept."""

    def extend(self, _: Any) -> None:
        """Nothing is kept."""

    def add(self, _: Any) -> None:
        """Nothing is kept."""


class Plain(dict[Any, Any]):
    """A dictionary whose attributes a file cannot set."""

    def __setstate__(self, _: Any) -> None:
        pass


def _rebuild_tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Any:
    return torch.as_strided(storage, size, stride, offset) if isinstance(storage, Tensor) else Foreign()


def _rebuild_parameter(data: Tensor, *_: Any) -> Tensor:
    return data


def _rebuild_with_attributes(build: Any, _: Any, arguments: tuple[Any, ...], *__: Any) -> Any:
    """A tensor that has attributes, without them."""
    return build(*arguments) if build in (_rebuild_tensor, _rebuild_parameter) else Foreign()


_BUILT: Final[dict[tuple[str, str], Any]] = {
    ("collections", "OrderedDict"): Plain,
    ("collections", "defaultdict"): lambda *_: Plain(),
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_with_attributes,
    ("torch", "Size"): tuple,
    ("builtins", "set"): set,
}


class _Unpickler(pickle.Unpickler):
    """Knows the classes of `_BUILT`, storages by name, and nothing else."""

    def __init__(self, file: IO[bytes], storages: "_Storages") -> None:
        super().__init__(file, encoding="latin-1")
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if module in ("torch", "torch.cuda", "torch.storage") and name in _DTYPES:
            return _DTYPES[name]
        return _BUILT.get((module, name), Foreign)

    def persistent_load(self, pid: Any) -> Any:
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage"):
            raise pickle.UnpicklingError("a reference of an unknown kind")
        # Numbers of other types (float8, quantised) cannot be weights here: they need not spoil the rest of the file.
        return self._storages.find(str(pid[2]), pid[1], int(pid[4])) if isinstance(pid[1], torch.dtype) else Foreign()


class _Storages:
    """Storages of a file by key, read once each."""

    def __init__(self, archive: zipfile.ZipFile | None, folder: str = "") -> None:
        self._archive = archive
        self._folder = folder
        self.by_key: dict[str, Tensor] = {}

    def find(self, key: str, dtype: torch.dtype, count: int) -> Tensor:
        """Flat tensor of that storage; empty memory where its bytes are still to come."""
        if key not in self.by_key:
            if self._archive is None:
                self.by_key[key] = torch.empty(count, dtype=dtype)
            else:
                name = f"{self._folder}data/{key}"
                size = self._archive.getinfo(name).file_size
                if size != count * dtype.itemsize:
                    raise pickle.UnpicklingError(f"storage {key} has {size} bytes")
                content = bytearray(self._archive.read(name))
                self.by_key[key] = torch.frombuffer(content, dtype=dtype) if count else torch.empty(0, dtype=dtype)
        return self.by_key[key]


def load_inertly(path: Path) -> Any:
    """What `torch.save` wrote, with placeholders for foreign objects; raises ConfigError for anything else."""
    try:
        with path.open("rb") as file:
            beginning = file.read(2)
        if beginning == b"PK":
            return _load_zip(path)
        if beginning[:1] == pickle.PROTO:
            return _load_legacy(path)
    except _READING_ERRORS as error:
        raise ConfigError(f"{path} is damaged or is no checkpoint of torch: {error}") from error
    raise ConfigError(f"{path} is no file with weights: read are {FORMATS}")


def _load_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        [name] = [each for each in archive.namelist() if each.endswith("data.pkl")]
        folder = name.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        with archive.open(name) as file:
            return _Unpickler(file, _Storages(archive, folder)).load()


def _load_legacy(path: Path) -> Any:
    storages = _Storages(None)
    with path.open("rb") as file:
        if _Unpickler(file, storages).load() != _MAGIC:
            raise ValueError("it does not begin as torch writes it")
        _Unpickler(file, storages).load()  # protocol
        _Unpickler(file, storages).load()  # system
        content = _Unpickler(file, storages).load()
        for key in _Unpickler(file, storages).load():
            storage = storages.by_key[str(key)]
            [count] = struct.unpack("<q", file.read(8))
            if count != storage.numel():
                raise ValueError(f"storage {key} has {count} numbers instead of {storage.numel()}")
            raw = bytearray(file.read(count * storage.dtype.itemsize))
            if len(raw) != count * storage.dtype.itemsize:
                raise EOFError(f"storage {key} is cut short")
            if count:
                storage.copy_(torch.frombuffer(raw, dtype=storage.dtype))
    return content
