import os

import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.errors import InputError
from lovt_core.runs import workspace as module
from lovt_core.runs.directory import create_run
from lovt_core.runs.indexing.index import reading
from lovt_core.runs.workspace import Workspace, find_workspace


def test_a_workspace_is_found_upwards(tmp_path, monkeypatch):
    monkeypatch.delenv("LOVT_HOME", raising=False)
    (tmp_path / "lovt-workspace").mkdir()
    deeper = tmp_path / "one" / "two"
    deeper.mkdir(parents=True)
    monkeypatch.chdir(deeper)
    assert find_workspace().path == tmp_path / "lovt-workspace"
    monkeypatch.setenv("LOVT_HOME", str(tmp_path / "home"))
    assert find_workspace().path == tmp_path / "home"
    assert find_workspace(tmp_path / "explicit").path == tmp_path / "explicit"


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file: name a folder"):
        find_workspace(tmp_path / "file")


def test_a_workspace_that_cannot_be_written_is_indexed_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = find_workspace(tmp_path / "lovt-workspace")
    run = create_run(place, SelftestExperiment())
    writable = os.access
    monkeypatch.setattr(module.os, "access", lambda path, mode: path != place.path and writable(path, mode))
    assert Workspace(place.path).index.is_relative_to(tmp_path / "cache")
    assert [row.id for row in reading(place, lambda index: index.runs())] == [run.id]
    assert not list(place.path.glob("index.db*"))
