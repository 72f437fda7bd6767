import math

import pytest
import torch

from lovt_core.errors import InputError
from lovt_core.objectives.nt_xent import BatchOfOneError, NtXentLoss
from tests.core.objectives.baseline_vectors import cases_with, cosine


def naive_loss(first, second, temperature):
    """Equation 1 of the paper, anchor by anchor."""
    z = [row for pair in zip(first.tolist(), second.tolist(), strict=True) for row in pair]  # partners side by side
    losses, ranks = [], []
    for i, anchor in enumerate(z):
        partner = i + 1 if i % 2 == 0 else i - 1
        exponentials = {k: math.exp(cosine(anchor, other) / temperature) for k, other in enumerate(z) if k != i}
        losses.append(-math.log(exponentials[partner] / sum(exponentials.values())))
        ranks.append(sum(value > exponentials[partner] for value in exponentials.values()))
    return sum(losses) / len(losses), ranks


@pytest.mark.vectors
@pytest.mark.parametrize("case", cases_with("z_i"))
def test_reference(case):
    first, second = case.input("z_i"), case.input("z_j")
    losses = NtXentLoss(case.settings["temperature"])(first, second)
    losses.loss.backward()
    case.check("loss", losses.loss)
    case.check("grad_z_i", first.grad)
    case.check("grad_z_j", second.grad)


@pytest.mark.parametrize(("num_images", "temperature"), [(2, 0.1), (7, 0.1), (7, 0.5), (12, 2.0)])
def test_paper_equation(num_images, temperature):
    first, second = torch.randn(2, num_images, 6, dtype=torch.float64)
    second = first + second
    losses = NtXentLoss(temperature)(first, second)
    expected, ranks = naive_loss(first, second, temperature)
    assert losses.loss.item() == pytest.approx(expected, rel=1e-12)
    for k, share in ((1, losses.top1), (5, losses.top5)):
        assert share.item() == pytest.approx(sum(rank < k for rank in ranks) / len(ranks))


def test_gradient():
    first, second = (torch.randn(4, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda a, b: NtXentLoss(0.5)(a, b).loss, (first, second))


def test_exchanging_the_views_changes_nothing():
    first, second = torch.randn(2, 6, 8)
    there, back = NtXentLoss()(first, second), NtXentLoss()(second, first)
    torch.testing.assert_close((there.loss, there.top1, there.top5), (back.loss, back.top1, back.top5))


def test_neither_order_of_images_nor_length_of_vectors_matters():
    first, second = torch.randn(2, 6, 8)
    order, loss = torch.randperm(6), NtXentLoss()
    changed = loss(first[order] * 7, second[order] * torch.rand(6, 1).add(0.1))
    torch.testing.assert_close(changed.loss, loss(first, second).loss)


def test_equal_vectors_everywhere_give_the_loss_of_guessing():
    same = torch.ones(4, 8)
    assert NtXentLoss(0.1)(same, same).loss.item() == pytest.approx(math.log(7), rel=1e-5)


def test_orthogonal_images_whose_views_are_equal_are_all_found():
    views = torch.eye(4)
    losses = NtXentLoss(0.01)(views, views)
    assert losses.loss.item() == pytest.approx(0, abs=1e-6)
    assert losses.top1 == losses.top5 == 1


def test_accuracies_carry_no_gradient():
    losses = NtXentLoss()(torch.randn(3, 4, requires_grad=True), torch.randn(3, 4))
    assert losses.loss.requires_grad
    assert not losses.top1.requires_grad


def test_float32_under_autocast():
    first, second = torch.randn(2, 6, 8)
    loss = NtXentLoss(0.01)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = loss(first, second).loss
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, loss(first, second).loss)


def test_bfloat16_vectors_give_a_finite_float32_loss_and_gradient():
    first = torch.randn(6, 8, dtype=torch.bfloat16, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = NtXentLoss(0.01)(first, first.detach().roll(1, 0)).loss
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    assert first.grad.isfinite().all()


def test_batch_of_one_is_refused_with_the_reason():
    with pytest.raises(BatchOfOneError, match="at least two images") as caught:
        NtXentLoss()(torch.randn(1, 8), torch.randn(1, 8))
    assert isinstance(caught.value, InputError)
    assert isinstance(caught.value, ValueError)
