"""Scores of one column as a dot plot: where dots, intervals and ticks go, in the units of an SVG picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lovt_core.results.comparison import Comparison, Row, Score
from lovt_core.results.footnotes import format_score
from lovt_core.results.paper_tables import format_label

WIDTH: Final = 420
LABEL_WIDTH: Final = 150
LINE_HEIGHT: Final = 18
_RIGHT: Final = 14
_NUM_TICKS: Final = 5
_MAX_LABEL: Final = 24
_MAX_GROUP: Final = 60


@dataclass(frozen=True)
class Dot:
    """One encoder: its mean, interval and replicates along a horizontal line."""

    label: str
    full_label: str
    y: float
    x: float
    left: float
    """Ends of the interval; both at the mean where there is none."""
    right: float
    replicates: tuple[float, ...]
    text: str
    """The score as printed."""
    is_published: bool
    rank: int | None


@dataclass(frozen=True)
class GroupLabel:
    """Heading above the dots of a group."""

    text: str
    y: float


@dataclass(frozen=True)
class DotPlot:
    """All that is to be drawn for one column."""

    task: str
    metric: str
    marks: tuple[str, ...]
    height: float
    dots: tuple[Dot, ...]
    groups: tuple[GroupLabel, ...]
    ticks: tuple[tuple[float, str], ...]
    """Place and label of each."""


def build_dot_plots(comparison: Comparison) -> tuple[DotPlot, ...]:
    """One plot for each column that has a score; scores that are not finite are left out."""
    plots = (_build(comparison, place) for place in range(len(comparison.columns)))
    return tuple(plot for plot in plots if plot is not None)


def _build(comparison: Comparison, place: int) -> DotPlot | None:
    rows = [(row, entry) for row in comparison.rows if isinstance(entry := row.scores[place], Score)]
    rows = [(row, score) for row, score in rows if math.isfinite(score.mean)]
    if not rows:
        return None
    scale = _Scale.covering([value for _, score in rows for value in _extent(score)])
    dots, groups, y = [], [], 0.0
    for position, (row, score) in enumerate(rows):
        if position == 0 or row.group != rows[position - 1][0].group:
            y += LINE_HEIGHT
            groups.append(GroupLabel(_shorten(row.group, _MAX_GROUP), y))
        y += LINE_HEIGHT
        dots.append(_place(row, score, y, scale))
    column = comparison.columns[place]
    ticks = tuple((scale.place(value), f"{value:g}") for value in scale.ticks())
    height = y + 2 * LINE_HEIGHT
    return DotPlot(column.task, column.metric_title, column.marks, height, tuple(dots), tuple(groups), ticks)


def _place(row: Row, score: Score, y: float, scale: "_Scale") -> Dot:
    low, high = _extent(score)[:2]
    label = format_label(row)
    return Dot(
        label=_shorten(label, _MAX_LABEL),
        full_label=row.label,
        y=y,
        x=scale.place(100 * score.mean),
        left=scale.place(low),
        right=scale.place(high),
        replicates=tuple(scale.place(100 * value) for value in score.values if math.isfinite(value)),
        text=format_score(score),
        is_published=row.is_published,
        rank=score.rank,
    )


def _extent(score: Score) -> tuple[float, ...]:
    """Ends of the interval, then the replicates, in per cent."""
    half_width = score.ci95 if score.ci95 is not None and math.isfinite(score.ci95) else 0.0
    replicates = (100 * value for value in score.values if math.isfinite(value))
    return (100 * (score.mean - half_width), 100 * (score.mean + half_width), *replicates)


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


@dataclass(frozen=True)
class _Scale:
    """From per cent to the picture."""

    low: float
    high: float
    step: float

    @classmethod
    def covering(cls, values: Sequence[float]) -> "_Scale":
        """Between the round numbers around the values."""
        low, high = min(values), max(values)
        raw = max(high - low, 0.5) / _NUM_TICKS
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
        first, last = math.floor(low / step), math.ceil(high / step)
        return cls(first * step, max(last, first + 1) * step, step)

    def place(self, value: float) -> float:
        """Horizontal place, to a tenth of a unit."""
        width = WIDTH - LABEL_WIDTH - _RIGHT
        return round(LABEL_WIDTH + width * (value - self.low) / (self.high - self.low), 1)

    def ticks(self) -> tuple[float, ...]:
        """Multiples of the step."""
        number = round((self.high - self.low) / self.step)
        return tuple(round(self.low + place * self.step, 6) for place in range(number + 1))
