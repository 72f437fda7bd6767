import copy

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from lovt_core.models.mlp_head import MlpHead
from lovt_core.models.momentum import MomentumCopy
from tests.core.objectives.baseline_vectors import cases_with


def build():
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), MlpHead(6, 8, 3))


def moved(online):
    """The online network after some training."""
    online = copy.deepcopy(online)
    with torch.no_grad():
        for parameter in online.parameters():
            parameter.add_(torch.randn_like(parameter))
    online(torch.randn(5, 4))
    return online


@pytest.mark.vectors
@pytest.mark.parametrize("case", cases_with("target_before"))
def test_reference(case):
    layers = {key: nn.Linear(*case.tensor(key).T.shape, bias=False) for key in ("target_before", "online")}
    for key, layer in layers.items():
        layer.load_state_dict({"weight": case.tensor(key)})
    momentum = MomentumCopy(layers["target_before"], case.settings["decay"])
    momentum.update(layers["online"])
    case.check("target_after", momentum.target.weight)


def test_begins_equal_and_shares_nothing():
    online = build()
    momentum = MomentumCopy(online)
    for own, followed in zip(momentum.target.parameters(), online.parameters(), strict=True):
        assert torch.equal(own, followed)
        assert own.data_ptr() != followed.data_ptr()


def test_parameters_are_averaged():
    online = build()
    momentum, later = MomentumCopy(online, decay=0.9), moved(online)
    expected = [0.9 * a + 0.1 * b for a, b in zip(online.parameters(), later.parameters(), strict=True)]
    momentum.update(later)
    torch.testing.assert_close(list(momentum.target.parameters()), expected)


def test_many_updates_reach_a_resting_online_network():
    online = build()
    momentum, later = MomentumCopy(online, decay=0.5), moved(online)
    for _ in range(60):
        momentum.update(later)
    torch.testing.assert_close(list(momentum.target.parameters()), list(later.parameters()))


def test_buffers_are_its_own():
    online = build()
    momentum, later = MomentumCopy(online), moved(online)
    momentum.update(later)
    statistics = dict(momentum.target.named_buffers())
    for name, buffer in online.named_buffers():
        assert torch.equal(statistics[name], buffer)
    momentum(torch.randn(5, 4))
    assert statistics["1.num_batches_tracked"] == 1
    assert statistics["1.running_mean"].any()
    assert not dict(online.named_buffers())["1.running_mean"].any()


def test_batch_statistics_in_training_and_running_ones_in_evaluation():
    momentum, x = MomentumCopy(build()), torch.randn(5, 4)
    torch.testing.assert_close(momentum(x)[:2], momentum(x)[:2])
    assert not torch.allclose(momentum(x)[:2], momentum(x[:2]))
    momentum.eval()
    torch.testing.assert_close(momentum(x)[:2], momentum(x[:2]))


def test_no_gradient():
    online = build()
    momentum = MomentumCopy(online)
    y = momentum(torch.randn(5, 4, requires_grad=True))
    momentum.update(online)
    assert not y.requires_grad
    assert not any(parameter.requires_grad for parameter in momentum.parameters())
    assert all(parameter.requires_grad for parameter in online.parameters())


def test_update_between_forward_and_step_leaves_the_gradient_alone():
    online, x = build(), torch.randn(5, 4)
    momentum = MomentumCopy(moved(online))
    gradients = []
    for updates in (False, True):
        online.zero_grad()
        loss = (online(x) * momentum(x)).sum()
        if updates:
            momentum.update(online)
        loss.backward()
        gradients.append([parameter.grad.clone() for parameter in online.parameters()])
    torch.testing.assert_close(*gradients)


def test_state_survives_saving_and_loading():
    online = build()
    momentum = MomentumCopy(online, decay=0.9)
    momentum(torch.randn(5, 4))
    momentum.update(moved(online))
    restored = MomentumCopy(build(), decay=0.9)
    restored.load_state_dict(load(save(momentum.state_dict())))
    later, x = moved(online), torch.randn(5, 4)
    for copied in (momentum, restored):
        copied.update(later)
    torch.testing.assert_close(momentum(x), restored(x), rtol=0, atol=0)
    for name, tensor in momentum.state_dict().items():
        assert torch.equal(tensor, restored.state_dict()[name])


def test_state_names_all_parameters_and_buffers():
    online = build()
    assert set(MomentumCopy(online).state_dict()) == {f"target.{name}" for name in online.state_dict()}


def test_bfloat16_autocast_keeps_float32_parameters():
    online = build()
    momentum = MomentumCopy(online)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert momentum(torch.randn(5, 4)).isfinite().all()
        momentum.update(online)
    assert {parameter.dtype for parameter in momentum.parameters()} == {torch.float32}


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="differ in number or shape"):
        MomentumCopy(build()).update(nn.Linear(4, 6))


@pytest.mark.parametrize("decay", [-0.1, 1.5])
def test_decay_outside_its_range_is_refused(decay):
    with pytest.raises(ValueError, match="from 0 to 1"):
        MomentumCopy(build(), decay)
