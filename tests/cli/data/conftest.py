"""Where the commands of `lovt data` work in these tests."""

import pytest


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """Folder of prepared data, of this test alone."""
    monkeypatch.setenv("LOVT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOVT_PREPARED", str(tmp_path / "prepared"))
    return tmp_path / "prepared"
