import math

import pytest
import torch

from lovt_core.objectives.byol import ByolLoss, compute_squared_distance
from tests.core.objectives.baseline_vectors import cases_with, cosine


def random_views(num_images=5, size=6, dtype=torch.float64):
    return tuple(torch.randn(num_images, size, dtype=dtype, requires_grad=True) for _ in range(2))


def naive_loss(predictions, targets):
    """Equation 2 of the paper, as the squared distance of normalised vectors, and its mirror image."""

    def distance(a, b):
        a, b = ([x / math.hypot(*row) for x in row] for row in (a, b))
        return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))

    images = range(len(predictions[0]))
    rows = [[view.tolist() for view in pair] for pair in (predictions, targets)]
    losses = [distance(rows[0][0][i], rows[1][1][i]) + distance(rows[0][1][i], rows[1][0][i]) for i in images]
    return sum(losses) / len(losses)


@pytest.mark.vectors
@pytest.mark.parametrize("case", cases_with("pred_one"))
def test_reference(case):
    predictions = case.input("pred_one"), case.input("pred_two")
    loss = ByolLoss()(predictions, (case.tensor("target_one"), case.tensor("target_two")))
    loss.backward()
    case.check("loss", loss)
    case.check("grad_pred_one", predictions[0].grad)
    case.check("grad_pred_two", predictions[1].grad)


@pytest.mark.parametrize("num_images", [1, 2, 7])
def test_paper_equation(num_images):
    predictions, targets = random_views(num_images), random_views(num_images)
    assert ByolLoss()(predictions, targets).item() == pytest.approx(naive_loss(predictions, targets), rel=1e-12)


def test_gradient_to_the_predictions_only():
    predictions, targets = random_views(), random_views()
    fixed = tuple(target.detach() for target in targets)
    assert torch.autograd.gradcheck(lambda a, b: ByolLoss()((a, b), fixed), predictions)
    ByolLoss()(predictions, targets).backward()
    assert all(target.grad is None for target in targets)
    assert all(prediction.grad.abs().sum() > 0 for prediction in predictions)


def test_exchanging_the_views_changes_nothing():
    predictions, targets = random_views(), random_views()
    torch.testing.assert_close(ByolLoss()(predictions, targets), ByolLoss()(predictions[::-1], targets[::-1]))


def test_views_are_crossed():
    first, second = random_views()
    assert ByolLoss()((first, second), (second, first)).item() == pytest.approx(0, abs=1e-12)
    assert ByolLoss()((first, second), (-second, -first)).item() == pytest.approx(8)


def test_length_of_vectors_does_not_matter():
    predictions, targets = random_views(), random_views()
    scaled = tuple(7 * prediction for prediction in predictions), tuple(target / 3 for target in targets)
    torch.testing.assert_close(ByolLoss()(*scaled), ByolLoss()(predictions, targets))


def test_distance_of_rows():
    first, second = random_views()
    expected = [2 - 2 * cosine(a, b) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    assert compute_squared_distance(first, second).tolist() == pytest.approx(expected, rel=1e-12)


def test_float32_under_autocast():
    predictions, targets = random_views(dtype=torch.float32), random_views(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = ByolLoss()(predictions, targets)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, ByolLoss()(predictions, targets))


def test_bfloat16_vectors_give_a_finite_float32_loss_and_gradient():
    predictions, targets = random_views(dtype=torch.bfloat16), random_views(dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = ByolLoss()(predictions, targets)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    assert all(prediction.grad.isfinite().all() for prediction in predictions)
