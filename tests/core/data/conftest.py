"""Prepared tiny data sets."""

import pytest

from tests.core.data.factories import prepare_quietly, write_chestxray, write_rural


@pytest.fixture
def root(tmp_path):
    """Where prepared data goes."""
    return tmp_path / "prepared"


@pytest.fixture
def paired(tmp_path, root):
    """Six pairs of three patients, prepared."""
    return prepare_quietly("covid-chestxray", write_chestxray(tmp_path / "chestxray"), root)


@pytest.fixture
def localized(tmp_path, root):
    """Six images with masks of three patients, prepared."""
    return prepare_quietly("covid-rural", write_rural(tmp_path / "rural"), root)
