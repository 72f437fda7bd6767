"""`lovt import` and `lovt export metrics` as a person meets them."""

import csv
import io
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lovt_core.errors import InputError
from lovt_core.results.reader import open_workspace
from lovt_tui.cli import export_metrics, import_runs

LONG = "run,step,epoch,time,metric,value\n"
CURVE = "step,train/loss,val/loss\n1,0.5,\n2,nan,0.25\n3,inf,0.125\n"
SCORES = "label,task,replicate,score\ntheirs,rsna-linear-1,1,0.25\n"

app = typer.Typer(pretty_exceptions_enable=False)
app.command("import")(import_runs.command)
app.command("metrics")(export_metrics.command)


@pytest.fixture
def lovt(tmp_path, monkeypatch):
    """Run a command in a fresh folder; the error that it raised is raised here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOVT_HOME", str(tmp_path / "home"))

    def run(*arguments):
        return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=True)

    return run


def write(name, text):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def runs():
    with open_workspace("home") as workspace:
        return workspace.runs()


def complaint(answer):
    """What the command line would print as its error, which is the user's."""
    assert isinstance(answer.exception, InputError), answer.exception
    return str(answer.exception)


def test_a_csv_becomes_a_run_once(lovt):
    path = write("metrics.csv", CURVE)
    answer = lovt("import", path, "--name", "Baseline")
    assert answer.exit_code == 0, answer.exception
    (run,) = runs()
    assert run.id in answer.stdout
    assert (run.name, run.state, run.best) == ("baseline", "finished", {"val/loss": 0.125})
    again = lovt("import", path)
    assert complaint(again).startswith("nothing new")
    assert "imported before: metrics.csv (" in again.stderr
    assert run.id in again.stderr
    assert lovt("import", path, "--again", "--json").exit_code == 0
    assert len(runs()) == 2


def test_export_and_import_of_csv_give_the_same_curves(lovt):
    lovt("import", write("metrics.csv", CURVE), "--name", "first")
    long, wide = lovt("metrics", "first").stdout, lovt("metrics", "first", "--wide").stdout
    assert next(csv.reader(io.StringIO(long))) == LONG.strip().split(",")
    assert wide.splitlines()[0] == "run,step,epoch,time,train/loss,val/loss"
    for form in (long, wide):
        answer = lovt("import", write("exported.csv", form), "--json")
        run = json.loads(answer.stdout)["imported"][0]["run"]
        with open_workspace("home") as workspace:
            for metric in ("train/loss", "val/loss"):
                curves = [workspace.metric(name, metric) for name in ("first", run)]
                assert len({curve.values.tobytes() for curve in curves}) == 1
                assert len({curve.steps.tobytes() for curve in curves}) == 1


def test_a_damaged_file_is_named_and_leaves_the_others_alone(lovt):
    good = write("good.csv", CURVE)
    answer = lovt("import", write("bad.csv", "step,loss\n1,x\n"), good, "--json")
    assert complaint(answer) == "bad.csv:2: loss is 'x', which is no number"
    assert [each["points"] for each in json.loads(answer.stdout)["imported"]] == [5]
    assert [run.name for run in runs()] == ["good"]


def test_event_files_go_out_and_come_back(lovt):
    pytest.importorskip("tensorboard")
    lovt("import", write("metrics.csv", CURVE), "--name", "first")
    answer = lovt("metrics", "first", "--format", "tensorboard", "--out", "logs", "--json")
    (file,) = json.loads(answer.stdout)["files"]
    assert Path(file).parent.name == runs()[0].id
    assert complaint(lovt("metrics", "first", "-f", "tensorboard", "-o", "logs")).endswith("or another folder")
    assert lovt("metrics", "first", "-f", "tensorboard", "-o", "logs", "--force").exit_code == 0
    assert lovt("import", "logs", "--name", "back").exit_code == 0
    with open_workspace("home") as workspace:
        for metric in ("train/loss", "val/loss"):
            first, back = (workspace.metric(name, metric) for name in ("first", "back"))
            assert first.values.tobytes() == back.values.tobytes()
            assert list(first.steps) == list(back.steps)
            assert abs(first.times - back.times).max() < 0.001


def test_results_are_kept_for_the_comparison(lovt):
    path = write("scores.csv", SCORES)
    answer = lovt("import", "--results", path)
    assert answer.stdout.strip() == "scores.csv: 1 row of lovt compare"
    assert "was imported before" in complaint(lovt("import", "--results", path))
    write("scores.csv", SCORES + "other,1,1,0.5\n")
    answer = lovt("import", "--results", path, "--again", "--json")
    assert json.loads(answer.stdout)["results"][0]["rows"] == ["theirs", "other"]
    with open_workspace("home") as workspace:
        assert {row.label for row in workspace.cells()} == {"theirs", "other"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("import", "gone"), "there is no file or folder gone"),
        (("import", "one.csv", "two.csv", "--name", "x"), "--name names one run: there are 2 at these paths"),
        (("import", "both.csv", "--name", "x"), "--name names one run: both.csv holds 2"),
        (("import", "--results", "scores.csv", "--name", "x"), "--name names runs"),
        (("import", "--results", "one.csv"), "one.csv: row 1: no column label, task, replicate, score"),
        (("metrics", "gone"), "no run 'gone'"),
        (("metrics", "first", "--metric", "loss"), "has no metric 'loss'; known metrics: train/loss, val/loss"),
        (("metrics", "first", "--json"), "--json needs a file"),
        (("metrics", "first", "--out", "one.csv"), "one.csv exists: give --force"),
        (("metrics", "first", "--format", "tensorboard"), "tensorboard needs a folder: give --out DIR"),
        (("metrics", "first", "-f", "tensorboard", "-o", "one.csv"), "--out one.csv is a file: name a folder"),
        (("metrics", "first", "-f", "tensorboard", "--wide"), "--wide is a form of CSV"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(lovt, arguments, message):
    write("scores.csv", SCORES)
    write("both.csv", "run,step,loss\na,1,1\nb,1,1\n")
    for name in ("one.csv", "two.csv"):
        write(name, CURVE)
    lovt("import", write("metrics.csv", CURVE), "--name", "first")
    before = len(runs())
    answer = lovt(*arguments)
    assert message in complaint(answer)
    assert answer.exception.exit_code == 2
    assert len(runs()) == before
