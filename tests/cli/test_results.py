"""`lovt results gaps`: missing scores, and the runs that bring them."""

import json

import pytest
from typer.testing import CliRunner

from lovt_core.errors import InputError
from lovt_core.runs.directory import list_runs
from lovt_core.runs.workspace import find_workspace
from lovt_tui.cli.results import app
from tests.core.results.evaluated import add_evaluation, make_evaluated

COVID = ("covid-unet-finetuned", "covid-unet-frozen", "covid-linear")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    return make_evaluated(tmp_path, monkeypatch)


def call(workspace, *options, code=0):
    result = CliRunner().invoke(app, ["gaps", "--workspace", str(workspace.path), *options], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def test_lists_gaps_and_what_is_not_prepared(workspace):
    text = call(workspace)
    assert "lovt data prepare siim --source DIR  (siim-unet-finetuned, siim-unet-frozen)" in text
    listed = [line.split() for line in text.splitlines() if line.endswith("not run")]
    assert len(listed) == 2 * (18 - 1 - 2)
    assert ["imagenet", "nih-linear", "not", "run"] in listed
    assert len(list_runs(workspace)) == 2


def test_task_and_label_narrow_the_list(workspace):
    text = call(workspace, "--task", "covid", "--label", "image")
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [["imagenet", name] for name in COVID[:2]]
    with pytest.raises(InputError, match="no row is called 'nobody'"):
        call(workspace, "--label", "nobody")


def test_json(workspace):
    content = json.loads(call(workspace, "--task", "covid,siim", "--json"))
    assert [each["label"] for each in content["encoders"]] == ["random", "imagenet"]
    assert content["encoders"][0]["to_run"] == list(COVID[:2])
    states = {gap["task"]: gap["state"] for gap in content["encoders"][0]["gaps"]}
    assert states == {**dict.fromkeys(COVID[:2], "not run"), "siim-unet-finetuned": "not prepared",
                      "siim-unet-frozen": "not prepared"}  # fmt: skip
    assert (content["queued"], content["left_out"]) == ([], {})


def test_fill_queues_exactly_the_gaps_once(workspace):
    first = json.loads(call(workspace, "--task", "covid", "--fill", "--detach", "--json"))
    runs = {run.id: run.experiment() for run in list_runs(workspace)}
    assert len(runs) == 4
    assert [runs[run_id].tasks for run_id in first["queued"]] == [COVID[:2], COVID[:2]]
    assert {runs[run_id].encoder.source for run_id in first["queued"]} == {"random", "imagenet"}
    second = json.loads(call(workspace, "--task", "covid", "--fill", "--detach", "--json"))
    assert second["queued"] == []
    assert {gap["state"] for each in second["encoders"] for gap in each["gaps"]} == {"queued"}
    assert len(list_runs(workspace)) == 4


def test_dry_run_queues_nothing(workspace):
    text = call(workspace, "--task", "covid", "--fill", "--dry-run")
    assert f"would be queued: eval-random  ({', '.join(COVID[:2])})" in text
    assert len(list_runs(workspace)) == 2


def test_fill_follows_its_runs_and_returns_the_worst_code(workspace, monkeypatch):
    codes = iter((0, 130))
    monkeypatch.setattr("lovt_tui.cli.follow.follow", lambda place, run: next(codes))
    text = call(workspace, "--task", "covid", "--fill", code=130)
    assert text.count("queued: ") == 2


def test_an_encoder_that_is_gone_is_left_out_and_the_others_are_run(workspace):
    add_evaluation(workspace, "gone.safetensors")
    content = json.loads(call(workspace, "--task", "covid", "--fill", "--dry-run", "--json"))
    assert "no file" in content["left_out"]["gone.safetensors"]
    text = call(workspace, "--task", "covid", "--fill", "--detach")
    assert "left out: gone.safetensors" in text
    assert len(list_runs(workspace)) == 3 + 2


def test_no_gaps_and_no_evaluations(workspace, tmp_path):
    assert "No gaps" in call(workspace, "--task", "covid-linear")
    assert "lovt evaluate" in call(find_workspace(tmp_path / "empty"))


@pytest.mark.parametrize("options", [("--detach",), ("--dry-run",), ("--fill", "--json")])
def test_options_that_need_each_other(workspace, options):
    with pytest.raises(InputError, match="--fill"):
        call(workspace, *options)


def test_help_has_an_example():
    text = CliRunner().invoke(app, ["gaps", "--help"]).output
    assert "Example: lovt results gaps" in text
