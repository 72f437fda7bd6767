"""Pictures of every screen at three sizes, on a laboratory at work (renew: pytest --snapshot-update)."""

from functools import partial

import pytest
from textual.app import App

from tests.tui.lab import NUM_RUNS, SCREENS, make_lab, make_lab_index, open_screen

SIZES = ((80, 24), (120, 40), (200, 60))


@pytest.fixture(autouse=True)
def lab_surroundings(monkeypatch, tmp_path):
    """People stand in a folder of their own, and paths in it do not depend on the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOVT_PREPARED", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("lovt_tui.datasets.describing.format_space", lambda num_bytes: "12 kB")


def test_the_laboratory_is_full():
    rows = make_lab_index().rows
    assert len(rows) == NUM_RUNS
    assert len({row.id for row in rows}) == NUM_RUNS
    assert len({row.state for row in rows}) >= 9


@pytest.mark.timeout(120)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", SCREENS)
def test_screen(snap_compare, tmp_path, name, size):
    app: App[None] = make_lab(tmp_path / "lovt-workspace")
    assert snap_compare(app, terminal_size=size, run_before=partial(open_screen, name=name))
