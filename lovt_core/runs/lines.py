"""Append-only JSON-lines files: only complete lines count, and a short write is taken back."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def encode_number(value: float) -> float | str:
    """JSON has no NaN or infinity: they are written as `nan`, `inf` and `-inf`."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")


def decode_number(value: float | str) -> float:
    """The number that `encode_number` wrote."""
    return NONFINITE[value] if isinstance(value, str) else value


def encode_line(record: Mapping[str, Any]) -> bytes:
    """One line of JSON, newline included."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def append_whole(descriptor: int, content: bytes) -> None:
    """Write all of `content` at the end of an O_APPEND file, or nothing: a short write is truncated back.

    Raises OSError when the disk refuses; the file is then as it was.
    """
    before = os.fstat(descriptor).st_size
    try:
        written = os.write(descriptor, content)
        if written < len(content):
            raise OSError(28, os.strerror(28))
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def append_line(path: Path, *records: Mapping[str, Any], durable: bool = True) -> None:
    """Append records in one write, which survives a power cut if `durable`. A torn last line is ended first."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        append_whole(descriptor, (b"\n" if torn else b"") + b"".join(encode_line(record) for record in records))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def complete_lines(content: bytes) -> tuple[list[dict[str, Any]], int]:
    """Records of all complete lines in `content`, and how many bytes they take. Lines that are not JSON are skipped."""
    end = content.rfind(b"\n") + 1
    records = []
    for line in content[:end].splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records, end


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All complete records of a file; a missing file has none."""
    try:
        return complete_lines(path.read_bytes())[0]
    except FileNotFoundError:
        return []
