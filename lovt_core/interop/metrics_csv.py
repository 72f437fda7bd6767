"""Metrics as CSV, in long form (a line a value) or wide form (a line a step), written and read."""

import csv
import hashlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from lovt_core.errors import DataError
from lovt_core.interop.hparams import read_hparams_file
from lovt_core.interop.points import ForeignRun, Point, clean_metric, is_step, is_time
from lovt_core.runs.records import Curve

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "run": ("run",),
    "step": ("step", "_step", "global_step", "global step"),
    "epoch": ("epoch",),
    "time": ("time", "_timestamp", "timestamp", "wall_time", "wall time"),
    "metric": ("metric", "tag"),
    "value": ("value",),
    "attempt": ("attempt",),
}
"""Meaning of a column -> names that it has in exports of this program, Lightning, W&B and TensorBoard."""
_RESERVED: Final = frozenset(name for names in _NAMES.values() for name in names)
_LONG_HEADER = ("run", "step", "epoch", "time", "metric", "value")
_METRIC_MARK = "metric:"
_LIGHTNING = "metrics.csv"
"""Name that Lightning's logger gives: the folder says whose metrics they are."""
_SEPARATORS = ",;\t"


def write_long(curves: Mapping[str, Sequence[Curve]]) -> str:
    """Curves by run as CSV: run, step, epoch, time (Unix seconds), metric, value (also `nan`, `inf`, `-inf`)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_LONG_HEADER)
    for run, its_curves in curves.items():
        for curve in its_curves:
            points = zip(curve.steps, curve.epochs, curve.times, curve.values, strict=True)
            writer.writerows((run, step, epoch, time, curve.metric, value) for step, epoch, time, value in points)
    return text.getvalue()


def write_wide(curves: Mapping[str, Sequence[Curve]]) -> str:
    """Curves by run as CSV with a column for each metric: a line for each step of a run, empty where a metric has none.

    A metric whose name means something else as a column, such as `step`, gets `metric:` in front.
    """
    metrics = sorted({curve.metric for its_curves in curves.values() for curve in its_curves})
    first = _LONG_HEADER[:4]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*first, *map(_title_of, metrics)))
    for run, its_curves in curves.items():
        places: dict[int, tuple[float, float]] = {}
        values: dict[int, dict[str, float]] = {}
        for curve in its_curves:
            for step, epoch, time, value in zip(curve.steps, curve.epochs, curve.times, curve.values, strict=True):
                places[step] = max(places.get(step, (epoch, time)), (epoch, time))
                values.setdefault(step, {})[curve.metric] = value
        writer.writerows(
            (run, step, *places[step], *(values[step].get(name, "") for name in metrics)) for step in sorted(values)
        )
    return text.getvalue()


def _title_of(metric: str) -> str:
    return f"{_METRIC_MARK}{metric}" if metric.lower() in _RESERVED else metric


def _metric_of(title: str) -> str:
    bare = title.removeprefix(_METRIC_MARK)
    return bare if bare.lower() in _RESERVED else title


def read_metrics_csv(path: Path) -> tuple[ForeignRun, ...]:
    """The runs of a CSV file: one, or one for each word in a column `run`.

    Long form has the columns `metric` and `value`; in wide form every other column is a metric. Both need `step` (or
    whole epochs in `epoch`), and may have `epoch` and `time` (Unix seconds, or a date as ISO 8601). Raises DataError
    with file and line.
    """
    content = _read(path)
    points: dict[str, list[Point]] = {}
    for run, point in _read_rows(path, content):
        points.setdefault(run, []).append(point)
    if not points:
        raise DataError(f"{path}: no line has a value")
    changed = path.stat().st_mtime
    config = read_hparams_file(path.parent) if path.name == _LIGHTNING else {}
    digest = hashlib.sha256(content.encode())
    runs = []
    for run, found in points.items():
        own = digest.copy()
        own.update(run.encode())
        name = run or (path.resolve().parent.name if path.name == _LIGHTNING else path.stem)
        runs.append(ForeignRun(name, "csv", path, own.hexdigest(), tuple(found), changed, config))
    return tuple(runs)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file in UTF-8") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class _Columns:
    """Where things stand in a line."""

    places: Mapping[str, int]
    """By their meaning."""
    metrics: Mapping[str, int]
    """In wide form by name; empty in long form."""
    number: int


def _read_rows(path: Path, content: str) -> Iterator[tuple[str, Point]]:
    header = content.partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    columns: _Columns | None = None
    try:
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue
            if columns is None:
                columns = _find_columns(fields, f"{path}:{reader.line_num}")
            else:
                yield from _read_row([field.strip() for field in fields], columns, f"{path}:{reader.line_num}")
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: damaged table ({error})") from error
    if columns is None:
        raise DataError(f"{path} is empty: it needs a header with step, epoch, time and names of metrics")


def _find_columns(header: Sequence[str], where: str) -> _Columns:
    names = [name.strip() for name in header]
    places: dict[str, int] = {}
    for meaning, spellings in _NAMES.items():
        found = [place for place, name in enumerate(names) if name.lower() in spellings]
        if len(found) > 1:
            raise DataError(f"{where}: two columns mean {meaning}: {names[found[0]]}, {names[found[1]]}")
        if found:
            places[meaning] = found[0]
    if "step" not in places and "epoch" not in places:
        raise DataError(f"{where}: there is no column step (nor epoch); found: {', '.join(filter(None, names))}")
    if "metric" in places and "value" in places:
        return _Columns(places, {}, len(names))
    taken = {place for meaning, place in places.items() if meaning not in ("metric", "value")}
    metrics: dict[str, int] = {}
    for place, name in enumerate(names):
        if name and place not in taken and metrics.setdefault(_metric_of(name), place) != place:
            raise DataError(f"{where}: the column {name} occurs twice")
    if not metrics:
        raise DataError(f"{where}: no column is a metric; long form has the columns metric and value")
    return _Columns(places, metrics, len(names))


def _read_row(fields: Sequence[str], columns: _Columns, where: str) -> Iterator[tuple[str, Point]]:
    if len(fields) != columns.number:
        raise DataError(f"{where}: {len(fields)} fields instead of {columns.number}")

    def cell(meaning: str) -> str:
        return fields[columns.places[meaning]] if meaning in columns.places else ""

    epoch = _read_number(cell("epoch"), "epoch", where) if cell("epoch") else None
    step = _read_step(cell("step") or cell("epoch"), where)
    time = _read_time(cell("time"), where) if cell("time") else None
    values = columns.metrics or {cell("metric"): columns.places["value"]}
    for name, place in values.items():
        if not name:
            raise DataError(f"{where}: the column metric is empty: it names the metric")
        if fields[place]:
            value = _read_number(fields[place], name, where)
            yield cell("run"), Point(step, clean_metric(name), value, time, epoch)


def _read_number(text: str, column: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f"{where}: {column} is '{text}', which is no number") from error


def _read_step(text: str, where: str) -> int:
    number = _read_number(text, "step", where) if text else math.nan
    if not is_step(number):
        raise DataError(f"{where}: step is '{text}', which is no whole number from 0")
    return int(number)


def _read_time(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = datetime.fromisoformat(text).timestamp()
        except ValueError:
            seconds = math.nan
    if not is_time(seconds):
        raise DataError(
            f"{where}: time is '{text}', which is neither Unix seconds nor a date such as 2026-01-31T12:00:00; "
            "leave the column out where it counts something else"
        )
    return seconds
