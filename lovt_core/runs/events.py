"""`events-<n>.jsonl`: what attempt n did, written by its worker alone, one line an event."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from lovt_core.errors import RecordError
from lovt_core.runs.lines import append_whole, decode_number, encode_line, encode_number
from lovt_core.values import Alarm, CheckpointSaved, Ended, Metrics, Note, Progress, Result, Value

LastWord = Literal["finished", "failed", "stopped", "pruned", "interrupted"]
LAST_WORDS: tuple[LastWord, ...] = ("finished", "failed", "stopped", "pruned", "interrupted")
MAX_PENDING = 100_000


class EventWriter:
    """Appends events to a file that must not exist yet (O_EXCL: an attempt has one worker).

    While the disk is full, lines wait in memory in their order and are tried again with the next one.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise RecordError(f"cannot create {path}: {error.strerror}") from error
        self._pending: list[bytes] = []

    def write(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """Append one event of now."""
        self._pending.append(encode_line({"t": round(time.time(), 3), "event": kind, **(data or {})}))
        self.flush()

    def flush(self) -> bool:
        """Try to write what is pending; whether nothing is left."""
        while self._pending:
            try:
                append_whole(self._descriptor, self._pending[0])
            except OSError:
                del self._pending[:-MAX_PENDING]
                return False
            del self._pending[0]
        return True

    def write_last_word(self, kind: LastWord, data: Mapping[str, Any] | None = None, seconds: float = 30.0) -> None:
        """Append the last event durably, trying for `seconds` while the disk refuses; raises RecordError then."""
        self.write(kind, data)
        deadline = time.monotonic() + seconds
        while not self.flush():
            if time.monotonic() > deadline:
                raise RecordError(f"the disk refuses the last event '{kind}'")
            time.sleep(0.5)
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Give up the file."""
        os.close(self._descriptor)


def encode_value(value: Value) -> tuple[str, dict[str, Any]]:
    """Event kind and data of a workload's value (`Ended` is a last word, which the worker writes)."""
    match value:
        case Metrics():
            numbers = {name: encode_number(float(number)) for name, number in value.values.items()}
            data: dict[str, Any] = {"step": value.step, "epoch": round(value.epoch, 6), "values": numbers}
            if value.total_steps is not None:
                data["total"] = value.total_steps
            return "metrics", data
        case Progress():
            return "progress", {"done": value.done, "total": value.total, "unit": value.unit, "note": value.note}
        case CheckpointSaved():
            return "saved", {
                "checkpoint": value.name,
                "step": value.step,
                "is_last": value.is_last,
                "is_best": value.is_best,
            }
        case Result():
            return "result", {"data": dict(value.data)}
        case Alarm():
            return "alarm", {"message": value.message, "topic": value.topic}
        case Note():
            return "note", {"message": value.message, **({"ends": value.ends} if value.ends else {})}
        case Ended():
            return value.reason, {}


def decode_value(kind: str, data: Mapping[str, Any]) -> Value:
    """The value that `encode_value` has made this of."""
    match kind:
        case "metrics":
            numbers = {name: decode_number(number) for name, number in data["values"].items()}
            return Metrics(data["step"], data["epoch"], numbers, data.get("total"))
        case "progress":
            return Progress(**data)
        case "saved":
            return CheckpointSaved(data["checkpoint"], data["step"], is_last=data["is_last"], is_best=data["is_best"])
        case "result":
            return Result(data["data"])
        case "alarm":
            return Alarm(data["message"], data.get("topic", ""))
        case "note":
            return Note(data["message"], data.get("ends", ""))
        case "stopped" | "pruned" | "interrupted":
            return Ended(kind)
        case _:
            raise ValueError(f"'{kind}' is no event that tells of a value")
