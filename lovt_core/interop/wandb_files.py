"""Offline runs of Weights & Biases: `run-<id>.wandb`, a LevelDB log of `Record` messages.

Needs the package `wandb`, for its message definitions alone; nothing is sent anywhere.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lovt_core.errors import DataError, InputError
from lovt_core.interop.points import ForeignRun, Point, clean_metric, is_step, take_epochs

if TYPE_CHECKING:
    from wandb.proto.wandb_internal_pb2 import Record

SUFFIX: Final = ".wandb"
MISSING: Final = "offline W&B runs need the package wandb: pip install wandb"
_FILE_HEADER = b":W&B\xe1\xbe\x00"
"""Name, magic number, version 0."""
_BLOCK = 32_768
_CHUNK = struct.Struct("<IHB")
"""CRC-32 of kind and content, length, kind. The rest of a block that holds no such header is padding."""
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def read_offline_run(path: Path) -> ForeignRun:
    """The history of an offline run, nested metrics as `outer.inner`, with its configuration.

    Raises DataError for a file that is none or damaged, InputError without the package.
    """
    content = path.read_bytes()
    notes: list[str] = []
    points: list[Point] = []
    config: dict[str, Any] = {}
    name, others = "", 0
    for record in _parse(path, content, notes):
        match record.WhichOneof("record_type"):
            case "run":
                name = record.run.display_name or record.run.run_id or name
                _update(config, record.run.config.update)
            case "config":
                _update(config, record.config.update)
            case "history":
                found, skipped = _read_history(record)
                points.extend(found)
                others += skipped
            case "exit" if record.exit.exit_code:
                notes.append(f"the run ended with exit code {record.exit.exit_code}")
    if not points:
        raise DataError(f"{path}: the run has logged no numbers")
    if others:
        notes.append(f"left out, as only numbers are imported: {others} logged values of other kinds")
    config.pop("_wandb", None)
    fingerprint = hashlib.sha256(content).hexdigest()
    return ForeignRun(
        name or path.stem, "wandb", path, fingerprint, take_epochs(points), path.stat().st_mtime, config, tuple(notes)
    )


def _parse(path: Path, content: bytes, notes: list[str]) -> "Iterator[Record]":
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # the package reports its own errors to its makers
    try:
        from wandb.proto.wandb_internal_pb2 import Record
    except ImportError as error:
        raise InputError(MISSING) from error
    from google.protobuf.message import DecodeError

    for number, body in enumerate(read_log(path, content, notes)):
        try:
            yield Record.FromString(body)
        except DecodeError as error:
            raise DataError(f"{path}: record {number} is none of W&B's") from error


def read_log(path: Path, content: bytes, notes: list[str]) -> Iterator[bytes]:
    """Records of a LevelDB log behind W&B's header, put together from their chunks.

    A file that ends within a record leaves a note; raises DataError where a checksum does not fit.
    """
    if not content.startswith(_FILE_HEADER):
        raise DataError(f"{path} is no W&B file, or one of an unknown version")
    place, parts = len(_FILE_HEADER), b""
    is_torn = False
    while place < len(content):
        left = _BLOCK - place % _BLOCK
        if left < _CHUNK.size:
            place += left
            continue
        if place + _CHUNK.size > len(content):
            is_torn = True
            break
        crc, length, kind = _CHUNK.unpack_from(content, place)
        end = place + _CHUNK.size + length
        if end > len(content):
            is_torn = True
            break
        body = content[place + _CHUNK.size : end]
        if kind not in (_FULL, _FIRST, _MIDDLE, _LAST) or zlib.crc32(body, zlib.crc32(bytes([kind]))) != crc:
            raise DataError(f"{path} is damaged at byte {place}: a checksum does not fit")
        parts = body if kind in (_FULL, _FIRST) else parts + body
        if kind in (_FULL, _LAST):
            yield parts
            parts = b""
        place = end
    if is_torn or parts:
        notes.append(f"{path.name} ends in the middle of a record: what comes before it is imported")


def _read_history(record: "Record") -> tuple[list[Point], int]:
    """The points of one logged row, and how many of its values are no numbers."""
    values = {_key(item): _load(item.value_json) for item in record.history.item}
    logged = values.pop("_step", None)
    step = int(logged) if isinstance(logged, int | float) and is_step(logged) else record.history.step.num
    time = values.pop("_timestamp", None)
    flat = [pair for name, value in values.items() if not name.startswith("_") for pair in _flatten(name, value)]
    numbers = [(name, number) for name, value in flat if (number := _number(value)) is not None]
    seconds = float(time) if isinstance(time, int | float) else None
    points = [Point(step, clean_metric(name), number, seconds) for name, number in numbers]
    return points, len(flat) - len(numbers)


def _flatten(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Leaves of nested mappings; a picture, table or histogram, which has a `_type`, is one value."""
    if isinstance(value, dict) and "_type" not in value:
        for key, inner in value.items():
            yield from _flatten(f"{name}.{key}", inner)
    else:
        yield name, value


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return _WORDS.get(value)
    return float(value) if isinstance(value, int | float) else None


def _update(config: dict[str, Any], items: Sequence[Any]) -> None:
    for item in items:
        *parents, last = item.nested_key or [item.key]
        section = config
        for parent in parents:
            if not isinstance(section.get(parent), dict):
                section[parent] = {}
            section = section[parent]
        section[last] = _load(item.value_json)


def _key(item: Any) -> str:
    return ".".join(item.nested_key) or str(item.key)


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
