import pytest
import torch

from lovt_core.config.objective import GlobalContrastiveConfig
from lovt_core.objectives.global_contrastive import GlobalContrastiveLoss, compute_top_accuracy


def build(case):
    return GlobalContrastiveLoss(
        GlobalContrastiveConfig(
            temperature=case.settings["temperature"],
            negatives_from_same_modality=case.settings["negatives_from_same_modality"],
        )
    )


@pytest.mark.vectors("01_global_nce")
def test_reference(case):
    loss = build(case)
    losses = loss(case.tensor("zg_1"), case.tensor("zg_2"))
    case.check("loss_1to2", losses.image_to_report)
    case.check("loss_2to1", losses.report_to_image)
    for k in (1, 5):
        for direction, logits in (("1to2", losses.image_logits), ("2to1", losses.report_logits)):
            if f"acc_top{k}_{direction}" in case:
                case.check(f"acc_top{k}_{direction}", compute_top_accuracy(logits, k))


@pytest.mark.vectors("01_global_nce")
def test_reference_gradients(case):
    loss = build(case)
    scalars = {
        "1to2": lambda losses: losses.image_to_report,
        "2to1": lambda losses: losses.report_to_image,
        "weighted": loss.weighted,
    }
    for name, scalar in scalars.items():
        first, second = case.input("zg_1"), case.input("zg_2")
        scalar(loss(first, second)).backward()
        for key, gradient in ((f"grad_{name}_zg_1", first.grad), (f"grad_{name}_zg_2", second.grad)):
            if key in case:
                case.check(key, gradient)


def test_length_of_vectors_does_not_matter():
    images, reports = torch.randn(6, 8), torch.randn(6, 8)
    loss = GlobalContrastiveLoss(GlobalContrastiveConfig())
    scaled = loss(images * torch.rand(6, 1).add(0.1), reports * 7)
    torch.testing.assert_close(scaled.image_to_report, loss(images, reports).image_to_report)


def test_swapping_modalities_swaps_directions():
    images, reports = torch.randn(6, 8), torch.randn(6, 8)
    loss = GlobalContrastiveLoss(GlobalContrastiveConfig())
    torch.testing.assert_close(loss(images, reports).image_to_report, loss(reports, images).report_to_image)


def test_order_of_pairs_does_not_matter():
    images, reports, order = torch.randn(6, 8), torch.randn(6, 8), torch.randperm(6)
    loss = GlobalContrastiveLoss(GlobalContrastiveConfig())
    torch.testing.assert_close(
        loss(images[order], reports[order]).image_to_report, loss(images, reports).image_to_report
    )


def test_float32_under_autocast():
    images, reports = torch.randn(6, 8), torch.randn(6, 8)
    loss = GlobalContrastiveLoss(GlobalContrastiveConfig(temperature=0.01))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = loss(images, reports).image_to_report
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, loss(images, reports).image_to_report)


def test_top_accuracy_by_hand():
    logits = torch.tensor([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])
    assert [compute_top_accuracy(logits, k).item() for k in (1, 2, 5)] == pytest.approx([1 / 3, 2 / 3, 1])
