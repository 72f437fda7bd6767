"""`lovt compare` on a workspace with evaluation runs."""

import csv
import io
import json

import pytest
import typer
from typer.testing import CliRunner

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment
from lovt_core.errors import InputError
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter
from lovt_core.runs.workspace import find_workspace
from lovt_tui.cli.compare import command
from tests.core.results.factories import encoder, stored_cell

app = typer.Typer()
app.command()(command)


@pytest.fixture
def workspace(tmp_path):
    """Two finished evaluations."""
    place = find_workspace(tmp_path / "lovt-workspace")
    for label, mean in (("random", 0.32), ("imagenet", 0.7)):
        experiment = EvaluateExperiment(
            name=f"eval-{label}", encoder=EncoderSource(source=label), tasks=("covid-linear",)
        )
        run = create_run(place, experiment)
        writer = EventWriter(run.events(1))
        writer.write("result", {"data": stored_cell(run.id, encoder=encoder(label), mean=mean).data})
        writer.write_last_word("finished")
        writer.close()
    return place


def compare(workspace, *options):
    result = CliRunner().invoke(app, ["--workspace", str(workspace.path), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def results(workspace):
    """The same, and a third evaluation that waits."""
    experiment = EvaluateExperiment(name="eval-third", encoder=EncoderSource(source="third"), tasks=("siim",))
    create_run(workspace, experiment)
    return workspace


def test_table_names_encoders_scores_and_conditions(workspace):
    text = compare(workspace)
    for expected in ("random", "imagenet", "70.0 ± 2.0", "covid-linear", "published\n"):
        assert expected in text
    assert "LoVT" not in text


def test_published_rows_on_request(workspace):
    assert "LoVT (100 %)" in compare(workspace, "--published")


def test_json(workspace):
    content = json.loads(compare(workspace, "--json"))
    assert {row["label"]: row["scores"][0]["mean"] for row in content["rows"]} == {"random": 0.32, "imagenet": 0.7}


def test_markdown_and_csv(workspace):
    assert compare(workspace, "--format", "md").startswith("| encoder |")
    lines = list(csv.DictReader(io.StringIO(compare(workspace, "--format", "csv"))))
    assert {line["encoder"] for line in lines} == {"random", "imagenet"}


def test_json_and_another_format_exclude_each_other(workspace):
    with pytest.raises(InputError, match="exclude each other"):
        compare(workspace, "--json", "--format", "csv")


def test_nothing_evaluated_says_what_to_run(tmp_path):
    place = find_workspace(tmp_path / "lovt-workspace")
    assert "lovt evaluate" in compare(place)
    content = json.loads(compare(place, "--json"))
    assert (content["columns"], content["rows"], content["unreadable"]) == ([], [], [])


def test_nothing_evaluated_still_shows_the_papers_tables(tmp_path):
    content = json.loads(compare(find_workspace(tmp_path / "lovt-workspace"), "--published", "--json"))
    assert (len(content["columns"]), len(content["rows"])) == (18, 16)
    assert any("best cells stand" in line for line in content["summary"])


def test_tasks_that_wait_are_shown(results):
    content = json.loads(compare(results, "--json"))
    assert [column["task"] for column in content["columns"]][1:] == ["siim-unet-finetuned", "siim-unet-frozen"]
    third = next(row for row in content["rows"] if row["label"] == "third")
    assert [entry["state"] for entry in third["scores"]] == ["not run", "queued", "queued"]
    assert "queued" in compare(results)


def test_task_patterns(results):
    content = json.loads(compare(results, "--task", "siim", "--json"))
    assert {column["data"] for column in content["columns"]} == {"siim"}
    with pytest.raises(InputError, match="unknown task 'sim'"):
        compare(results, "--task", "sim")


def test_pin_interval_and_significance(workspace):
    text = compare(workspace, "--pin", "random", "--significance", "--interval", "published")
    for expected in ("+38.0", "Welch's t", "1.96 standard errors", "difference to random"):
        assert expected in text
    assert "Welch's t" not in compare(workspace, "--pin", "random")
    content = json.loads(compare(workspace, "--pin", "imag", "--interval", "published", "--json"))
    assert (content["pin"], content["interval"]) == ("imagenet", "published")


def test_significance_needs_a_pin_and_a_pin_a_row(workspace):
    with pytest.raises(InputError, match="--pin LABEL"):
        compare(workspace, "--significance")
    with pytest.raises(InputError, match="did you mean 'imagenet'"):
        compare(workspace, "--pin", "imgenet")


def test_fits_80_columns_with_everything_in_it(results, monkeypatch):
    monkeypatch.setattr("lovt_tui.cli.context.PIPE_WIDTH", 80)
    text = compare(results, "--published", "--task", "all", "--pin", "LoVT (100", "--significance")
    assert max(map(len, text.splitlines())) <= 80
    assert len([line for line in text.splitlines() if line.startswith("third")]) > 1
