"""Metric points in memory: from lines, each with all metrics of a step, to arrays, each with all steps of a metric."""

import operator
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lovt_core.runs.lines import decode_number

MAX_STEP = 2**63 - 1
LARGEST = 1e18
"""Of epochs and times; one that is not finite is beyond it."""


@dataclass
class Points:
    """Points of one metric in the order in which they were written."""

    steps: "array[int]" = field(default_factory=lambda: array("q"))
    epochs: "array[float]" = field(default_factory=lambda: array("d"))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, end: int) -> "Points":
        """From `start` to before `end`."""
        return Points(*(each[start:end] for each in self.arrays()))

    def extend(self, other: "Points") -> None:
        """Append those points."""
        for mine, theirs in zip(self.arrays(), other.arrays(), strict=True):
            mine.extend(theirs)

    def arrays(self) -> "tuple[array[Any], array[Any], array[Any], array[Any]]":
        """Steps, epochs, times, values."""
        return self.steps, self.epochs, self.times, self.values

    def is_rising(self) -> bool:
        """Whether each step is larger than the one before it."""
        return all(map(operator.lt, self.steps, self.steps[1:]))


@dataclass
class Column:
    """One metric in a `Batch`: in which of its lines it is, and with which value."""

    places: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


class Batch:
    """Metric lines that are taken in together, turned to a column a metric."""

    def __init__(self) -> None:
        self.columns: dict[str, Column] = {}
        self._steps: list[int] = []
        self._epochs: list[float] = []
        self._times: list[float] = []
        self._lines: list[int] = []
        self._axes: Points | None = None

    def add(self, number: int, line: Mapping[str, Any]) -> bool:
        """Add line `number` of a file; whether it is one: a step, a time, and values by name."""
        if not is_metric_line(line):
            return False
        place = len(self._steps)
        self._steps.append(line["step"])
        self._epochs.append(line.get("epoch", 0.0))
        self._times.append(line["t"])
        self._lines.append(number)
        columns = self.columns
        for name, value in line["values"].items():
            if (column := columns.get(name)) is None:
                column = columns[name] = Column()
            column.places.append(place)
            column.values.append(value)
        return True

    def points(self, name: str) -> tuple[Points, list[int]]:
        """The points of a metric, and the numbers of their lines; values that are no number are left out."""
        column = self.columns.get(name, Column())
        try:
            values = array("d", column.values)
        except (TypeError, OverflowError):
            column, values = _keep_numbers(column)
        axes = self._whole_axes()
        if len(column.places) == len(axes.steps):
            return Points(axes.steps, axes.epochs, axes.times, values), self._lines
        picked = Points(
            array("q", [axes.steps[place] for place in column.places]),
            array("d", [axes.epochs[place] for place in column.places]),
            array("d", [axes.times[place] for place in column.places]),
            values,
        )
        return picked, [self._lines[place] for place in column.places]

    def _whole_axes(self) -> Points:
        if self._axes is None:
            self._axes = Points(array("q", self._steps), array("d", self._epochs), array("d", self._times))
        return self._axes


def is_metric_line(line: Mapping[str, Any]) -> bool:
    """Whether a record has a step, a time and values by name, each of its type."""
    step, epoch, moment = line.get("step"), line.get("epoch", 0.0), line.get("t")
    return (
        type(step) is int
        and 0 <= step <= MAX_STEP
        and isinstance(epoch, int | float)
        and -LARGEST < epoch < LARGEST
        and isinstance(moment, int | float)
        and -LARGEST < moment < LARGEST
        and isinstance(line.get("values"), dict)
    )


def read_number(value: object) -> float | None:
    """A metric's value as it stands in a line (`nan`, `inf` and `-inf` are words there); None when it is no number."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(decode_number(value))
        except (KeyError, OverflowError):
            return None
    return None


def _keep_numbers(column: Column) -> "tuple[Column, array[float]]":
    numbers = [read_number(value) for value in column.values]
    places = [place for place, number in zip(column.places, numbers, strict=True) if number is not None]
    return Column(places), array("d", [number for number in numbers if number is not None])
