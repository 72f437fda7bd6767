"""A tiny paired data set for all tests of this folder."""

import pytest

from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize

SIZE = 64


@pytest.fixture(scope="package")
def synthetic(tmp_path_factory):
    """Folder in which `prepared` lies."""
    folder = tmp_path_factory.mktemp("synthetic")
    synthesize(folder / "download", Synthesis("covid-chestxray", 64, SIZE, workers=1), lambda progress: None)
    options = PrepareOptions(size=SIZE, workers=1)
    prepare("covid-chestxray", folder / "download", folder / "prepared", options, lambda progress: None)
    return folder
