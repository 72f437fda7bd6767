import pytest

from tests.core.evaluation.factories import make_place, prepare_tiny, write_covid_rural


@pytest.fixture(scope="session")
def covid_rural_source(tmp_path_factory):
    """Folder of a tiny download in the layout of COVID Rural."""
    return write_covid_rural(tmp_path_factory.mktemp("rural") / "download")


@pytest.fixture(scope="session")
def prepared_root(tmp_path_factory, covid_rural_source):
    """Folder in which it is prepared."""
    root = tmp_path_factory.mktemp("prepared")
    prepare_tiny("covid-rural", covid_rural_source, root)
    return root


@pytest.fixture
def place(prepared_root, tmp_path):
    """A workplace on the tiny data."""
    return make_place(prepared_root, tmp_path)
