"""Rows, curves and a fake index with a fixed clock, and what is on the screen of an app."""

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from lovt_core.config.experiment import SelftestConfig, SelftestExperiment
from lovt_core.config.training import TrainingConfig
from lovt_core.runs.directory import create_run
from lovt_core.runs.records import Curve, EventRow, RunRow, StoredResult
from lovt_core.runs.workspace import Workspace, find_workspace
from lovt_tui.app import Dashboard
from lovt_tui.reading.snapshot import Gauge
from lovt_tui.reading.sources import Sources

NOW = 1_790_000_000.0
SNAPSHOTS = Path(__file__).parent / "snapshots"
WAIT_SECONDS = 30.0


def make_row(name: str = "covid", state: Any = "finished", **values: Any) -> RunRow:
    """A run as the index would give it."""
    facts: dict[str, Any] = {
        "id": f"20260901-120000-{name}-0001", "name": name, "kind": "pretrain", "state": state, "attempt": 1,
        "detail": "", "stop_asked": False, "created": NOW - 7200, "started": NOW - 7100, "ended": None,
        "updated": NOW - 60, "done": 41, "total": 100, "unit": "step", "note": "", "epoch": 4.1,
        "seconds_left": None, "host": "node", "slot": "CPU", "tags": (), "latest": {"train/loss": 3.5},
        "best": {"val/loss": 3.412},
        "experiment": {"method": {"name": "lovt"}, "training": {"batch_size": 32}}, "origin": {},
    }  # fmt: skip
    return RunRow(**{**facts, **values})


def make_curve(metric: str, num_points: int = 50, start: int = 1) -> Curve:
    """A falling exponential."""
    steps = tuple(range(start, start + num_points))
    values = tuple(3.0 + 2.0 * math.exp(-step / 20) for step in steps)
    return Curve(metric, steps, tuple(step / 10 for step in steps), tuple(NOW + step for step in steps), values)


class FakeIndex:
    """Serves what a test puts into it; `touch` makes it news."""

    def __init__(self, *rows: RunRow) -> None:
        self.rows = list(rows)
        self.curves: dict[str, list[Curve]] = {}
        self.event_rows: dict[str, list[EventRow]] = {}
        self.stored: list[StoredResult] = []
        self.unreadable: dict[str, str] = {}
        self.problem: Exception | None = None
        self.num_curve_reads = 0
        self._change = 1

    def put(self, *rows: RunRow) -> None:
        """These runs from now on."""
        self.rows = list(rows)
        self._change += 1

    @property
    def broken(self) -> dict[str, str]:
        return self.unreadable

    def sync(self) -> bool:
        if self.problem is not None:
            raise self.problem
        return False

    def sync_active(self) -> bool:
        return self.sync()

    def change(self) -> int:
        return self._change

    def runs(self) -> list[RunRow]:
        return list(self.rows)

    def results(self, run_id: str | None = None) -> list[StoredResult]:
        return self.stored

    def metric_names(self, run_id: str) -> list[str]:
        return sorted(curve.metric for curve in self.curves.get(run_id, []))

    def curve(self, run_id: str, metric: str) -> Curve:
        self.num_curve_reads += 1
        return next(curve for curve in self.curves[run_id] if curve.metric == metric)

    def events(self, run_id: str, kind: str | None = None) -> list[EventRow]:
        return [event for event in self.event_rows.get(run_id, []) if kind is None or event.kind == kind]

    def close(self) -> None:
        pass


def make_sources(index: FakeIndex, folder: Path) -> Sources:
    """No files, no GPUs, a clock that stands."""
    gauge = Gauge("CPU", 12, 3 << 30, 16 << 30)
    return Sources(lambda: index, folder, lambda: (gauge,), lambda: NOW)


def make_app(index: FakeIndex, folder: Path) -> Dashboard:
    """A dashboard on the fake index; its workspace is called `~/lab` wherever the test runs."""
    return Dashboard(Workspace(folder), place="~/lab", sources=make_sources(index, folder))


def make_two_runs(folder: Path) -> Workspace:
    """A workspace with two queued runs, `one` and `two`, that no scheduler starts."""
    place = find_workspace(folder)
    for name in ("one", "two"):
        training = TrainingConfig(batch_size=8, precision="fp32", device="cpu")
        create_run(place, SelftestExperiment(name=name, selftest=SelftestConfig(), training=training))
    return place


def screen_text(app: App[None]) -> str:
    """What is on the screen, line by line, without trailing blanks."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


def type_in(pilot: Pilot[None], text: str) -> None:
    """Type a longer text at once."""
    assert isinstance(pilot.app.focused, Input)
    pilot.app.focused.insert_text_at_cursor(text)


async def wait_for(pilot: Pilot[None], text: str | Callable[[str], bool]) -> str:
    """The screen as soon as it shows `text`, or fits; fails with what it shows instead."""
    fits = text if callable(text) else lambda shown: text in shown or text in unwrap(shown)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        await pilot.pause(0.02)
        shown = screen_text(pilot.app)
        if fits(shown):
            return shown
    pytest.fail(f"waited for {text!r}, the screen shows:\n{screen_text(pilot.app)}")


def unwrap(shown: str) -> str:
    """Sentences in one piece that stand wrapped right of a box, or of none."""
    return " ".join(line.rpartition("│")[2].strip() for line in shown.splitlines())


async def check_snapshot(pilot: Pilot[None], name: str) -> None:
    """Compare a whole screen, once it is quiet, with the stored one; `LOVT_UPDATE_SNAPSHOTS=1` stores it."""
    shown, before = screen_text(pilot.app), ""
    while shown != before:
        await pilot.pause(0.2)
        shown, before = screen_text(pilot.app), shown
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("LOVT_UPDATE_SNAPSHOTS"):
        path.write_text(shown)
    assert shown == path.read_text()
