"""The filter of the run table.

    words            match the name or the id
    state:failed     also name: method: kind: task: tag: group: cause:  a value matches from its start, `*` and `?`
                     stand for anything, a comma between two for either; note: matches anywhere in the note
    age<2d           also best.val/loss<3.5 and cfg.training.batch_size>=64, with < <= > >= =
    -state:failed    a minus in front: runs that do not have it

All parts must match. Upper and lower case are the same.
"""

import difflib
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, get_args

from lovt_core.errors import InputError
from lovt_core.runs.causes import Cause
from lovt_core.runs.indexing.differences import find_setting
from lovt_tui.formatting import STATE_LOOKS

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

KINDS = ("pretrain", "evaluate", "selftest", "imported")


def _method(row: "RunRow") -> tuple[str, ...]:
    return (row.subject,) if row.kind == "pretrain" else ()


def _tasks(row: "RunRow") -> tuple[str, ...]:
    return tuple(row.experiment.get("tasks", ())) if row.kind == "evaluate" else ()


FIELDS: dict[str, Callable[["RunRow"], tuple[str, ...]]] = {
    "state": lambda row: (row.state,),
    "method": _method,
    "kind": lambda row: (row.kind,),
    "task": _tasks,
    "tag": lambda row: row.tags,
    "name": lambda row: (row.name,),
    "note": lambda row: (row.remark,) if row.remark else (),
    "group": lambda row: (row.group,) if row.group else (),
    "cause": lambda row: (row.cause,) if row.cause else (),
}
CHOICES = {"state": tuple(STATE_LOOKS), "kind": KINDS, "cause": tuple(filter(None, get_args(Cause)))}
ANYWHERE = ("note",)
"""Fields that hold sentences: a value may stand anywhere in them."""
COMPARISON = re.compile(r"([a-z][^<>=:]*)(<=|>=|<|>|=)(.*)")
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
AGE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

Test = Callable[["RunRow", float], bool]
"""Whether a run, at a time in Unix seconds, has something."""


@dataclass(frozen=True)
class Filter:
    """A filter that was understood."""

    text: str = ""
    tests: tuple[Test, ...] = ()
    compared: tuple[str, ...] = ()
    """What is compared: `best.val/loss`, `cfg.training.batch_size`."""

    def apply(self, rows: tuple["RunRow", ...], now: float) -> tuple["RunRow", ...]:
        """The runs that pass every test, in their order."""
        if not self.tests:
            return rows
        return tuple(row for row in rows if all(test(row, now) for test in self.tests))


def parse_filter(text: str) -> Filter:
    """Read a filter; raises InputError naming the part that means nothing."""
    parts = text.lower().split()
    matches = (COMPARISON.fullmatch(part.removeprefix("-")) for part in parts)
    compared = tuple(match[1] for match in matches if match and match[1] != "age")
    return Filter(text.strip(), tuple(map(_parse_part, parts)), compared)


def find_unknown(wanted: Filter, rows: "Sequence[RunRow]") -> str:
    """A metric or setting that the filter compares and that none of these runs has; empty where there is none."""
    for key in wanted.compared:
        kind, _, name = key.partition(".")
        found = (row.best.get(name) if kind == "best" else find_setting(row.experiment, name) for row in rows)
        if all(value is None for value in found):
            return key
    return ""


def parse_words(text: str) -> Filter:
    """A filter that is only words, for rows that are no runs."""
    return Filter(text.strip())


def _parse_part(part: str) -> Test:
    if part.startswith("-") and len(part) > 1:
        test = _parse_part(part[1:])
        return lambda row, now: not test(row, now)
    if match := COMPARISON.fullmatch(part):
        return _parse_comparison(*match.groups())
    if part == "-":
        raise InputError("'-' has nothing behind it: -state:failed")
    if part[0] in "<>=":
        raise InputError(f"'{part}' has nothing in front to compare: age<2d, best.val/loss<3.5")
    field, separator, pattern = part.partition(":")
    return (
        _parse_field(field, pattern)
        if separator
        else lambda row, now: part in row.name.lower() or part in row.id.lower()
    )


def _parse_field(field: str, pattern: str) -> Test:
    if field not in FIELDS:
        near = difflib.get_close_matches(field, FIELDS, n=1)
        hint = f"did you mean {near[0]}:?" if near else f"known: {', '.join(f'{name}:' for name in FIELDS)}"
        raise InputError(f"unknown field '{field}:', {hint}")
    choices = CHOICES.get(field)
    if not pattern:
        raise InputError(f"'{field}:' needs a value, such as {field}:{choices[0] if choices else 'covid*'}")
    if field in ANYWHERE:
        return lambda row, now: any(_fits(value, f"*{pattern}") for value in FIELDS[field](row))
    patterns = pattern.split(",")
    for each in patterns:
        _check_choice(field, each, choices)
    return lambda row, now: any(_fits(value, each) for value in FIELDS[field](row) for each in patterns)


def _check_choice(field: str, pattern: str, choices: tuple[str, ...] | None) -> None:
    if not pattern:
        raise InputError(f"'{field}:' has nothing on one side of a comma")
    if choices and not any(_fits(choice, pattern) for choice in choices):
        near = difflib.get_close_matches(pattern, choices, n=1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(choices)}"
        raise InputError(f"no {field} is '{pattern}', {hint}")


def _parse_comparison(key: str, sign: str, text: str) -> Test:
    if not text:
        raise InputError(f"'{key}{sign}' needs a value")
    if key == "age":
        seconds = _parse_age(text)
        return lambda row, now: _compare(now - row.created, sign, seconds)
    kind, _, name = key.partition(".")
    if not name or kind not in ("best", "cfg"):
        raise InputError(f"'{key}' cannot be compared: age, best.METRIC and cfg.KEY can")
    if kind == "best" or sign != "=":
        limit = _parse_number(key, text)
    if kind == "best":
        return lambda row, now: name in row.best and _compare(row.best[name], sign, limit)
    return lambda row, now: _compare_setting(find_setting(row.experiment, name), sign, text)


def _parse_age(text: str) -> float:
    match = AGE.fullmatch(text)
    if match is None:
        raise InputError(f"'{text}' is no age: a number and one of s m h d w, such as 2d")
    return float(match[1]) * UNIT_SECONDS[match[2]]


def _parse_number(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise InputError(f"'{text}' is no number: {key} is compared with one")
    return number


def _compare(value: float, sign: str, limit: float) -> bool:
    return value == limit if sign == "=" else bool(COMPARE[sign](value, limit))


def _compare_setting(value: Any, sign: str, text: str) -> bool:
    """Numbers by size; everything else only as equal, written as in the YAML file."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return _compare(float(value), sign, float(text))
        except ValueError:
            return False
    return sign == "=" and value is not None and _fits(str(value), text)


def _fits(value: str, pattern: str) -> bool:
    return fnmatchcase(value.lower(), pattern + "*")
