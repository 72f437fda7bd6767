"""`lovt compare` on a workspace with evaluation runs."""

import csv
import io
import json

import pytest
import typer
from typer.testing import CliRunner

from lovt_core.config.experiment import EncoderSource, EvaluateExperiment
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


def test_table_names_encoders_scores_and_conditions(workspace):
    text = compare(workspace)
    for expected in ("random", "imagenet", "70.0 ± 2.0", "covid-linear", "published split"):
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
    assert json.loads(compare(place, "--json")) == {"columns": [], "rows": [], "unreadable": []}
