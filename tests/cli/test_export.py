"""`lovt export` and `lovt export figure`: formats, files, and one sentence for what cannot be done."""

import csv
import io
import json
import math
import sys
import xml.etree.ElementTree as ET

import pytest

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter
from lovt_core.runs.workspace import find_workspace
from tests.core.results.factories import encoder, stored_cell
from tests.core.runs.conftest import selftest

FORMATS = ("csv", "json", "md", "latex", "html")


@pytest.fixture
def evaluated(tmp_path):
    """One finished evaluation in the workspace of the command line."""
    place = find_workspace(tmp_path / "lovt-workspace")
    run = create_run(place, EvaluateExperiment(name="e", encoder=EncoderSource(source="mine"), tasks=("covid-linear",)))
    finish(run, [("result", {"data": stored_cell(run.id, encoder=encoder("<b>mine</b>"), mean=0.7).data})])
    return place


@pytest.fixture
def trained(tmp_path):
    """Two runs of one name with a loss, a NaN in the first."""
    place = find_workspace(tmp_path / "lovt-workspace")
    runs = []
    for offset in (0.0, 1.0):
        run = create_run(place, selftest())
        values = [3.0 + offset, math.nan if not offset else 2.5, 2.0 + offset]
        finish(run, [metrics(step, value) for step, value in enumerate(values, start=1)])
        runs.append(run.id)
    return runs


def metrics(step, value):
    return "metrics", {"step": step, "epoch": step / 10, "values": {"val/loss": "nan" if math.isnan(value) else value}}


def finish(run, events):
    writer = EventWriter(run.events(1))
    for kind, data in events:
        writer.write(kind, data)
    writer.write_last_word("finished")
    writer.close()


class TestTable:
    @pytest.mark.parametrize("text_format", FORMATS)
    def test_every_format_to_stdout_and_to_a_file(self, lovt, evaluated, tmp_path, text_format):
        answer = lovt("export", "--format", text_format)
        assert (answer.code, answer.err) == (0, "")
        assert "70.0" in answer.out or "0.7" in answer.out
        assert "mine" in answer.out
        written = lovt("export", "--format", text_format, "--out", "out.x")
        assert (written.code, written.out, written.err) == (0, "", "")
        assert (tmp_path / "out.x").read_text(encoding="utf-8") == answer.out

    @pytest.mark.parametrize(
        ("name", "start"), [("a.csv", "encoder,"), ("a.json", "{"), ("a.md", "|"), ("a.tex", "%"), ("a.HTML", "<!DOC")]
    )
    def test_suffix_tells_the_format(self, lovt, evaluated, tmp_path, name, start):
        assert lovt("export", "--out", name).code == 0
        assert (tmp_path / name).read_text().startswith(start)

    def test_json_is_that_of_compare(self, lovt, evaluated):
        assert json.loads(lovt("export", "-f", "json").out) == json.loads(lovt("compare", "--json").out)

    def test_options_of_the_table(self, lovt, evaluated):
        options = ("--published", "--task", "covid", "--pin", "imagenet", "--significance", "--interval", "student")
        lines = list(csv.DictReader(io.StringIO(lovt("export", "-f", "csv", *options).out)))
        assert {line["task"] for line in lines} == {"covid-linear", "covid-unet-frozen", "covid-unet-finetuned"}
        assert any(line["p_value"] for line in lines)
        assert "Welch" in lovt("export", "-f", "html", *options).out

    def test_the_papers_tables_come_out_as_printed(self, lovt):
        text = lovt("export", "--published", "--format", "latex").out
        assert r"\underline{21.3$\pm$0.3}" in text
        assert r"\textbf{10.7$\pm$1.1}" in text
        student = lovt("export", "--published", "--format", "latex", "--interval", "student").out
        assert r"\textbf{10.7$\pm$1.5}" in student
        assert "Student's t" in lovt("export", "--published", "--format", "html").out.replace("&#39;", "'")

    def test_standalone_is_a_document(self, lovt, evaluated):
        assert lovt("export", "-f", "latex", "--standalone").out.startswith(r"\documentclass")
        assert r"\documentclass" not in lovt("export", "-f", "latex").out

    def test_replaces_nothing_unasked(self, lovt, evaluated, tmp_path):
        (tmp_path / "a.csv").write_text("mine")
        answer = lovt("export", "--out", "a.csv")
        assert (answer.code, answer.err) == (2, "error: a.csv exists: give --force to replace it, or another name\n")
        assert (tmp_path / "a.csv").read_text() == "mine"
        assert lovt("export", "--out", "a.csv", "--force").code == 0
        assert (tmp_path / "a.csv").read_text().startswith("encoder,")
        assert sorted(path.suffix for path in tmp_path.glob(".a.csv*")) == []

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                "export",
                "no format is given: give --format with one of csv, json, md, latex, html, sqlite, or --out with",
            ),
            ("export --out a.xlsx", "'a.xlsx' does not tell the format: give --format"),
            ("export --format csv --out nowhere/a.csv", "there is no folder nowhere for --out nowhere/a.csv"),
            ("export --format csv --out .", "--out . is a folder: name a file"),
            ("export --format csv --standalone", "--standalone makes a LaTeX document"),
            ("export --format csv --significance", "--significance tests against one row"),
            ("export --format csv --task nothing", "unknown task 'nothing'"),
            ("export --format csv", "nothing is evaluated yet: run lovt evaluate, or add"),
            ("export --published figure last --metric val/loss", "options before 'figure' belong to the table"),
        ],
    )
    def test_bad_input_is_one_sentence(self, lovt, arguments, message):
        answer = lovt(*arguments.split())
        assert (answer.code, answer.out) == (2, "")
        assert message in answer.err
        assert answer.err.count("\n") == 1


