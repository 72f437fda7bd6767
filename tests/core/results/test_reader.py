"""The reader for scripts: frozen values, without torch, of a workspace that nobody may write too; and its document."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lovt_core.config.data import PairedDataConfig
from lovt_core.config.experiment import PretrainExperiment, SelftestExperiment
from lovt_core.errors import InputError
from lovt_core.results.imported import keep_result_file
from lovt_core.results.reader import open_workspace
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.workspace import find_workspace
from lovt_core.values import Metrics, Result
from tests.core.results.factories import encoder, evaluation, stored_cell

DOCUMENT = Path(__file__).parents[3] / "docs" / "interoperation.md"
LOSSES = (3.0, float("nan"), 0.5, 1.0)
SCORES = "label,task,replicate,score\ntheirs,rsna-linear-1,1,0.25\ntheirs,rsna-linear-1,2,0.5\n"


def add_run(workspace, experiment, *values):
    """A run that has yielded these values and finished."""
    run = create_run(workspace, experiment)
    append_control(run.control, record("launch", 1), record("tags", 1, tags=["good"]))
    writer = EventWriter(run.events(1))
    writer.write("started", {"host": "here", "slot": "CPU"})
    for value in values:
        writer.write(*encode_value(value))
    writer.write_last_word("finished")
    writer.close()
    return run


@pytest.fixture
def workspace(tmp_path):
    """A pre-training, an evaluation with a cell, a run that was only queued, and a file of imported scores."""
    place = find_workspace(tmp_path / "lovt-workspace")
    training = PretrainExperiment(name="lovt-tiny", data=PairedDataConfig(name="openi"))
    metrics = [Metrics(10 * step, step / 2, {"val/loss": loss}) for step, loss in enumerate(LOSSES, start=1)]
    add_run(place, training, *metrics)
    cell = stored_cell("", task="rsna-linear-10", encoder=encoder("mine"), values=[0.5, 0.75], mean=0.625).data
    add_run(place, evaluation(tasks=("rsna-linear-10",)), Result(cell))
    create_run(place, SelftestExperiment(name="waits"))
    scores = tmp_path / "scores.csv"
    scores.write_text(SCORES)
    keep_result_file(place.path, scores)
    return place


def test_runs_are_chosen(workspace):
    with open_workspace(workspace.path) as reader:
        assert {run.name for run in reader.runs()} == {"lovt-tiny", "eval", "waits"}
        assert [run.name for run in reader.runs(kind="pretrain")] == ["lovt-tiny"]
        assert [run.name for run in reader.runs(state="queued")] == ["waits"]
        assert [run.name for run in reader.runs(name="lovt-*", tag="good", state="finished")] == ["lovt-tiny"]
        assert reader.runs(tag="bad") == ()
        (run,) = reader.runs(kind="pretrain")
        assert reader.run("lovt-tiny") == run
        assert run.experiment["data"]["name"] == "openi"


def test_metrics_are_arrays_that_cannot_be_changed(workspace):
    with open_workspace(str(workspace.path)) as reader:
        assert reader.metric_names("lovt-tiny") == ("val/loss",)
        loss = reader.metric("lovt-tiny", "val/loss")
        assert list(loss.steps) == [10, 20, 30, 40]
        assert list(loss.epochs) == [0.5, 1.0, 1.5, 2.0]
        np.testing.assert_array_equal(loss.values, LOSSES)
        assert (loss.steps.dtype, loss.values.dtype) == (np.int64, np.float64)
        for array in (loss.steps, loss.epochs, loss.times, loss.values):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
        assert list(reader.metrics("lovt-tiny")) == ["val/loss"]
        with pytest.raises(InputError, match="has no metric 'loss'; known metrics: val/loss"):
            reader.metric("lovt-tiny", "loss")
        with pytest.raises(InputError, match="no run 'gone'"):
            reader.metric("gone", "loss")


def test_cells_are_rows(workspace):
    with open_workspace(workspace.path) as reader:
        own, imported = reader.cells()
        assert (own.label, own.task, own.values, own.mean, own.split) == (
            *("mine", "rsna-linear-10", (0.5, 0.75), 0.625, "published"),
        )
        assert (own.run, own.file) == (reader.run("eval").id, "")
        assert (imported.label, imported.mean, imported.split, imported.file) == (
            *("theirs", 0.375, "unknown", "scores.csv"),
        )
        assert imported.num_replicates == 2
        assert imported.ci95 is not None
        assert reader.cells(label="their*") == (imported,)
        assert reader.cells(task="*-10") == (own,)
        assert set(vars(own)) == set(vars(imported))


def test_news_come_with_a_refresh(workspace):
    with open_workspace(workspace.path) as reader:
        run = create_run(workspace, SelftestExperiment(name="new"))
        assert run.id not in {each.id for each in reader.runs()}
        assert reader.refresh()
        assert run.id in {each.id for each in reader.runs()}


def test_a_folder_that_is_no_workspace_is_refused_and_stays_as_it_is(tmp_path):
    with pytest.raises(InputError, match="there is no workspace"):
        open_workspace(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_that_cannot_be_written_is_read(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = {path: path.stat().st_mtime_ns for path in workspace.path.rglob("*")}
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with open_workspace(workspace.path) as reader:
        assert len(reader.runs()) == 3
        assert len(reader.cells()) == 2
    assert {path: path.stat().st_mtime_ns for path in workspace.path.rglob("*")} == before


def test_the_example_of_the_document_runs_without_torch(workspace):
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    heavy = "import sys\nprint({'torch', 'transformers', 'timm'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{example}\n{heavy}"],
        cwd=workspace.path.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "lovt-tiny 0.5 30",
        "mine rsna-linear-10 published 62.5 2",
        "theirs rsna-linear-1 unknown 37.5 2",
        "set()",
    ]


def test_every_name_of_the_document_is_there(workspace):
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Reading a workspace in Python")[2]
    with open_workspace(workspace.path) as reader:
        methods = re.findall(r"`\.(\w+)\(", section)
        assert len(methods) >= 6
        assert all(callable(getattr(reader, method)) for method in methods)
        for kind, value in (("MetricArrays", reader.metric("lovt-tiny", "val/loss")), ("CellRow", reader.cells()[0])):
            line = next(line for line in section.splitlines() if f"`{kind}`" in line)
            names = re.findall(r"`([a-z_0-9]+)`", line.partition(kind)[2])
            assert names
            assert all(hasattr(value, name) for name in names)
