"""What stands for a run in lists."""

import pytest

from lovt_core.runs.records import Headline
from tests.core.runs.rows import make_row

BEST = {"val/loss": 0.4472, "val/auroc": 0.75}
LATEST = {"val/loss": 0.5, "val/auroc": 0.6, "train/loss": 0.1}


@pytest.mark.parametrize(
    ("method", "headline"),
    [
        ("lovt", Headline("val/loss", 0.4472)),
        ("supervised", Headline("val/auroc", 0.75)),
        ("simclr", Headline("val/loss", 0.5, is_last=True)),
    ],
)
def test_the_headline_is_what_chose_the_checkpoint(method, headline):
    row = make_row(best=BEST, latest=LATEST, experiment={"kind": "pretrain", "method": {"name": method}})
    assert row.headline == headline
    assert make_row(best={}, latest={}, experiment=row.experiment).headline is None


def test_imported_runs_have_whatever_they_bring():
    row = make_row(best={"val/dice": 0.5, "val/accuracy": 0.75}, experiment={"kind": "imported"})
    assert row.headline == Headline("val/accuracy", 0.75)
    assert row.headline.label == "best val/accuracy"
