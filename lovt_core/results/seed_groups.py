"""Runs that differ by their seed alone, as one: number, states, means of their best metrics."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from lovt_core.results.significance import compute_half_width
from lovt_core.runs.indexing.columns import Column
from lovt_core.runs.records import RunRow


@dataclass(frozen=True)
class Mean:
    """Of one metric over runs."""

    mean: float
    half_width: float | None
    """Half the 95 % interval of the mean (Student's t); None of a single run."""
    count: int


@dataclass(frozen=True)
class SeedGroup:
    """Runs of the same experiment with different seeds; at least one."""

    runs: tuple[RunRow, ...]

    @property
    def first(self) -> RunRow:
        """The run that stands for what they have in common."""
        return self.runs[0]

    @property
    def states(self) -> dict[str, int]:
        """How many are in which state, most first."""
        return dict(Counter(row.state for row in self.runs).most_common())

    @property
    def seeds(self) -> list[int]:
        """Their seeds, rising."""
        return sorted(row.seed for row in self.runs if row.seed is not None)

    @property
    def best(self) -> dict[str, Mean]:
        """Best metrics over the runs that have finished: those at work will still find better ones."""
        finished = [row for row in self.runs if row.state == "finished"]
        names = sorted({name for row in finished for name in row.best})
        return {name: _average([row.best[name] for row in finished if name in row.best]) for name in names}

    @property
    def headlines(self) -> dict[str, Mean]:
        """What stands for the finished ones, by its label (`best val/loss`)."""
        found = [row.headline for row in self.runs if row.state == "finished"]
        labels = dict.fromkeys(each.label for each in found if each is not None)
        return {label: _average([each.value for each in found if each and each.label == label]) for label in labels}

    def common(self, column: Column) -> object:
        """What stands in a column of all of them; None where they differ."""
        values = [column.read(row) for row in self.runs]
        return values[0] if all(value == values[0] for value in values) else None


def group_by_seed(rows: Sequence[RunRow]) -> tuple[SeedGroup, ...]:
    """Groups in the order of their first runs."""
    groups: dict[str, list[RunRow]] = {}
    for row in rows:
        rest = {key: value for key, value in row.experiment.items() if key != "seed"}
        groups.setdefault(json.dumps([row.kind, rest], sort_keys=True, default=str), []).append(row)
    return tuple(SeedGroup(tuple(members)) for members in groups.values())


def sort_groups(groups: Sequence[SeedGroup], text: str) -> tuple[SeedGroup, ...]:
    """Groups by the mean of a metric `best.METRIC`, smallest first, or largest with a minus in front; without one last.

    By any other column they stay as they are.
    """
    metric = text.removeprefix("-").removeprefix("best.")
    if not text.removeprefix("-").startswith("best."):
        return tuple(groups)
    known = sorted((group for group in groups if metric in group.best), key=lambda group: group.best[metric].mean)
    known = known[::-1] if text.startswith("-") else known
    return (*known, *(group for group in groups if metric not in group.best))


def _average(values: Sequence[float]) -> Mean:
    return Mean(fmean(values), compute_half_width(values, "student"), len(values))
