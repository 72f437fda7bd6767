import pytest
import torch
from torch import nn

from lovt_core.errors import InputError
from lovt_core.models.mlp_head import MlpHead

PUBLISHED = {
    "simclr projector": (lambda: MlpHead(2048, 2048, 128, norm=False, bias=False), 2048 * 2048 + 2048 * 128),
    "byol projector": (lambda: MlpHead(2048, 4096, 128), 2049 * 4096 + 2 * 4096 + 4097 * 128),
    "byol predictor": (lambda: MlpHead(128, 4096, 128), 129 * 4096 + 2 * 4096 + 4097 * 128),
    "pixelpro projector": (lambda: MlpHead(2048, 2048, 512), 2049 * 2048 + 2 * 2048 + 2049 * 512),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_sizes_of_the_protocol(name):
    build, expected = PUBLISHED[name]
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in build().parameters()) == expected


def test_layer_by_layer():
    head, x = MlpHead(6, 8, 5), torch.randn(7, 6)
    hidden = x @ head.before.weight.T + head.before.bias
    hidden = (hidden - hidden.mean(dim=0)) / (hidden.var(dim=0, unbiased=False) + 1e-5).sqrt()
    expected = hidden.clamp_min(0) @ head.after.weight.T + head.after.bias
    torch.testing.assert_close(head(x), expected)


def test_without_norm_and_bias():
    head, x = MlpHead(6, 8, 5, norm=False, bias=False), torch.randn(7, 6)
    torch.testing.assert_close(head(x), (x @ head.before.weight.T).clamp_min(0) @ head.after.weight.T)
    assert sorted(head.state_dict()) == ["after.weight", "before.weight"]


def test_on_regions_as_convolutions_on_a_feature_map():
    head, features = MlpHead(6, 8, 5), torch.randn(3, 6, 4, 2)
    convolutions = nn.Sequential(nn.Conv2d(6, 8, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 5, 1))
    for layer, source in ((convolutions[0], head.before), (convolutions[3], head.after)):
        layer.weight.data, layer.bias.data = source.weight.data[:, :, None, None], source.bias.data
    y = head(features.flatten(2).transpose(1, 2))
    assert y.shape == (3, 8, 5)
    torch.testing.assert_close(y, convolutions(features).flatten(2).transpose(1, 2))
    torch.testing.assert_close(head.norm.running_mean, convolutions[1].running_mean)
    torch.testing.assert_close(head.norm.running_var, convolutions[1].running_var)


@pytest.mark.parametrize("shape", [(1, 6), (1, 1, 6)])
def test_single_row_is_refused_in_training_only(shape):
    head, x = MlpHead(6, 8, 5), torch.randn(shape)
    with pytest.raises(InputError, match="at least two images"):
        head(x)
    assert head.eval()(x).isfinite().all()
    assert MlpHead(6, 8, 5, norm=False)(x).isfinite().all()


def test_several_regions_of_a_single_image_are_enough():
    assert MlpHead(6, 8, 5)(torch.randn(1, 4, 6)).shape == (1, 4, 5)


def test_bfloat16_autocast_gives_finite_gradients():
    head, x = MlpHead(6, 8, 5), torch.randn(4, 6, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        head(x).float().square().sum().backward()
    assert all(tensor.grad.isfinite().all() for tensor in (x, *head.parameters()))
