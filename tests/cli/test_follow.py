"""What is said of a run that is followed: when it is asked to stop, and at its end."""

from dataclasses import replace
from pathlib import Path

import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.runs.directory import create_run
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.workspace import find_workspace
from lovt_tui.cli import follow
from tests.core.runs.rows import make_row


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        ("killed", "go on with: lovt resume RUN\n"),
        ("checkpoints", "start anew with: lovt pretrain /runs/a/experiment.yaml\n"),
        (
            "diverged",
            "resuming would diverge again; start anew with: lovt pretrain /runs/a/experiment.yaml "
            "--set training.optimiser.learning_rate=...\n",
        ),
    ],
)
def test_the_advice_fits_how_a_run_ended(capsys, cause, advice):
    row = replace(make_row(state="failed", cause=cause), id="RUN")
    follow._print_end(row, Path("/runs/a"), is_users=False)
    said = capsys.readouterr()
    assert said.out == "RUN failed  best val/loss 3\n"
    assert said.err.endswith(advice)
    assert said.err.count("lovt ") == 1


def test_a_queued_run_that_is_interrupted_is_cancelled_and_nothing_else(tmp_path, monkeypatch, capsys):
    place = find_workspace(tmp_path / "workspace")
    run = create_run(place, SelftestExperiment())

    def interrupt(seconds):
        raise KeyboardInterrupt  # as ctrl-c does; a test's own process may have been told to ignore the signal

    monkeypatch.setattr(follow.time, "sleep", interrupt)
    assert follow.follow(place, run) == 130
    said = capsys.readouterr()
    assert said.out == f"{run.id} cancelled\n"
    assert "asked to stop" not in said.err
    index = Index(place)
    index.sync()
    assert index.run(run.id).state == "cancelled"
    index.close()
