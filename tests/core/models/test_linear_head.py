import pytest
import torch
from torch.nn import functional

from lovt_core.models.heads.linear import LinearSegmentationHead, upsample_bilinear
from lovt_core.objectives.dice import DiceLoss


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.vectors("11_segmentation_head")
def test_reference(case):
    weight, features = case.tensor("weight"), case.input("features")
    head = LinearSegmentationHead(weight.shape[1], weight.shape[0], generators(0))
    own_weight, own_bias = head.parameters_of(0)
    with torch.no_grad():
        own_weight.copy_(weight.squeeze(-1))
        own_bias.copy_(case.tensor("bias"))
    size = tuple(case.tensor("targets").shape[-2:])
    logits = head(features[None], size, [0])[0]
    loss = DiceLoss()(logits, case.tensor("targets"))
    loss.backward()
    case.check("logits_grid", head.compute_grid_logits(features[None], [0])[0])
    case.check("loss", loss)
    if "logits" in case:
        case.check("logits", logits)
        case.check("probs", torch.sigmoid(logits))
    case.check("grad_features", features.grad, 2e-5)
    case.check("grad_weight", own_weight.grad[..., None], 2e-5)
    case.check("grad_bias", own_bias.grad, 2e-5)


@pytest.mark.parametrize(
    ("grid", "size"), [((7, 7), (224, 224)), ((4, 6), (33, 50)), ((5, 5), (5, 5)), ((9, 3), (4, 8)), ((1, 1), (6, 6))]
)
def test_upsampling_is_bilinear_with_half_pixel_centres(grid, size):
    logits = torch.randn(2, 3, *grid)
    reference = functional.interpolate(logits, size=size, mode="bilinear", align_corners=False)
    torch.testing.assert_close(upsample_bilinear(logits, size), reference, rtol=1e-5, atol=1e-5)


def test_candidates_are_independent():
    head = LinearSegmentationHead(6, 2, generators(1, 2, 3))
    features = torch.randn(3, 4, 6, 3, 3)
    together = head(features, (12, 12), [0, 1, 2])
    for candidate in range(3):
        alone = head(features[candidate, None], (12, 12), [candidate])[0]
        torch.testing.assert_close(together[candidate], alone)
    together[1].sum().backward()
    assert head.parameters_of(1)[0].grad.any()
    assert not head.parameters_of(0)[0].grad.any()


def test_first_weights_are_those_of_a_convolution_and_depend_on_the_generator():
    head = LinearSegmentationHead(400, 8, generators(5, 5, 6))
    first, same, other = (head.parameters_of(candidate)[0] for candidate in range(3))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    convolution = torch.nn.Conv2d(400, 8, 1)
    assert first.abs().max() <= 0.05
    assert first.std().item() == pytest.approx(convolution.weight.std().item(), rel=0.05)
