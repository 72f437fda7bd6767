"""The probe against autograd and torch's Adam; that it learns, forgets nothing of itself and takes nothing."""

import pytest
import torch
from torch import nn

from lovt_core.monitoring.probe import KEPT, LinearProbe, compute_probe_auroc
from lovt_core.objectives.multilabel import ABSENT, BLANK, PRESENT, UNCERTAIN

_WIDTH, _LABELS = 12, 3
_CPU = torch.device("cpu")


def _draw(num_samples: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features, and labels that depend on them linearly, with some uncertain and blank ones."""
    generator = torch.Generator().manual_seed(seed)
    features = 3 * torch.randn(num_samples, _WIDTH, generator=generator) + 5
    weights = torch.randn(_WIDTH, _LABELS, generator=torch.Generator().manual_seed(9))
    present = (features - 5) @ weights > 0
    uncertain = torch.rand(present.shape, generator=generator) < 0.05
    codes = torch.where(present, PRESENT, torch.where(uncertain, BLANK, ABSENT))
    return features, torch.where(present & uncertain, UNCERTAIN, codes).to(torch.int8)


def test_steps_are_those_of_adam_on_the_cross_entropy_of_standardised_features() -> None:
    probe = LinearProbe(_WIDTH, _LABELS, _CPU)
    layer = nn.Linear(_WIDTH, _LABELS)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.5 / _WIDTH)
    mean, variance = torch.zeros(_WIDTH), torch.zeros(_WIDTH)
    for number in range(1, 5):
        features, labels = _draw(16, number)
        mean = mean + (features.mean(dim=0) - mean) / number
        variance = variance + ((features - mean).square().mean(dim=0) - variance) / number
        inputs = (features - mean) / (variance + 1e-6).sqrt()
        present = ((labels == PRESENT) | (labels == UNCERTAIN)).float()
        loss = nn.functional.binary_cross_entropy_with_logits(layer(inputs), present)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        probe.learn(features, labels)
    weights = probe.tensors()["weights"]
    assert torch.allclose(weights[:, :-1], layer.weight, atol=1e-5)
    assert torch.allclose(weights[:, -1], layer.bias, atol=1e-5)


def test_it_learns_what_is_linear() -> None:
    probe = LinearProbe(_WIDTH, _LABELS, _CPU)
    held_out = _draw(200, 1000)
    before = compute_probe_auroc(probe.predict(held_out[0]), held_out[1])
    for number in range(150):
        probe.learn(*_draw(32, number))
    after = compute_probe_auroc(probe.predict(held_out[0]), held_out[1])
    assert before == 0.5
    assert after > 0.95
    assert probe.compute_training_auroc() > 0.9


def test_a_restored_probe_goes_on_to_the_bit() -> None:
    whole, first = LinearProbe(_WIDTH, _LABELS, _CPU), LinearProbe(_WIDTH, _LABELS, _CPU)
    for number in range(8):
        whole.learn(*_draw(16, number))
    for number in range(4):
        first.learn(*_draw(16, number))
    second = LinearProbe(_WIDTH, _LABELS, _CPU)
    second.restore({name: tensor.clone() for name, tensor in first.tensors().items()})
    for number in range(4, 8):
        second.learn(*_draw(16, number))
    assert all(torch.equal(tensor, whole.tensors()[name]) for name, tensor in second.tensors().items())


def test_the_latest_samples_alone_count_in_training() -> None:
    probe = LinearProbe(_WIDTH, _LABELS, _CPU)
    size = KEPT // 2 + 100
    for number in range(3):
        probe.learn(*_draw(size, number))
    expected = torch.cat([_draw(size, number)[1] for number in (1, 2)])[-KEPT:]
    kept = probe.tensors()["labels"]
    assert sorted(map(tuple, kept.tolist())) == sorted(map(tuple, expected.tolist()))


def test_it_takes_no_random_numbers_and_gives_no_gradient() -> None:
    features, labels = _draw(16, 0)
    features = features.requires_grad_()
    before = torch.get_rng_state()
    probe = LinearProbe(_WIDTH, _LABELS, _CPU)
    probe.learn(features, labels)
    assert not probe.predict(features).requires_grad
    assert features.grad is None
    assert torch.equal(torch.get_rng_state(), before)


def test_bfloat16_features_are_widened() -> None:
    features, labels = _draw(16, 0)
    narrow, wide = LinearProbe(_WIDTH, _LABELS, _CPU), LinearProbe(_WIDTH, _LABELS, _CPU)
    narrow.learn(features.bfloat16(), labels)
    wide.learn(features.bfloat16().float(), labels)
    assert torch.equal(narrow.tensors()["weights"], wide.tensors()["weights"])


def test_another_probes_state_is_refused() -> None:
    other = LinearProbe(_WIDTH + 1, _LABELS, _CPU)
    with pytest.raises(RuntimeError):
        LinearProbe(_WIDTH, _LABELS, _CPU).restore(other.tensors())
