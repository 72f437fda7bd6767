"""One tiny training for all tests of what was learnt."""

import pytest

from tests.core.inspection.trained import prepare_synthetic, train


@pytest.fixture(scope="session")
def prepared_root(tmp_path_factory):
    """Pairs, and marked images of two data sets."""
    scratch = tmp_path_factory.mktemp("looking")
    for name, count in (("covid-chestxray", 40), ("covid-rural", 12), ("nih-cxr", 30)):
        prepare_synthetic(scratch / "prepared", scratch, name, count)
    return scratch / "prepared"


@pytest.fixture(scope="session")
def place(prepared_root, tmp_path_factory):
    """Where the run of two steps is found."""
    return train(prepared_root, tmp_path_factory.mktemp("trained"))
