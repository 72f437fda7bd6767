"""Runs that differ by their seed alone."""

import pytest
from scipy.stats import t as student_t

from lovt_core.results.seed_groups import group_by_seed, sort_groups
from lovt_core.runs.indexing.columns import find_column
from tests.core.runs.rows import make_row


def seeded(seed, loss, state="finished", size=8):
    """A run of one of two experiments."""
    experiment = {"kind": "pretrain", "name": "a", "seed": seed, "training": {"batch_size": size}}
    return make_row(f"{size}-{seed}", experiment=experiment, best={"val/loss": loss}, state=state)


ROWS = (seeded(3, 3.0), seeded(1, 9.0, size=64), seeded(1, 1.0), seeded(2, 2.0), seeded(4, 99.0, "running"))


def test_groups_states_and_means():
    small, large = group_by_seed(ROWS)
    assert [row.seed for row in small.runs] == [3, 1, 2, 4]
    assert (small.seeds, small.states) == ([1, 2, 3, 4], {"finished": 3, "running": 1})
    mean = small.best["val/loss"]
    assert (mean.mean, mean.count) == (2.0, 3)
    assert mean.half_width == pytest.approx(student_t.ppf(0.975, 2) * 1.0 / 3**0.5)
    assert (large.best["val/loss"].half_width, large.seeds) == (None, [1])


def test_what_a_group_has_in_common():
    small = group_by_seed(ROWS)[0]
    assert small.common(find_column("cfg.training.batch_size", ROWS)) == 8
    assert small.common(find_column("state", ROWS)) is None


def test_groups_sorted_by_their_means():
    groups = group_by_seed((*ROWS, seeded(1, 5.0, "failed", size=16)))
    sizes = find_column("cfg.training.batch_size", ROWS)
    for text, wanted in (("best.val/loss", [8, 64, 16]), ("-best.val/loss", [64, 8, 16]), ("name", [8, 64, 16])):
        assert [group.common(sizes) for group in sort_groups(groups, text)] == wanted
