"""What can stand in a column of a list of runs, by name: `state`, `best.val/loss`, `cfg.training.batch_size`."""

import difflib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lovt_core.config.metrics import find_direction
from lovt_core.errors import InputError
from lovt_core.runs.indexing.differences import differing_keys, find_setting, flatten
from lovt_core.runs.records import RunRow

FIELDS: dict[str, Callable[[RunRow], Any]] = {
    "run": lambda row: row.id,
    "name": lambda row: row.name,
    "kind": lambda row: row.kind,
    "what": lambda row: row.subject,
    "state": lambda row: row.state,
    "attempt": lambda row: row.attempt,
    "cause": lambda row: row.cause,
    "detail": lambda row: row.detail,
    "tags": lambda row: row.tags,
    "note": lambda row: row.remark,
    "priority": lambda row: row.priority,
    "group": lambda row: row.group,
    "seed": lambda row: row.seed,
    "progress": lambda row: row.share,
    "done": lambda row: row.done,
    "total": lambda row: row.total,
    "unit": lambda row: row.unit,
    "epoch": lambda row: row.epoch,
    "doing": lambda row: row.note,
    "left": lambda row: row.seconds_left,
    "host": lambda row: row.host,
    "slot": lambda row: row.slot,
    "created": lambda row: row.created,
    "started": lambda row: row.started,
    "ended": lambda row: row.ended,
    "updated": lambda row: row.updated,
    "age": lambda row: row.created,
    "best": lambda row: row.headline.value if row.headline else None,
}
"""Columns that every run has. Times are Unix seconds (`age`: that of the creation), `left` is in seconds.
`best` is the value of the metric that the method's checkpoint is chosen by."""
METRICS: dict[str, Callable[[RunRow], dict[str, float]]] = {
    "best": lambda row: row.best,
    "latest": lambda row: row.latest,
}
FALLING = ("age",)
"""Columns whose order is the reverse of their values'."""


@dataclass(frozen=True)
class Column:
    """A column: its name, and what stands in it for a run."""

    name: str
    read: Callable[[RunRow], Any]


def find_column(name: str, rows: Sequence[RunRow]) -> Column:
    """The column of that name; raises InputError with the nearest name when none of `rows` has it."""
    if name in FIELDS:
        return Column(name, FIELDS[name])
    kind, _, key = name.partition(".")
    if key and (kind == "cfg" or kind in METRICS):
        column = _metric_column(kind, key) if kind in METRICS else _setting_column(key)
        if not rows or any(column.read(row) is not None for row in rows) or key in (known := _keys(kind, rows)):
            return column
        if kind == "best" and find_direction(key) is None and any(key in row.latest for row in rows):
            raise InputError(
                f"{key} has no best value, neither more nor less of it is better; its newest is latest.{key}"
            )
        near = difflib.get_close_matches(key, known, n=1)
        if kind in METRICS and not near:
            return column  # it may come: a training has no best value before its first validation
        hint = f"did you mean {kind}.{near[0]}?" if near else f"known: {_list(f'{kind}.{each}' for each in known)}"
        raise InputError(f"none of these runs has '{name}', {hint}")
    near = difflib.get_close_matches(name, FIELDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(FIELDS)}, best.METRIC, latest.METRIC, cfg.KEY"
    raise InputError(f"unknown column '{name}', {hint}")


def _metric_column(kind: str, metric: str) -> Column:
    read = METRICS[kind]
    return Column(f"{kind}.{metric}", lambda row: read(row).get(metric))


def _setting_column(key: str) -> Column:
    return Column(f"cfg.{key}", lambda row: find_setting(row.experiment, key))


def find_columns(text: str, rows: Sequence[RunRow]) -> tuple[Column, ...]:
    """The columns of a list such as `run,state,best.val/loss`; raises InputError."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError("--columns needs names, such as run,state,best.val/loss")
    return tuple(find_column(name, rows) for name in dict.fromkeys(names))


def differing_columns(rows: Sequence[RunRow]) -> tuple[Column, ...]:
    """One column for each setting in which these runs differ."""
    return tuple(_setting_column(key) for key in differing_keys([row.experiment for row in rows]))


def sort_rows(rows: Sequence[RunRow], text: str) -> list[RunRow]:
    """Rows by a column, smallest first; with a minus in front of its name largest first. What lacks it comes last."""
    column = find_column(text.removeprefix("-"), rows)
    there = [(row, value) for row in rows if not _is_missing(value := column.read(row))]
    there.sort(key=lambda pair: _rank(pair[1]), reverse=text.startswith("-") != (column.name in FALLING))
    placed = {row.id for row, _ in there}
    return [*(row for row, _ in there), *(row for row in rows if row.id not in placed)]


def _keys(kind: str, rows: Sequence[RunRow]) -> list[str]:
    """What may stand behind `best.`, `latest.` or `cfg.`."""
    read = METRICS.get(kind, _with_sections)
    return sorted({key for row in rows for key in read(row)})


def _with_sections(row: RunRow) -> list[str]:
    """Dotted keys of the settings, and those of the sections that hold them."""
    keys = list(flatten(row.experiment))
    return [".".join(parts[:end]) for parts in (key.split(".") for key in keys) for end in range(1, len(parts) + 1)]


def _list(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:20]) + (" ..." if len(known) > 20 else "") if known else "nothing yet"


def _is_missing(value: Any) -> bool:
    return value in (None, "", (), []) or (isinstance(value, float) and math.isnan(value))


def _rank(value: Any) -> tuple[bool, float, str]:
    """Numbers before words."""
    if isinstance(value, int | float):
        return False, float(value), ""
    return True, 0.0, value if isinstance(value, str) else json.dumps(value, default=str)
