"""Imported runs are run directories like any other: finished, and nothing can start them."""

import math
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from lovt_core.config.experiment import asked_device
from lovt_core.config.loading import load_experiment
from lovt_core.errors import ConfigError, DataError, InputError
from lovt_core.interop.points import ForeignRun, Point, build_lines, fit_name
from lovt_core.interop.recording import find_imported, record_run
from lovt_core.interop.sources import find_sources, read_source
from lovt_core.runs.directory import find_run, list_runs
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.queueing.requests import request_resume, request_stop
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import find_workspace

BEGAN = 1_600_000_000.0
RUN = ForeignRun(
    name="Größe/My Run 1",
    format="csv",
    source=Path("somewhere/metrics.csv"),
    fingerprint="f" * 64,
    points=(
        Point(20, "val/loss", 0.5, BEGAN + 20.0, 2.0),
        Point(10, "train/loss", math.nan, BEGAN + 10.0, 1.0),
        Point(10, "val/loss", 0.75, BEGAN + 10.0001, 1.0),
        Point(20, "train/loss", math.inf, BEGAN + 25.0, math.nan),
        Point(10, "train/loss", 3.0, BEGAN + 10.0, 1.0),
        Point(30, "val/loss", 0.625, math.inf),
    ),
    changed=BEGAN + 99,
    config={"rate": 0.1, "deep": {"list": [1, None, "x\x1b"], "nan": math.nan, 3: (True,)}, "other": Path("a")},
    notes=("left out: 3 pictures",),
)


@pytest.fixture
def workspace(tmp_path):
    return find_workspace(tmp_path / "work space ä")


def test_the_index_shows_an_imported_run(workspace):
    run = record_run(workspace, RUN)
    index = Index(workspace)
    index.sync()
    assert not index.broken
    row = index.run("gr-e-my-run-1")
    assert (row.id, row.kind, row.state, row.attempt) == (run.id, "imported", "finished", 1)
    assert (row.created, row.started, row.ended) == (BEGAN + 10, BEGAN + 10, BEGAN + 99)
    assert (row.share, row.is_active, row.is_resumable) == (1.0, False, False)
    assert row.best == {"val/loss": 0.5}
    assert row.experiment["format"] == "csv"
    assert row.experiment["config"] == {
        "rate": 0.1,
        "deep": {"list": [1, None, "x\x1b"], "nan": "nan", "3": [True]},
        "other": "a",
    }
    loss, score = index.curve(row.id, "train/loss"), index.curve(row.id, "val/loss")
    assert (list(loss.steps), list(loss.values)) == ([10, 20], [3.0, math.inf])
    assert list(zip(score.steps, score.epochs, score.times, score.values, strict=True)) == [
        (10, 1.0, BEGAN + 10, 0.75),
        (20, 2.0, BEGAN + 20, 0.5),
        (30, 0.0, BEGAN + 99, 0.625),
    ]
    assert [event.data["message"] for event in index.events(row.id, "note")] == ["left out: 3 pictures"]
    assert not index.sync()
    index.close()


def test_points_of_one_step_and_millisecond_share_a_line():
    lines = [line for line in build_lines(RUN) if line["event"] == "metrics"]
    assert [(line["step"], line["values"]) for line in lines] == [
        (10, {"train/loss": 3.0, "val/loss": 0.75}),
        (20, {"val/loss": 0.5}),
        (20, {"train/loss": "inf"}),
        (30, {"val/loss": 0.625}),
    ]


def test_the_directory_is_private_and_names_its_source(workspace):
    run = record_run(workspace, RUN)
    for path in (run.path, *run.path.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert run.origin()["imported"]["source"] == str(Path("somewhere/metrics.csv").resolve())
    assert run.is_at_home()
    assert find_imported(workspace) == {RUN.fingerprint: run.id}


def test_it_cannot_be_resumed_stopped_or_started(workspace, tmp_path):
    run = record_run(workspace, RUN)
    for ask in (lambda: request_resume(workspace, run), lambda: request_stop(run)):
        with pytest.raises(InputError, match="is finished"):
            ask()
    assert read_state(run).state == "finished"
    experiment = run.experiment()
    with pytest.raises(InputError, match="was imported from"):
        asked_device(experiment)
    with pytest.raises(ConfigError, match="kind: unknown value 'imported': one of pretrain, evaluate, selftest"):
        load_experiment(run.path / "experiment.yaml")


def test_a_full_disk_leaves_nothing_behind(workspace, monkeypatch):
    def refuse(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("lovt_core.interop.recording.encode_line", refuse)
    with pytest.raises(Exception, match="No space left"):
        record_run(workspace, RUN)
    assert list(workspace.runs.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("LoVT", "lovt"),
        ("a/b c", "a-b-c"),
        ("../..", "imported"),
        ("", "imported"),
        ("日本", "imported"),
        ("x" * 70 + "-9", "x" * 62 + "-9"),
        ("$(rm -rf)\x1b[31m", "rm--rf-31m"),
    ],
)
def test_names_are_made_fit_for_paths(workspace, text, name):
    assert fit_name(text) == name
    run = record_run(workspace, replace(RUN, name=text))
    assert list_runs(workspace) == [run]
    assert find_run(workspace, name) == run


def write_csv(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("step,loss\n1,0.5\n")
    return path


def test_a_folder_is_searched_for_runs_without_following_links(tmp_path):
    for name in ("logs/a/events.out.tfevents.1.host", "logs/a/events.out.tfevents.2.host", "logs/b c/run-1.wandb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    write_csv(tmp_path / "logs/metrics.csv")
    (tmp_path / "logs/latest-run").symlink_to("b c", target_is_directory=True)
    (tmp_path / "logs/link.wandb").symlink_to("b c/run-1.wandb")
    found = find_sources(tmp_path / "logs")
    assert [(source.format, source.path.name, len(source.files), source.name) for source in found] == [
        ("tensorboard", "a", 2, "a"),
        ("wandb", "run-1.wandb", 1, "run-1"),
    ]
    (source,) = find_sources(tmp_path / "logs" / "a" / "events.out.tfevents.1.host")
    assert (source.name, len(source.files)) == ("a", 1)
    with pytest.raises(DataError):
        read_source(source)


def test_a_csv_is_named_itself_and_other_files_are_refused(tmp_path):
    (source,) = find_sources(write_csv(tmp_path / "some" / "x.csv"))
    assert [run.name for run in read_source(source)] == ["x"]
    (tmp_path / "other.txt").write_text("")
    for path, message in (
        (tmp_path / "some", "holds neither TensorBoard event files nor W&B runs"),
        (tmp_path / "gone", "there is no file or folder"),
        (tmp_path / "other.txt", "is of no known kind"),
    ):
        with pytest.raises(InputError, match=message):
            find_sources(path)
