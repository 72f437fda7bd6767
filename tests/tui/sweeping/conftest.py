"""A laboratory with sweeps in several states."""

import pytest

from tests.tui.sweeping.sweep_factories import filled_lab, make_lab_index


@pytest.fixture
def lab(tmp_path):
    """Sweeps in several states."""
    with filled_lab(tmp_path):
        yield tmp_path


@pytest.fixture
def index():
    """The run of the trial at work."""
    return make_lab_index()
