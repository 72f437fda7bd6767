"""Every metric that the methods, the monitors and the sampler name has a sentence."""

import re
from pathlib import Path

import pytest

from lovt_core.runs.metric_meanings import MEANINGS, find_meaning

DOCS = Path(__file__).parents[3] / "docs" / "monitoring.md"


@pytest.mark.parametrize(
    ("metric", "part"),
    [
        ("val/loss", "validation: the loss that is minimised"),
        ("train/loss", "this step: the loss"),
        ("train/epoch_global/image_to_report", "mean of the epoch: loss of finding each image's report"),
        ("train/accuracy/top5_report_to_image", "share of reports whose image"),
        ("val/retrieval/top1_region_to_attended", "share of regions"),
        ("val/retrieval/top5_view_to_view", "share of samples"),
        ("val/regions/std_within_image", "within each sample"),
        ("val/regions/std", "near 0 a collapse"),
        ("val/probe/auroc_image_in_training", "recent training samples"),
        ("val/auroc/pleural_effusion", "of this label"),
        ("val/cells", "cells"),
        ("time/data_share", "share of the step without data at hand"),
    ],
)
def test_a_metric_and_its_phase_are_explained(metric, part):
    assert part in find_meaning(metric)


def test_a_name_of_ones_own_is_not_explained():
    assert find_meaning("val/my/own") == find_meaning("") == ""


def test_all_names_of_the_manual_are_known():
    names = re.findall(r"`((?:train|val|time|system)/[a-z0-9_/]+)`", DOCS.read_text())
    assert len(names) > 20
    assert [name for name in names if not find_meaning(name)] == []


def test_sentences_fit_two_lines_of_a_narrow_box():
    assert max(len(meaning) for _, meaning in MEANINGS) + len("mean of the epoch: ") <= 120
