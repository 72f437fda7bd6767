"""Workspaces of the data screens: empty, with one prepared set, with sets in every state."""

import os

import pytest

from lovt_core.runs.locks import take_lock
from lovt_tui.datasets.preparing import preparation_files
from tests.core.data.factories import prepare_quietly, write_rural
from tests.tui.datasets.data_workspace import fill, make_workspace


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Prepared data lies in it, whatever the environment says."""
    return make_workspace(tmp_path, monkeypatch)


@pytest.fixture
def filled(workspace, tmp_path, monkeypatch):
    """Sets in every state; one is being prepared, by this process."""
    fill(workspace, tmp_path, monkeypatch)
    lock = take_lock(preparation_files(workspace, "rsna").lock)
    yield workspace
    os.close(lock)


@pytest.fixture
def rural(workspace, tmp_path):
    """A version of COVID Rural's layout, at 32 pixels."""
    return prepare_quietly("covid-rural", write_rural(tmp_path / "rural"), workspace.prepared_root)
