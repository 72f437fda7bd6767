"""A workspace, and a current folder with files to start from."""

import pytest

from lovt_core.runs.workspace import find_workspace
from tests.tui.forms.new_screen import SWEEP


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty one, with experiment files in the current folder; no scheduler is started."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "mine.yaml").write_text("kind: selftest\nname: mine\nselftest: {seconds_per_step: 0.1}\n")
    (folder / "wrong.yaml").write_text("kind: selftest\nname: wrong\ntraining: {batch_sise: 3, max_epochs: 0}\n")
    (folder / "broken.yaml").write_text("kind: selftest\nname: [broken\n")
    (folder / "small.yaml").write_text(SWEEP)
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "base.yaml").write_text("kind: selftest\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LOVT_PREPARED", str(tmp_path / "prepared"))
    monkeypatch.setattr("lovt_core.runs.queueing.requests.ensure_scheduler", lambda workspace: None)
    monkeypatch.setattr("lovt_core.sweeps.requests.ensure_coordinator", lambda folder: None)
    return find_workspace(tmp_path / "lovt-workspace")
