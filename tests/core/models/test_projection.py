import pytest
import torch

from lovt_core.config.encoders import ProjectionConfig
from lovt_core.models.projection import Projection


def build(settings):
    norm = settings["norm"] or "none"
    config = ProjectionConfig(hidden=settings["d_hidden"], size=settings["d_out"], norm=norm)
    return Projection(settings["d_in"], config)


def without_kernel(tensors):
    """1x1 convolutions as linear layers."""
    return {name: tensor.squeeze(-1) if tensor.ndim == 3 else tensor for name, tensor in tensors.items()}


@pytest.mark.vectors("06_projection_heads")
def test_reference(case):
    projection = build(case.settings)
    projection.load_state_dict(without_kernel(case.parameters()))
    if case.settings["norm"]:
        assert projection.norm.eps == case.settings["bn_eps"]
        assert projection.norm.momentum == case.settings["bn_momentum"]
    x = case.input("x")
    y = projection(x)
    (y * case.tensor("probe")).sum().backward()
    case.check("y_train", y)
    case.check("grad_x", x.grad)
    for name, parameter in projection.named_parameters():
        key = f"grad_param.{name}"
        gradient = parameter.grad.reshape(case.tensor(key).shape)
        if case.settings["norm"] and name == "projection_before.bias":
            case.check_vanishing(key, gradient)
        else:
            case.check(key, gradient)
    buffers = dict(projection.named_buffers())
    for name in case.after():
        case.check(f"after.{name}", buffers[name])
    case.check("y_eval", projection.eval()(x))


@pytest.mark.vectors("06_projection_heads")
def test_initialisation(vector_settings):
    for expected in vector_settings["initialisation"].values():
        hidden = round(2 / expected["expected_before"] ** 2)
        size = round(1 / expected["expected_after"] ** 2)
        projection = Projection(256, ProjectionConfig(hidden=hidden, size=size))
        assert projection.projection_before.weight.std().item() == pytest.approx(expected["expected_before"], rel=0.02)
        assert projection.projection_after.weight.std().item() == pytest.approx(expected["expected_after"], rel=0.02)
        if expected["bias_zero"]:
            assert not projection.projection_before.bias.any()
            assert not projection.projection_after.bias.any()


def test_masked_rows_do_not_touch_the_norm():
    x, mask = torch.randn(3, 4, 6), torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)
    config = ProjectionConfig(hidden=8, size=5)
    projection, alone = Projection(6, config), Projection(6, config)
    alone.load_state_dict(projection.state_dict())
    y = projection(x, mask)
    torch.testing.assert_close(y[mask], alone(x[mask]))
    assert (y[~mask] == 0).all()
    torch.testing.assert_close(projection.norm.running_var, alone.norm.running_var)


def test_masked_rows_give_gradients_to_real_ones_only():
    x, mask = torch.randn(2, 3, 6, requires_grad=True), torch.tensor([[1, 1, 0], [1, 0, 0]], dtype=torch.bool)
    Projection(6, ProjectionConfig(hidden=8, size=5))(x, mask).square().sum().backward()
    assert (x.grad[~mask] == 0).all()
    assert x.grad[mask].abs().sum(dim=-1).min() > 0
