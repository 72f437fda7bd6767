"""One time zone for clocks on the screen, and a fake index with runs in several states."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lovt_core.runs.records import EventRow, StandingAlarm, StoredResult
from tests.tui.factories import NOW, FakeIndex, make_curve, make_row, make_two_runs


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The poller looks ten times a second, so that no test waits for it."""
    monkeypatch.setattr("lovt_tui.reading.poller.SYNC_SECONDS", 0.1)
    monkeypatch.setattr("lovt_tui.reading.detail_reader.CURVE_SECONDS", 0.1)


@pytest.fixture
def quiet_workspace(tmp_path):
    """Two runs that no scheduler starts."""
    return make_two_runs(tmp_path / "lovt-workspace")


@pytest.fixture
def index() -> FakeIndex:
    """A running, a queued, a finished, a failed and an evaluation run."""
    running = make_row("tau03", "running", seconds_left=7425.0, created=NOW - 300, tags=("tau",))
    alarm = StandingAlarm(NOW - 100, "79 pairs are few: the split leaves 8 for validation")
    running = replace(running, alarms=(alarm,))
    queued = make_row("convirt", "queued", done=0, total=None, started=None, best={}, latest={}, epoch=0.0, slot="")
    failed = make_row(
        "simclr", "failed", detail="CUDA out of memory at step 12: set training.batch_size below 128", ended=NOW - 3600
    )
    judged = make_row(
        "eval-tau03", "finished", kind="evaluate", best={}, latest={}, done=5, total=5, unit="replicate",
        experiment={"tasks": ["covid-linear"]},
    )  # fmt: skip
    index = FakeIndex(running, queued, judged, failed, make_row("baseline", "finished", done=100, ended=NOW - 600))
    index.curves[running.id] = [make_curve(name) for name in ("val/loss", "train/loss", "train/learning_rate")]
    started = {"host": "node", "slot": "CPU", "pid": 4711, "versions": {"torch": "2.8.0"}}
    index.event_rows[running.id] = [
        EventRow(1, NOW - 290, "started", started),
        EventRow(1, NOW - 200, "saved", {"checkpoint": "20-a1", "step": 20, "is_last": True, "is_best": True}),
        EventRow(1, NOW - 100, "alarm", {"message": alarm.message}),
    ]
    index.event_rows[failed.id] = [
        EventRow(1, NOW - 3600, "failed", {"error": failed.detail, "traceback": "Traceback:\n  boom\n"}),
    ]
    cell = {"type": "cell", "task": "covid-linear", "metric": "dice", "mean": 0.7012, "ci95": 0.0113}
    index.stored = [StoredResult(judged.id, judged.name, 1, cell)]
    return index
