"""Reading: a thread that posts only news, and files that grow, vanish or hold rubbish."""

import queue
from dataclasses import replace

import pytest

from lovt_core.errors import RecordError
from lovt_core.runs.records import StoredResult
from lovt_tui.reading.detail_reader import read_tail
from lovt_tui.reading.poller import Poller
from lovt_tui.reading.snapshot import Score, Snapshot, Watch, find_ends
from lovt_tui.reading.snapshot_reader import SnapshotReader
from lovt_tui.reading.sources import Sources
from tests.tui.factories import FakeIndex, make_curve, make_row, make_sources


@pytest.fixture
def row():
    return make_row(state="running")


@pytest.fixture
def index(row):
    index = FakeIndex(row)
    index.curves[row.id] = [make_curve("val/loss")]
    return index


@pytest.fixture
def polled(index, tmp_path):
    posts = queue.Queue()
    poller = Poller(make_sources(index, tmp_path), posts.put)
    poller.start()
    yield poller, posts
    poller.finish()
    poller.join(5)
    assert not poller.is_alive()


def test_news_alone_is_posted(polled, index, row):
    _, posts = polled
    first = posts.get(timeout=5)
    assert first.runs == (row,)
    assert first.detail is None
    with pytest.raises(queue.Empty):
        posts.get(timeout=0.4)
    index.put(replace(row, done=50))
    assert posts.get(timeout=5).runs[0].done == 50


def test_a_watched_run_comes_with_curves_at_once(polled, row):
    poller, posts = polled
    posts.get(timeout=5)
    poller.watch(Watch(row.id))
    detail = posts.get(timeout=0.4).detail
    assert [curve.metric for curve in detail.curves] == ["val/loss"]
    assert detail.experiment == "# experiment.yaml cannot be read: No such file or directory"


def test_curves_are_read_again_only_when_the_run_moved(polled, index, row):
    poller, posts = polled
    posts.get(timeout=5)
    poller.watch(Watch(row.id))
    posts.get(timeout=5)
    reads = index.num_curve_reads
    poller.look_now()
    with pytest.raises(queue.Empty):
        posts.get(timeout=0.5)
    assert index.num_curve_reads == reads


@pytest.mark.parametrize("problem", [RecordError("the record is damaged"), OSError(28, "No space"), ValueError("bad")])
def test_what_cannot_be_read_is_said_and_tried_again(polled, index, row, problem):
    _, posts = polled
    posts.get(timeout=5)
    index.problem = problem
    post = posts.get(timeout=5)
    assert str(problem.args[-1]) in post.error
    assert post.runs == (row,)
    index.problem = None
    assert posts.get(timeout=5).error == ""


def test_runs_at_work_come_first_then_the_queue_in_order(index, tmp_path):
    posts = queue.Queue()
    index.put(
        make_row("new", "finished"), make_row("second", "queued"), make_row("first", "queued"), make_row("w", "running")
    )
    poller = Poller(make_sources(index, tmp_path), posts.put)
    poller.start()
    assert [row.name for row in posts.get(timeout=5).runs] == ["w", "first", "second", "new"]
    poller.finish()
    poller.join(5)


def test_scores_of_an_evaluation_with_one_replicate(index, tmp_path):
    posts = queue.Queue()
    judged = make_row("judged", kind="evaluate")
    index.put(judged)
    cells = [
        {"type": "cell", "task": "covid-linear", "metric": "dice", "mean": 0.6, "ci95": None},
        {"type": "search", "task": "covid-linear", "chosen": 0.01},
        {"type": "cell", "task": "covid-linear", "metric": "dice", "mean": 0.7, "ci95": None},
    ]
    index.stored = [StoredResult(judged.id, judged.name, 1, cell) for cell in cells]
    poller = Poller(make_sources(index, tmp_path), posts.put)
    poller.start()
    assert posts.get(timeout=5).find_scores(judged.id) == (Score("covid-linear", "dice", 0.7, None),)
    poller.finish()
    poller.join(5)


def test_tail_of_a_log(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"first\nsecond \xff\r\n 10 %\r100 %\n\x1b[1mbold\x1b[0m\nunfinished")
    assert read_tail(log, 10_000) == (("first", "second \ufffd", "100 %", "bold", "unfinished"), 0)
    assert read_tail(log, 25)[0] == ("bold", "unfinished")


def test_a_queued_run_comes_with_what_it_waits_for(index, tmp_path):
    waiting = make_row("queued", "queued")
    index.put(waiting)
    reasons = {waiting.id: "the CPU is taken by another run", "unknown": "-"}
    reader = SnapshotReader(index, Sources(lambda: index, tmp_path, lambda: (), lambda: 0.0, lambda: dict(reasons)))
    assert {row.name: row.detail for row in reader.read(Watch()).runs}["queued"] == "the CPU is taken by another run"
    reasons.clear()
    assert {row.name: row.detail for row in reader.read(Watch()).runs}["queued"] == ""


@pytest.mark.parametrize(
    ("before", "now", "rings"),
    [
        ("running", "finished", True),
        ("launched", "failed", True),
        ("queued", "lost", True),
        ("running", "stopped", False),
        ("finished", "finished", False),
        ("running", "running", False),
    ],
)
def test_an_end_that_nobody_asked_for_rings(before, now, rings):
    first, second = (Snapshot(0.0, (make_row("one", state),)) for state in (before, now))
    assert [row.name for row in find_ends(first, second)] == (["one"] if rings else [])
    assert find_ends(None, second) == ()
