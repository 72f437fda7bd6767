"""TensorBoard event files: TFRecord frames that hold `Event` messages (tensorboard/compat/proto/event.proto).

Needs the package `tensorboard` (extra `interop`), which is imported when a file is read or written.
"""

import hashlib
import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lovt_core.errors import DataError, InputError
from lovt_core.files import write_bytes_atomic
from lovt_core.interop.hparams import read_hparams_file
from lovt_core.interop.points import ForeignRun, Point, clean_metric, is_step, take_epochs
from lovt_core.runs.records import Curve

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

MARK: Final = "tfevents"
"""Part of the name of every event file."""
MISSING: Final = "TensorBoard files need the package tensorboard: pip install 'lovt-tui[interop]'"
_HEADER = struct.Struct("<QI")
"""Length of the content, its masked CRC-32C; behind the content another CRC-32C, of it."""
_MAX_LENGTH = 2**30
_VERSION = "brain.Event:2"
_HPARAM_KINDS = ("number_value", "string_value", "bool_value")


def is_event_file(path: Path) -> bool:
    """Whether a name is that of an event file."""
    return MARK in path.name.split(".")


def name_event_file(created: float) -> str:
    """Name of the event file of a run that was created then."""
    return f"events.out.{MARK}.{int(created)}.lovt"


def publish_event_file(path: Path, curves: Sequence[Curve]) -> None:
    """Write curves of one run to `path`, whole; its folder is made when missing.

    The temporary name says nothing of events, lest a TensorBoard that watches the folder reads half a file. Raises
    InputError without the package.
    """
    content = encode_events(curves)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(".lovt-export")
    write_bytes_atomic(temporary, content, mode=0o644)
    temporary.replace(path)


def encode_events(curves: Sequence[Curve]) -> bytes:
    """Content of an event file with the curves of one run, in the order of time; values become 32-bit floats."""
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise InputError(MISSING) from error
    points = [
        (time, step, curve.metric, value)
        for curve in curves
        for step, time, value in zip(curve.steps, curve.times, curve.values, strict=True)
    ]
    points.sort(key=lambda point: point[:3])
    content = io.BytesIO()
    writer = RecordWriter(content)
    began = points[0][0] if points else 0.0
    writer.write(Event(wall_time=began, file_version=_VERSION).SerializeToString())
    for time, step, metric, value in points:
        summary = Summary(value=[Summary.Value(tag=metric, simple_value=value)])
        writer.write(Event(wall_time=time, step=step, summary=summary).SerializeToString())
    return content.getvalue()


@dataclass
class _Found:
    """What has been read of one run so far."""

    points: list[Point] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    plugins: dict[str, str] = field(default_factory=dict)
    """Tag -> plugin that shows it, said with its first value only."""
    others: dict[str, int] = field(default_factory=dict)
    """Kind -> number of values that are no scalars."""
    notes: list[str] = field(default_factory=list)


def read_event_files(paths: Sequence[Path], name: str, source: Path) -> ForeignRun:
    """The scalars of one run from its event files, oldest first; hyperparameters as its configuration.

    What a restarted training had logged beyond its checkpoint is dropped, as TensorBoard does. Raises DataError for a
    file that is none or damaged, InputError without the package.
    """
    found = _Found()
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        content = path.read_bytes()
        digest.update(hashlib.sha256(content).digest())
        for event in _read_events(path, content, found):
            _take_in(event, found)
    points = take_epochs(found.points)
    if not points:
        others = f": {_count(found.others)}" if found.others else ""
        raise DataError(f"{source}: its event files hold no scalars{others}")
    if found.others:
        found.notes.append(f"left out, as only scalars are imported: {_count(found.others)}")
    config = {**read_hparams_file(paths[0].parent), **found.config}
    changed = max(path.stat().st_mtime for path in paths)
    return ForeignRun(name, "tensorboard", source, digest.hexdigest(), points, changed, config, tuple(found.notes))


def _read_events(path: Path, content: bytes, found: _Found) -> "Iterator[Event]":
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
    except ImportError as error:
        raise InputError(MISSING) from error
    from google.protobuf.message import DecodeError

    place = 0
    while place < len(content):
        if place + _HEADER.size > len(content):
            break
        header = content[place : place + 8]
        length, crc = _HEADER.unpack_from(content, place)
        if crc != masked_crc32c(header) or length > _MAX_LENGTH:
            raise DataError(f"{path} is no TensorBoard event file, or damaged at byte {place}")
        body = content[place + _HEADER.size : place + _HEADER.size + length]
        end = place + _HEADER.size + length + 4
        if end > len(content):
            break
        if content[end - 4 : end] != struct.pack("<I", masked_crc32c(body)):
            raise DataError(f"{path} is damaged at byte {place}: a checksum does not fit")
        try:
            yield Event.FromString(body)
        except DecodeError as error:
            raise DataError(f"{path}: the record at byte {place} is no TensorBoard event") from error
        place = end
    if place < len(content):
        found.notes.append(f"{path.name} ends in the middle of a record: what comes before it is imported")


def _take_in(event: "Event", found: _Found) -> None:
    if event.HasField("session_log") and event.session_log.status == event.session_log.START and event.step > 0:
        found.points[:] = [point for point in found.points if point.step < event.step]
    for value in event.summary.value if event.HasField("summary") else ():
        plugin = value.metadata.plugin_data.plugin_name
        if plugin:
            found.plugins.setdefault(value.tag, plugin)
        if plugin == "hparams":
            found.config.update(_read_hparams(value.metadata.plugin_data.content))
            continue
        number = _read_scalar(value, found.plugins.get(value.tag, ""))
        if number is None or not is_step(event.step):
            kind = found.plugins.get(value.tag) or value.WhichOneof("value") or "no value"
            kind = kind if number is None else "negative steps"
            found.others[kind] = found.others.get(kind, 0) + 1
        else:
            found.points.append(Point(event.step, clean_metric(value.tag), number, event.wall_time))


def _read_scalar(value: Any, plugin: str) -> float | None:
    """The number, as TensorFlow 1 and PyTorch (`simple_value`) or TensorFlow 2 (a tensor) write it; None for others."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor") or plugin not in ("scalars", ""):
        return None
    from tensorboard.util.tensor_util import make_ndarray

    try:
        array = make_ndarray(value.tensor)
    except (TypeError, ValueError):
        return None
    return float(array.item()) if array.size == 1 and array.dtype.kind in "fiub" else None


def _read_hparams(content: bytes) -> dict[str, Any]:
    """Hyperparameters of a run (tensorboard/plugins/hparams/plugin_data.proto)."""
    from google.protobuf.message import DecodeError
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    try:
        data = HParamsPluginData.FromString(content)
    except DecodeError:
        return {}
    kinds = {name: value.WhichOneof("kind") for name, value in data.session_start_info.hparams.items()}
    values = data.session_start_info.hparams
    return {name: getattr(values[name], kind) for name, kind in kinds.items() if kind in _HPARAM_KINDS}


def _count(numbers: dict[str, int]) -> str:
    return ", ".join(f"{kind} ({number})" for kind, number in sorted(numbers.items()))
