"""Trials as JSON values, CSV, Markdown and LaTeX."""

import csv
import io
import json
import shutil
import subprocess

import pytest

from lovt_core.sweeps.export import LONG_TABLE, to_csv, to_json, to_latex, to_markdown
from tests.core.results.comparison_factories import HOSTILE
from tests.core.sweeps.factories import LEARNING_RATE, make_config, make_pair, make_sweep, make_trial


class TestCsv:
    def test_all_digits_of_all_trials(self):
        config, trials = make_sweep()
        lines = list(csv.DictReader(io.StringIO(to_csv(trials, config))))
        assert [int(line["trial"]) for line in lines] == list(range(30))
        for line, trial in zip(lines, trials, strict=True):
            assert line["state"] == trial.state
            assert float(line[LEARNING_RATE]) == trial.params[LEARNING_RATE]
            assert float(line["weights.global"]) == trial.params["weights.global"]
            assert float(line["method.w_i2"]) == trial.settings["method.w_i2"]
            assert line["val/loss"] == (str(trial.values[0]) if trial.values else "")
            assert line["runs"] == trial.runs[0].id
        assert lines[0]["started"] == "2026-01-01T00:00:00+00:00"
        assert float(lines[0]["seconds"]) == 60
        assert lines[0]["queued_seconds"] == ""
        assert lines[-1]["seconds"] == lines[-1]["ended"] == ""
        assert lines[7]["cause"] == "CUDA out of memory"

    def test_two_objectives_of_one_name_have_two_columns(self):
        objectives = [{"metric": "val/loss"}, {"metric": "val/loss", "direction": "maximize"}]
        config = make_config(objective=objectives, pruner={"name": "none"})
        heading, line = csv.reader(io.StringIO(to_csv([make_trial(0, config, {}, values=(1.0, 2.0))], config)))
        assert heading[3:5] == ["val/loss", "val/loss"]
        assert line[3:5] == ["1.0", "2.0"]


class TestJson:
    def test_is_whole(self):
        config, trials = make_sweep()
        document = json.loads(json.dumps(to_json(trials, config), allow_nan=False))
        assert document["best"] == [4]
        assert document["objectives"] == [{"name": "val/loss", "direction": "minimize"}]
        assert [trial["params"] for trial in document["trials"]] == [dict(trial.params) for trial in trials]
        assert [trial["settings"] for trial in document["trials"]] == [dict(trial.settings) for trial in trials]
        assert document["trials"][3]["state"] == "pruned"
        assert list(document["trials"][3]["intermediate"]) == ["1", "2"]
        assert document["trials"][0]["runs"] == [
            {"id": "20260101-000000-tiny-t0-abcd", "role": "training", "repeat": 0}
        ]

    def test_infinity_is_a_word(self):
        config, trials = make_pair([(float("inf"), 1.0)])
        assert to_json(trials, config)["trials"][0]["values"] == ["inf", 1.0]


class TestMarkdown:
    def test_the_best_is_bold_and_every_row_is_as_wide(self):
        config, trials = make_sweep()
        lines = to_markdown(trials, config).splitlines()
        assert len(lines) == 32
        assert len({line.count("|") for line in lines}) == 1
        assert [number for number, line in enumerate(lines[2:]) if "**" in line] == [4]

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_no_text_breaks_the_table(self, text):
        config = make_config()
        table = to_markdown([make_trial(0, config, {}, state="failed", cause=text)], config)
        assert "<script" not in table
        assert len(table.strip("\n").split("\n")) == 3


class TestLatex:
    def test_short_and_long(self):
        config, trials = make_sweep()
        assert r"\begin{tabular}" in to_latex(trials, config)
        config, trials = make_sweep(LONG_TABLE + 1)
        text = to_latex(trials, config)
        assert r"\begin{longtable}" in text
        assert text.count(r"\textbf{4}") == 1

    @pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
    @pytest.mark.parametrize("num_trials", [3, LONG_TABLE + 20])
    def test_compiles(self, tmp_path, num_trials):
        config, trials = make_sweep(num_trials)
        trials = [*trials, make_trial(num_trials, config, {}, state="failed", cause=" ".join(HOSTILE))]
        packages = r"\usepackage{booktabs,graphicx,longtable}"
        source = rf"\documentclass{{article}}{packages}\begin{{document}}{to_latex(trials, config)}\end{{document}}"
        assert source.isascii()
        (tmp_path / "table.tex").write_text(source)
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
