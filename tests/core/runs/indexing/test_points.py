"""Points are packed into blocks without loss, whatever the pieces in which a file is read."""

import math
import sqlite3

import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import encode_value
from lovt_core.runs.indexing import ingest
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.indexing.point_store import BLOCK_POINTS
from lovt_core.runs.lines import encode_line
from lovt_core.runs.records import Curve
from lovt_core.values import Metrics


def write(run, steps, attempt=1):
    """Metric lines at once; every tenth has a validation, every hundredth a value that is not finite."""
    with run.events(attempt).open("ab") as file:
        for step in steps:
            values = {"train/loss": math.nan if step % 100 == 0 else step / 7, "train/rate": 1.0 / (step + 1)}
            values |= {"val/loss": float(step)} if step % 10 == 0 else {}
            kind, data = encode_value(Metrics(step, step / 3, values))
            file.write(encode_line({"t": 100.0 + step, "event": kind, **data}))


def sizes(workspace, metric):
    """Points of a metric in blocks, in their order, and number of plain rows."""
    with sqlite3.connect(workspace.index) as connection:
        number = connection.execute("select id from metric_names where name = ?", (metric,)).fetchone()[0]
        blocks = connection.execute("select count from blocks where metric = ? order by id", (number,)).fetchall()
        rows = connection.execute("select count(*) from points where metric = ?", (number,)).fetchone()[0]
    connection.close()
    return [row[0] for row in blocks], rows


def expect(curve, steps):
    """Exactly those steps, and what `write` has written at them."""
    wanted = [math.nan if step % 100 == 0 else step / 7 for step in steps]
    assert curve == Curve("train/loss", steps, curve.epochs, [100.0 + step for step in steps], wanted)
    assert list(curve.epochs) == pytest.approx([step / 3 for step in steps], abs=1e-6)


@pytest.fixture
def run(workspace):
    run = create_run(workspace, SelftestExperiment())
    append_control(run.control, record("launch", 1))
    return run


@pytest.fixture
def is_alive(monkeypatch):
    """The run's lock is held, as far as anybody can see."""
    held = {"value": True}
    monkeypatch.setattr("lovt_core.runs.state.is_locked", lambda path: held["value"])
    return held


def test_a_live_run_fills_blocks_and_keeps_its_newest_points_as_rows(workspace, run, is_alive):
    index = Index(workspace)
    end = 0
    for count in (1, 500, 522, 1, 3000):
        write(run, range(end, end + count))
        end += count
        index.sync()
        expect(index.curve(run.id, "train/loss"), list(range(end)))
        blocks, rows = sizes(workspace, "train/loss")
        assert blocks == [BLOCK_POINTS] * (end // BLOCK_POINTS)
        assert rows == end % BLOCK_POINTS
    is_alive["value"] = False
    index.sync()
    expect(index.curve(run.id, "train/loss"), list(range(end)))
    assert sizes(workspace, "train/loss") == ([BLOCK_POINTS] * (end // BLOCK_POINTS) + [end % BLOCK_POINTS], 0)
    assert sizes(workspace, "val/loss")[1] == 0
    assert list(index.curve(run.id, "val/loss").values) == [float(step) for step in range(0, end, 10)]
    index.close()


@pytest.mark.parametrize("max_bytes", [400, 1000, 50_000])
def test_small_transactions_give_the_same(workspace, run, monkeypatch, max_bytes):
    monkeypatch.setattr(ingest, "MAX_BYTES", max_bytes)
    write(run, range(300))
    index = Index(workspace)
    index.sync()
    expect(index.curve(run.id, "train/loss"), list(range(300)))
    assert index.run(run.id).best == {"val/loss": 0.0}
    assert index.run(run.id).done == 299
    index.close()


def test_a_step_that_comes_again_counts_once_with_its_newest_value(workspace, run):
    write(run, range(1, 2000))
    with run.events(1).open("ab") as file:
        for step, loss in ((1500, -1.0), (5000, -2.0), (7, -3.0)):
            kind, data = encode_value(Metrics(step, 0.0, {"train/loss": loss}))
            file.write(encode_line({"t": 9e9, "event": kind, **data}))
    index = Index(workspace)
    index.sync()
    curve = index.curve(run.id, "train/loss")
    found = dict(zip(curve.steps, curve.values, strict=True))
    assert list(curve.steps) == [*range(1, 2000), 5000]
    assert (found[1500], found[5000], found[7], found[8]) == (-1.0, -2.0, -3.0, 8 / 7)
    index.close()


def test_attempts_are_cut_inside_blocks(workspace, run):
    write(run, range(1, 2501))
    for attempt, begin in ((2, 1200), (3, 1800)):
        append_control(run.control, record("queued", attempt), record("launch", attempt))
        write(run, range(begin, begin + 1500), attempt)
    index = Index(workspace)
    index.sync()
    expect(index.curve(run.id, "train/loss"), list(range(1, 3300)))
    index.close()


def test_an_unknown_metric_is_an_empty_curve(workspace, run):
    index = Index(workspace)
    index.sync()
    assert index.curve(run.id, "val/nothing") == Curve("val/nothing", (), (), (), ())
    index.close()


def test_equal_curves_are_equal_though_they_hold_nan():
    one, other = (Curve("a", (1, 2), (0.1, 0.2), (5.0, 6.0), (math.nan, -math.inf)) for _ in range(2))
    assert one == other
    assert one != Curve("a", (1, 2), (0.1, 0.2), (5.0, 6.0), (math.nan, math.inf))
    assert one != Curve("b", (1, 2), (0.1, 0.2), (5.0, 6.0), (math.nan, -math.inf))
