import pytest
import torch

from lovt_core.models.pixel_head import PixelPropagation
from tests.core.objectives.baseline_vectors import cases_with, cosine


def naive_propagation(module, x):
    """Equations 3 and 4, pair by pair."""
    rows = []
    for image in x:
        values = image @ module.transform.weight.T + module.transform.bias
        cells = range(len(image))
        weights = [[max(cosine(image[i].tolist(), image[j].tolist()), 0) ** module.gamma for j in cells] for i in cells]
        rows.append(torch.stack([sum(weights[i][j] * values[j] for j in cells) for i in cells]))
    return torch.stack(rows)


@pytest.mark.vectors
@pytest.mark.parametrize("case", cases_with("x"))
def test_reference(case):
    x = case.tensor("x")
    module = PixelPropagation(x.shape[1], case.settings["gamma"])
    module.transform.load_state_dict({"weight": case.tensor("weight").flatten(1), "bias": case.tensor("bias")})
    case.check("out", module(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape))


@pytest.mark.parametrize("gamma", [1, 2, 3.5])
def test_paper_equations(gamma):
    module, x = PixelPropagation(5, gamma).double(), torch.randn(2, 6, 5, dtype=torch.float64)
    torch.testing.assert_close(module(x), naive_propagation(module, x))


def test_gradient():
    module, x = PixelPropagation(4).double(), torch.randn(2, 5, 4, dtype=torch.float64, requires_grad=True)
    weight = module.transform.weight

    def propagate(x, weight):
        return torch.func.functional_call(module, {"transform.weight": weight}, x)

    assert torch.autograd.gradcheck(propagate, (x, weight))


def test_order_of_regions_goes_through():
    module, x, order = PixelPropagation(5), torch.randn(2, 6, 5), torch.randperm(6)
    torch.testing.assert_close(module(x)[:, order], module(x[:, order]))


def test_images_do_not_see_each_other():
    module, x = PixelPropagation(5), torch.randn(3, 6, 5)
    torch.testing.assert_close(module(x)[1], module(x[1:2])[0])


def test_a_region_at_right_angles_to_all_others_keeps_to_itself():
    module, x = PixelPropagation(4), 3 * torch.eye(4).unsqueeze(0)
    torch.testing.assert_close(module(x), module.transform(x))


def test_float32_under_autocast():
    module, x = PixelPropagation(5), torch.randn(2, 6, 5, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = module(x)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, module(x), rtol=0.05, atol=0.05)
    mixed.square().sum().backward()
    assert x.grad.isfinite().all()


def test_gamma_below_one_is_refused():
    with pytest.raises(ValueError, match=r"gamma is 0\.5: it must be at least 1"):
        PixelPropagation(4, 0.5)
