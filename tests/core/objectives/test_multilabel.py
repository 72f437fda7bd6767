import math

import pytest
import torch
from sklearn.metrics import roc_auc_score

from lovt_core.config.methods import CHEXPERT_FIVE, CHEXPERT_LABELS
from lovt_core.objectives.multilabel import (
    ABSENT,
    BLANK,
    PRESENT,
    UNCERTAIN,
    LabelReading,
    MultilabelLoss,
    Targets,
    compute_auroc,
    compute_macro_auroc,
)
from tests.core.conftest import read_settings
from tests.core.objectives.baseline_vectors import FILE, cases_with

CODES = torch.tensor([[PRESENT, ABSENT, UNCERTAIN, BLANK]])


def random_labels(num_images=9, num_labels=5):
    return torch.randint(BLANK, PRESENT + 1, (num_images, num_labels))


def targets_of(present, known=None):
    return Targets(present, torch.ones_like(present) if known is None else known)


def naive_loss(logits, labels, meanings):
    losses = []
    for row, codes in zip(logits.tolist(), labels.tolist(), strict=True):
        for logit, code in zip(row, codes, strict=True):
            if meanings[code] is not None:
                probability = 1 / (1 + math.exp(-logit))
                losses.append(-math.log(probability if meanings[code] else 1 - probability))
    return sum(losses) / len(losses)


@pytest.mark.vectors
@pytest.mark.parametrize("case", cases_with("logits"))
def test_reference(case):
    logits = case.input("logits")
    loss = MultilabelLoss()(logits, LabelReading().read(case.tensor("labels")))
    loss.backward()
    case.check("loss", loss)
    case.check("grad_logits", logits.grad)


@pytest.mark.vectors
@pytest.mark.parametrize("case", cases_with("logits"))
def test_order_of_labels(case):
    assert read_settings(FILE)[case.name]["class_order"] == list(CHEXPERT_FIVE)


def test_labels_are_columns_of_the_mimic_table():
    assert set(CHEXPERT_FIVE) < set(CHEXPERT_LABELS)


@pytest.mark.parametrize(
    ("uncertain", "blank", "present", "known"),
    [
        ("present", "absent", [1, 0, 1, 0], [1, 1, 1, 1]),
        ("absent", "present", [1, 0, 0, 1], [1, 1, 1, 1]),
        ("unknown", "absent", [1, 0, 0, 0], [1, 1, 0, 1]),
        ("unknown", "unknown", [1, 0, 0, 0], [1, 1, 0, 0]),
    ],
)
def test_reading_of_each_code(uncertain, blank, present, known):
    targets = LabelReading(uncertain, blank).read(CODES)
    assert targets.present.int().tolist() == [present]
    assert targets.known.int().tolist() == [known]


def test_the_protocol_reads_uncertain_as_present_and_blank_as_absent():
    assert LabelReading() == LabelReading(uncertain="present", blank="absent")


@pytest.mark.parametrize(
    ("reading", "meanings"),
    [
        (LabelReading(), {PRESENT: True, ABSENT: False, UNCERTAIN: True, BLANK: False}),
        (LabelReading("unknown", "unknown"), {PRESENT: True, ABSENT: False, UNCERTAIN: None, BLANK: None}),
        (LabelReading("absent", "unknown"), {PRESENT: True, ABSENT: False, UNCERTAIN: False, BLANK: None}),
    ],
)
def test_loss_label_by_label(reading, meanings):
    logits, labels = torch.randn(9, 5, dtype=torch.float64), random_labels()
    loss = MultilabelLoss()(logits, reading.read(labels))
    assert loss.item() == pytest.approx(naive_loss(logits, labels, meanings), rel=1e-12)


def test_gradient():
    logits = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    targets = LabelReading("unknown", "unknown").read(random_labels(4))
    assert torch.autograd.gradcheck(lambda x: MultilabelLoss()(x, targets), logits)
    MultilabelLoss()(logits, targets).backward()
    assert (logits.grad[~targets.known] == 0).all()


def test_without_any_known_label_loss_and_gradient_are_zero():
    logits = torch.randn(1, 4, requires_grad=True)
    loss = MultilabelLoss()(logits, LabelReading("unknown", "unknown").read(torch.full((1, 4), BLANK)))
    loss.backward()
    assert loss == 0
    assert (logits.grad == 0).all()


def test_order_of_images_and_labels_does_not_matter():
    logits, labels = torch.randn(9, 5), random_labels()
    rows, columns = torch.randperm(9), torch.randperm(5)
    shuffled = MultilabelLoss()(logits[rows][:, columns], LabelReading().read(labels[rows][:, columns]))
    torch.testing.assert_close(shuffled, MultilabelLoss()(logits, LabelReading().read(labels)))


def test_float32_under_autocast():
    logits, targets = torch.randn(9, 5), LabelReading().read(random_labels())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed, narrow = MultilabelLoss()(logits, targets), MultilabelLoss()(100 * logits.bfloat16(), targets)
    assert mixed.dtype == narrow.dtype == torch.float32
    assert narrow.isfinite()
    torch.testing.assert_close(mixed, MultilabelLoss()(logits, targets))


@pytest.mark.parametrize("levels", [3, 20, 10**6])
def test_auroc_with_ties_as_in_scikit_learn(levels):
    scores = torch.randint(levels, (200, 4)) / levels
    present = torch.rand(200, 4) < torch.tensor([0.05, 0.3, 0.5, 0.9])
    present[0], present[1] = True, False
    known = torch.rand(200, 4) < 0.8
    known[:2] = True
    areas = compute_auroc(scores, targets_of(present, known))
    expected = [roc_auc_score(present[k, i], scores[k, i]) for i, k in enumerate(known.T)]
    assert areas.tolist() == pytest.approx(expected, abs=1e-12)
    assert compute_macro_auroc(areas) == pytest.approx(sum(expected) / 4)


def test_auroc_by_hand():
    present = torch.tensor([[1, 1], [0, 0], [1, 1], [0, 0]]).bool()
    scores = torch.tensor([[0.9, 0.5], [0.1, 0.5], [0.4, 0.5], [0.6, 0.5]])
    assert compute_auroc(scores, targets_of(present)).tolist() == [0.75, 0.5]


def test_auroc_of_reversed_scores_is_the_complement():
    scores, present = torch.randn(50, 3, dtype=torch.bfloat16), torch.rand(50, 3) < 0.4
    there, back = (compute_auroc(sign * scores, targets_of(present)) for sign in (1, -1))
    torch.testing.assert_close(there, 1 - back)


def test_auroc_without_pairs_is_undefined_and_left_out_of_the_mean():
    present = torch.tensor([[True, True, True, True], [False, True, False, False], [False, True, True, False]])
    known = torch.tensor([[True, True, False, True], [True, True, False, True], [True, True, False, True]])
    scores = torch.tensor([[2.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, math.nan], [0.0, 2.0, 2.0, 0.0]])
    areas = compute_auroc(scores, targets_of(present, known))
    assert areas[0] == 1
    assert areas[1:].isnan().all()
    assert compute_macro_auroc(areas) == 1
    assert math.isnan(compute_macro_auroc(areas[1:]))
    assert compute_auroc(scores[:0], targets_of(present[:0])).isnan().all()