class TestFigure:
    def test_pgfplots_with_a_gap_and_a_label_for_each_run(self, lovt, trained):
        answer = lovt("export", "figure", *trained, "--metric", "val/loss", "--format", "pgfplots")
        assert (answer.code, answer.err) == (0, "")
        assert "(1,3) (2,nan) (3,2)" in answer.out
        assert "(1,4) (2,2.5) (3,3)" in answer.out
        assert answer.out.count(r"\addlegendentry{2") == 2

    def test_one_run_has_its_name(self, lovt, trained):
        text = lovt("export", "figure", trained[0], trained[0], "-m", "val/loss", "-f", "pgfplots", "--x", "epoch").out
        assert text.count(r"\addlegendentry{selftest}") == 1
        assert "(0.1,3)" in text

    def test_smoothed_and_logarithmic(self, lovt, trained):
        text = lovt("export", "figure", trained[1], "-m", "val/loss", "-f", "pgfplots", "--smooth", "3", "--log").out
        assert "(2,3.166667)" in text
        assert "ymode=log" in text

    def test_svg_and_pdf_files(self, lovt, trained, tmp_path):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra report)")
        answer = lovt("export", "figure", trained[0], "--metric", "val/loss", "--out", "loss.svg", "--json")
        assert answer.code == 0
        assert json.loads(answer.out) == {
            "file": "loss.svg",
            "format": "svg",
            "metric": "val/loss",
            "curves": [{"run": "selftest", "points": 3}],
        }
        assert ET.parse(tmp_path / "loss.svg").getroot().tag.endswith("svg")
        assert lovt("export", "figure", trained[0], "--metric", "val/loss", "--out", "loss.pdf").code == 0
        assert (tmp_path / "loss.pdf").read_bytes().startswith(b"%PDF")

    def test_without_matplotlib(self, lovt, trained, monkeypatch, tmp_path):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        answer = lovt("export", "figure", trained[0], "--metric", "val/loss", "--out", "loss.svg")
        assert answer.code == 2
        assert "pip install 'lovt-tui[report]'" in answer.err
        assert answer.err.count("\n") == 1
        assert not (tmp_path / "loss.svg").exists()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("--metric val/los -f svg", "has no metric 'val/los'; known metrics: val/loss"),
            ("--metric val/loss", "no format is given: give --format with one of svg, pdf, pgfplots"),
            ("--metric val/loss -f pdf", "a PDF and --json need a file for the figure: give --out FILE"),
            ("nothing --metric val/loss -f svg", "no run 'nothing'"),
        ],
    )
    def test_bad_input_is_one_sentence(self, lovt, trained, arguments, message):
        answer = lovt("export", "figure", trained[0], *arguments.split())
        assert (answer.code, answer.out) == (2, "")
        assert message in answer.err
        assert answer.err.count("\n") == 1
