"""What is read of a run of another program, and the event lines that it becomes here."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from lovt_core.config.experiment import ImportFormat
from lovt_core.runs.lines import encode_number

EPOCH: Final = "epoch"
"""A metric of this name says at which epoch a step was."""
MAX_STEP: Final = 2**53
MAX_TIME: Final = 4e9
"""Unix seconds in the year 2096: whatever is larger counts something else."""
_MAX_METRIC_NAME = 200


class Point(NamedTuple):
    """One value of one metric."""

    step: int
    metric: str
    value: float
    """May be NaN or infinite."""
    time: float | None = None
    """Unix seconds; None where the source has none."""
    epoch: float | None = None


@dataclass(frozen=True)
class ForeignRun:
    """A run of another program."""

    name: str
    """Not yet fit for a path."""
    format: ImportFormat
    source: Path
    fingerprint: str
    """SHA-256 of what it was read from."""
    points: tuple[Point, ...]
    """In the order of the source: of one metric and step the last counts."""
    changed: float
    """When the source was last written, in Unix seconds: the time of points that have none."""
    config: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Sentences on what could not be read."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics, sorted."""
        return tuple(sorted({point.metric for point in self.points}))

    def time_of(self, point: Point) -> float:
        """Unix seconds, with the source's own where the point has none that can be one."""
        return point.time if point.time is not None and is_time(point.time) else self.changed

    @property
    def began(self) -> float:
        """Time of its first point."""
        return min((self.time_of(point) for point in self.points), default=self.changed)

    @property
    def ended(self) -> float:
        """Time of its last point."""
        return max((self.time_of(point) for point in self.points), default=self.changed)


def is_step(step: float) -> bool:
    """Whether a number counts steps: whole, not negative, and exact as a float."""
    return 0 <= step <= MAX_STEP and step == int(step)


def is_time(seconds: float) -> bool:
    """Whether a number may be seconds since 1970."""
    return 0 < seconds < MAX_TIME


def clean_metric(name: str) -> str:
    """A metric's name without control characters and cut to 200."""
    return "".join(each if each.isprintable() else "?" for each in name)[:_MAX_METRIC_NAME]


def fit_name(text: str) -> str:
    """A name of an experiment that resembles `text`: the end of a long one, as paths differ there."""
    fitting = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
    return fitting[-64:].lstrip("-._") or "imported"


def take_epochs(points: Iterable[Point]) -> tuple[Point, ...]:
    """Points without the metric `epoch`, whose values become the epochs of all points at the same steps."""
    found = tuple(points)
    epochs = {point.step: point.value for point in found if point.metric == EPOCH}
    if not epochs:
        return found
    return tuple(point._replace(epoch=epochs.get(point.step, point.epoch)) for point in found if point.metric != EPOCH)


def build_lines(run: ForeignRun) -> Iterator[dict[str, Any]]:
    """Event lines in the order of steps: started, metrics (those of one step and millisecond in one line), notes,
    finished.
    """
    yield {"t": round(run.began, 3), "event": "started", "host": "", "slot": ""}
    line: dict[str, Any] | None = None
    for point in sorted(run.points, key=lambda point: point.step):
        time = round(run.time_of(point), 3)
        if line is None or (line["step"], line["t"]) != (point.step, time):
            if line is not None:
                yield line
            line = {"t": time, "event": "metrics", "step": point.step, "values": {}}
        if point.epoch is not None and math.isfinite(point.epoch):
            line["epoch"] = point.epoch
        line["values"][point.metric] = encode_number(point.value)
    if line is not None:
        yield line
    for note in run.notes:
        yield {"t": round(run.ended, 3), "event": "note", "message": note}
    yield {"t": round(run.ended, 3), "event": "finished"}
