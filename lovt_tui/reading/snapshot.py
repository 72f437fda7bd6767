"""What the poller hands to the screens: frozen values, built in its thread, compared to see what changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lovt_core.runs.records import Curve, EventRow, RunRow
    from lovt_tui.pages.reading import Page
    from lovt_tui.pages.wishes import PageWish

LEADING_METRICS = ("val/loss", "train/loss")
BELL_STATES = ("finished", "failed", "lost")
"""Ends that nobody at the keyboard has asked for."""
TRAILING_METRICS = ("train/learning_rate", "train/gradient_norm")
BESIDE_LOSSES = ("accuracy/", "probe/", "retrieval/", "alignment/", "features/", "image/", "report/")
"""What begins the names of figures that are no losses, without `val/` or `train/`."""


@dataclass(frozen=True)
class Gauge:
    """One GPU, or the host's processor and memory where there is none."""

    name: str
    load_percent: int | None
    """None where the device does not say."""
    memory_used: int
    """Bytes."""
    memory_total: int
    power_watts: int | None = None

    @property
    def is_gpu(self) -> bool:
        """Whether it is a GPU's."""
        return self.name.startswith("GPU")


@dataclass(frozen=True)
class Score:
    """The judgement of one task in an evaluation run."""

    task: str
    metric: str
    mean: float
    ci95: float | None
    """Half the 95 % interval; None of a single replicate."""


@dataclass(frozen=True)
class Watch:
    """What a screen looks at beside the list of runs."""

    run_id: str | None = None
    metrics: tuple[str, ...] = ()
    """Curves wanted; empty: those of `default_metrics`."""
    num_curves: int = 3
    log_bytes: int = 16_384
    """How much of the log's end is read."""
    beside: tuple[str, ...] = ()
    """Ids of other runs whose curves of the same metrics are drawn beside."""
    files: bool = False
    """Whether to list the run's checkpoints and artifacts."""
    page: "PageWish | None" = None
    """What a screen that is not about runs shows."""


@dataclass(frozen=True)
class RunFile:
    """A checkpoint, with all that belongs to it, or an artifact."""

    path: str
    """Relative to the run's directory."""
    num_bytes: int
    modified: float
    """Unix seconds."""


@dataclass(frozen=True)
class RunDetail:
    """The watched run in full."""

    run_id: str
    metric_names: tuple[str, ...]
    curves: tuple["Curve", ...]
    events: tuple["EventRow", ...]
    log: tuple[str, ...]
    log_cut_bytes: int
    """Bytes of the log before the part that was read."""
    experiment: str
    """The merged experiment as YAML."""
    beside: tuple[tuple[str, tuple["Curve", ...]], ...] = ()
    """Other runs with their curves of the same metrics, as far as they have them."""
    files: tuple[RunFile, ...] = ()
    """Checkpoints, then artifacts; empty where the watch does not ask."""


@dataclass(frozen=True)
class Snapshot:
    """Everything the screens show."""

    now: float
    """Unix seconds, at the start of a minute: ages are no finer, and a quiet workspace changes nothing in between."""
    runs: tuple["RunRow", ...] = ()
    """Running and launched, then queued in their order, then the rest, newest first."""
    scores: tuple[tuple[str, tuple[Score, ...]], ...] = ()
    """Run id and its finished tasks."""
    gauges: tuple[Gauge, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    """Run directories that cannot be read, with the reason."""
    detail: RunDetail | None = None
    page: "Page | None" = None
    """The answer to the watch's wish for a page."""
    is_paused: bool = False
    """Whether the queue is paused: no queued run is started."""
    error: str = ""
    """Why the workspace could not be read this time; the rest is then what was last seen."""

    @property
    def active(self) -> tuple["RunRow", ...]:
        """Runs at work and in the queue: they come first, so that thousands of others cost nothing."""
        return tuple(takewhile(lambda row: row.is_active, self.runs))

    def find_run(self, run_id: str | None) -> "RunRow | None":
        """The run of that id."""
        return None if run_id is None else next((row for row in self.runs if row.id == run_id), None)

    def find_scores(self, run_id: str) -> tuple[Score, ...]:
        """Finished tasks of an evaluation run."""
        return next((scores for key, scores in self.scores if key == run_id), ())


def order_runs(rows: Sequence["RunRow"]) -> tuple["RunRow", ...]:
    """Runs at work first, then the queue as it will be taken, then the rest; `rows` come newest first."""
    at_work = [row for row in rows if row.state in ("running", "launched")]
    queued = [row for row in reversed(rows) if row.state == "queued"]
    return (*at_work, *queued, *(row for row in rows if not row.is_active))


def find_ends(before: Snapshot | None, now: Snapshot) -> tuple["RunRow", ...]:
    """Runs that were queued or at work in the last snapshot and have come to an end worth a bell."""
    if before is None or before.runs is now.runs:
        return ()
    active = {row.id for row in before.active}
    return tuple(row for row in now.runs if row.id in active and row.state in BELL_STATES and not row.stop_asked)


def find_new_alarms(before: Snapshot | None, now: Snapshot) -> tuple[tuple["RunRow", str], ...]:
    """Alarms that runs in the queue or at work have raised since the last snapshot."""
    if before is None or before.runs is now.runs:
        return ()
    known = {row.id: row.alarms for row in before.active}
    moving = (row for row in now.runs if row.alarms and (row.id in known or row.is_active))
    return tuple((row, alarm.message) for row in moving for alarm in row.alarms if alarm not in known.get(row.id, ()))


SHARES = "train/share/"
"""What begins the names of the shares that loss terms have; they are drawn in one chart."""


def choose_metrics(names: Sequence[str], count: int) -> tuple[str, ...]:
    """The metrics of the `count` charts that say most; the shares of the loss terms are one chart, the third."""
    shares = tuple(name for name in names if name.startswith(SHARES))
    others = default_metrics([name for name in names if not name.startswith(SHARES)], count - bool(shares))
    return (*others[:2], *shares, *others[2:])


def default_metrics(names: Sequence[str], count: int) -> tuple[str, ...]:
    """The `count` curves that say most: losses first, validation before training, then other figures, timings last."""

    def rank(name: str) -> tuple[int, str]:
        if name in LEADING_METRICS:
            return LEADING_METRICS.index(name), name
        if name in TRAILING_METRICS:
            return 7 + TRAILING_METRICS.index(name), name
        group, _, rest = name.partition("/")
        place = {"val": 2, "train": 3}.get(group, 9)
        return place + (2 if rest.startswith(BESIDE_LOSSES) or "/std" in rest else 0), name

    return tuple(sorted(names, key=rank)[:count])
