"""Fixtures of the tests of image files."""

import pytest


@pytest.fixture
def path(tmp_path):
    """Where a DICOM file goes."""
    return tmp_path / "film.dcm"
