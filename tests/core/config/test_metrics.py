"""Which values of a metric are better, and what chooses a method's checkpoint."""

import pytest

from lovt_core.config.methods import METHODS
from lovt_core.config.metrics import CHOICES, find_choice, find_direction

LESS = (
    "val/loss", "train/epoch_loss", "val/global/image_to_report", "val/global/report_to_image",
    "val/regions/local_to_attended", "val/sentences/attended_to_local", "train/epoch_regions/attended_to_local",
    "val/cells", "val/instances", "val/dice_loss", "val/MSE",
)  # fmt: skip
MORE = (
    "val/accuracy/top1_image_to_report", "val/auroc", "val/auroc/pleural_effusion", "val/dice", "val/mAP50", "val/froc",
    "val/retrieval/top1_image_to_report", "val/retrieval/top5_sentence_to_attended", "val/probe/auroc_image", "val/f1",
    "val/probe/auroc_report_in_training",
)  # fmt: skip
NEITHER = (
    "val/image/std", "val/report/covariance", "val/image/uniformity", "val/alignment/pairs", "val/alignment/regions",
    "val/regions/std", "val/regions/std_within_image", "val/sentences/std_within_report", "val/features/smoothness",
    "val/share/global", "val/share/regions", "val/share/cells", "val/cells/overlapping", "val/cells/positive_pairs",
    "val/deviation", "train/learning_rate", "train/gradient_norm", "time/step_seconds", "time/samples_per_second",
    "time/data_share", "system/memory_gb", "system/cpu_percent", "val/anything",
)  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "direction"),
    [*((name, "min") for name in LESS), *((name, "max") for name in MORE), *((name, None) for name in NEITHER)],
)
def test_losses_are_minimised_scores_maximised_and_all_else_has_no_best(metric, direction):
    assert find_direction(metric) == direction


def test_each_method_is_judged_by_a_metric_with_a_direction():
    assert tuple(CHOICES) == METHODS
    assert all(find_direction(choice.metric) is not None for choice in CHOICES.values())
    assert [name for name, choice in CHOICES.items() if choice.uses_last] == ["simclr", "byol", "pixelpro"]
    assert find_choice({"method": {"name": "supervised"}}).metric == "val/auroc"
    assert find_choice({"kind": "selftest"}).metric == find_choice({"method": {"name": "lovt"}}).metric == "val/loss"
