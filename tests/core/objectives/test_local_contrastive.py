import pytest
import torch

from lovt_core.config.objective import LocalContrastiveConfig, RegionContrastiveConfig
from lovt_core.objectives.local_contrastive import Elements, LocalContrastiveLoss


def as_size(value):
    return tuple(value) if isinstance(value, list) else (value,)


def build(case):
    settings = case.settings
    config = LocalContrastiveConfig(
        temperature=settings["temperature"],
        distance_threshold=settings["distance_threshold"],
        threshold_type=settings["threshold_type"],
        smoothing=settings["smooth_weights"],
        smoothing_lambda=settings["smooth_lambda"],
    )
    return LocalContrastiveLoss(config, as_size(settings["max_structure_size"]))


def check(case):
    loss = build(case)
    size = as_size(case.settings["structure_size"])
    elements = Elements(size, case.optional("mask"), case.optional("weights"))
    case.check("pos_weights_unnormalized", loss.positiveness(size, torch.device("cpu")), 1e-3)
    scalars = {
        "ab": lambda losses: losses.local_to_attended,
        "ba": lambda losses: losses.attended_to_local,
        "weighted": loss.weighted,
    }
    for name, scalar in scalars.items():
        local, attended = case.input("zl_a"), case.input("zl_b")
        losses = loss(local, attended, elements)
        case.check("loss_ab", losses.local_to_attended)
        case.check("loss_ba", losses.attended_to_local)
        scalar(losses).backward()
        case.check(f"grad_{name}_zl_a", local.grad, 1e-3)
        case.check(f"grad_{name}_zl_b", attended.grad, 1e-3)


@pytest.mark.vectors("02_local_scan")
def test_reference_regions(case):
    check(case)


@pytest.mark.vectors("03_local_report")
def test_reference_sentences(case):
    check(case)


def test_padding_does_not_matter():
    loss = LocalContrastiveLoss(LocalContrastiveConfig())
    local, attended, weights = torch.randn(2, 4, 8), torch.randn(2, 4, 8), torch.rand(2, 4)
    plain = loss(local, attended, Elements((4,), weights=weights))
    longer = [torch.cat([x, torch.full((2, 3, 8), 9.0)], dim=1) for x in (local, attended)]
    mask = torch.tensor([[1, 1, 1, 1, 0, 0, 0]] * 2, dtype=torch.bool)
    padded = loss(*longer, Elements((7,), mask, torch.cat([weights, torch.rand(2, 3)], dim=1)))
    torch.testing.assert_close(padded.local_to_attended, plain.local_to_attended)
    torch.testing.assert_close(padded.attended_to_local, plain.attended_to_local)


def test_no_gradient_through_the_weights():
    loss = LocalContrastiveLoss(RegionContrastiveConfig())
    weights = torch.rand(2, 9, requires_grad=True)
    local = torch.randn(2, 9, 8, requires_grad=True)
    loss(local, torch.randn(2, 9, 8), Elements((3, 3), weights=weights)).local_to_attended.backward()
    assert local.grad.abs().sum() > 0
    assert weights.grad is None


def test_distances_are_exact():
    positives = LocalContrastiveLoss(RegionContrastiveConfig(), (14, 14)).positiveness((14, 14), torch.device("cpu"))
    assert (positives.diagonal() == 1).all()
    assert torch.equal(positives, positives.T)


def test_samples_do_not_see_each_other():
    loss = LocalContrastiveLoss(RegionContrastiveConfig())
    local, attended = torch.randn(3, 9, 8), torch.randn(3, 9, 8)
    together = loss(local, attended, Elements((3, 3))).local_to_attended
    alone = [loss(local[i : i + 1], attended[i : i + 1], Elements((3, 3))).local_to_attended for i in range(3)]
    torch.testing.assert_close(together, torch.stack(alone).mean())


def test_float32_under_autocast():
    loss = LocalContrastiveLoss(RegionContrastiveConfig(temperature=0.01))
    local, attended = torch.randn(3, 9, 8), torch.randn(3, 9, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = loss(local, attended, Elements((3, 3))).local_to_attended
    torch.testing.assert_close(mixed, loss(local, attended, Elements((3, 3))).local_to_attended)
