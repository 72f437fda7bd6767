from pathlib import Path

import pytest

from lovt_tui.cli.evaluate import _name


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("imagenet", "eval-imagenet"),
        ("20261125-191515-covid-chestxray-85d6", "eval-covid-chestxray"),
        (str(Path("weights") / "My Encoder (v2).safetensors"), "eval-my-encoder--v2"),
        ("x" * 90 + ".safetensors", "eval-" + "x" * 59),
    ],
)
def test_an_evaluation_is_named_after_what_it_judges(source, name):
    assert _name(source) == name
