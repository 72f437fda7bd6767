import pytest
import torch

from lovt_core.objectives.dice import DiceLoss


@pytest.mark.vectors("11_dice_loss")
def test_reference(case):
    logits = case.input("logits")
    loss = DiceLoss(case.settings["eps"])(logits, case.tensor("targets"))
    case.check("loss", loss)
    loss.backward()
    case.check("grad_logits", logits.grad)


def test_leading_dimensions_are_independent_losses():
    logits, targets = torch.randn(3, 2, 1, 5, 4), torch.rand(3, 2, 1, 5, 4) > 0.5
    together = DiceLoss()(logits, targets)
    alone = torch.stack([DiceLoss()(*pair) for pair in zip(logits, targets, strict=True)])
    assert together.shape == (3,)
    torch.testing.assert_close(together, alone)


def test_order_of_images_does_not_matter():
    logits, targets, order = torch.randn(4, 2, 5, 5), torch.rand(4, 2, 5, 5) > 0.7, torch.randperm(4)
    torch.testing.assert_close(DiceLoss()(logits, targets), DiceLoss()(logits[order], targets[order]))


def test_perfect_prediction_has_no_loss_and_an_empty_batch_no_gradient():
    targets = torch.rand(2, 1, 6, 6) > 0.5
    assert DiceLoss()(torch.where(targets, 50.0, -50.0), targets) == pytest.approx(0, abs=1e-6)
    logits = torch.randn(2, 1, 6, 6, requires_grad=True)
    loss = DiceLoss()(logits, torch.zeros(2, 1, 6, 6, dtype=torch.bool))
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()
