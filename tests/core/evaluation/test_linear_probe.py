"""Heads trained side by side against a plain implementation of the protocol, one head at a time."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from lovt_core.evaluation import linear_probe
from lovt_core.evaluation.candidate import Candidate, CandidateState, TrainedHead
from lovt_core.evaluation.linear_probe import EpochDone, LinearProbe, ProbeSettings
from lovt_core.evaluation.probe_data import ProbeData, SplitFeatures

SETTINGS = ProbeSettings(batch_size=4, max_epochs=12, patience=20)
RATES = (3e-2, 1e-2, 3e-3)


def make_split(num_images, seed, num_classes=1):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(num_images, 6, 4, 4, generator=generator)
    direction = torch.randn(num_classes, 6, generator=torch.Generator().manual_seed(99))
    grid = torch.einsum("cd,ndhw->nchw", direction, features) + torch.randn(num_images, 1, 4, 4, generator=generator)
    return SplitFeatures(features, functional.interpolate(grid, size=(24, 24), mode="bilinear") > 1)


@pytest.fixture(scope="module")
def data():
    return ProbeData(make_split(18, 0), make_split(7, 1), make_split(9, 2))


def train(candidates, settings=SETTINGS):
    """Test score and trained head of each candidate."""
    probe = LinearProbe(candidates, settings)
    heads = sorted((value for value in probe.train() if isinstance(value, TrainedHead)), key=lambda head: head.index)
    scores = [
        probe.compute_scores(head, candidate.data.test) for head, candidate in zip(heads, candidates, strict=True)
    ]
    return heads, scores


def plain_dice_loss(logits, masks):
    probabilities, truth = logits.sigmoid(), masks.float()
    loss = 1 - 2 * (probabilities * truth).sum() / (probabilities.sum() + truth.sum()).clamp_min(1e-7)
    return loss if masks.any() else 0 * loss


def plain_dice(logits, masks):
    predicted = logits.sigmoid() >= 0.5
    return (2 * (predicted & masks).sum() / (predicted.sum() + masks.sum())).item()


def train_plainly(candidate, settings):
    """The protocol with torch's own convolution, interpolation, optimiser and plateau rule: best head's test Dice."""
    generator = torch.Generator().manual_seed(candidate.seed)
    head = nn.Conv2d(6, 1, 1)
    with torch.no_grad():
        for parameter in (head.weight, head.bias):
            parameter.uniform_(-(6**-0.5), 6**-0.5, generator=generator)
    optimiser = torch.optim.Adam(head.parameters(), lr=candidate.learning_rate, weight_decay=1e-6)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=3)

    def logits(features):
        return functional.interpolate(head(features), size=(24, 24), mode="bilinear", align_corners=False)

    def batches(split, order, stop):
        return [order[start : start + settings.batch_size] for start in range(0, stop, settings.batch_size)]

    training, validation, test = candidate.data.training, candidate.data.validation, candidate.data.test
    best, best_epoch, result = -1.0, 0, 0.0
    for epoch in range(1, settings.max_epochs + 1):
        order = torch.randperm(training.num_images, generator=generator)
        whole = training.num_images - training.num_images % settings.batch_size
        for rows in batches(training, order, whole):
            optimiser.zero_grad()
            plain_dice_loss(logits(training.features[rows]), training.masks[rows]).backward()
            optimiser.step()
        with torch.no_grad():
            parts = batches(validation, torch.arange(validation.num_images), validation.num_images)
            losses = [plain_dice_loss(logits(validation.features[rows]), validation.masks[rows]) for rows in parts]
            plateau.step(torch.stack(losses).mean())
            score = plain_dice(logits(validation.features), validation.masks)
            if score > best:
                best, best_epoch, result = score, epoch, plain_dice(logits(test.features), test.masks)
    return best, best_epoch, result


def test_equals_a_plain_implementation(data):
    settings = replace(SETTINGS, max_epochs=40, patience=100)
    candidates = [Candidate(rate, seed, data) for rate, seed in ((3e-2, 1), (3e-3, 2))]
    heads, scores = train(candidates, settings)
    for candidate, head, score in zip(candidates, heads, scores, strict=True):
        validation, epoch, test = train_plainly(candidate, settings)
        assert head.validation == pytest.approx(validation, abs=1e-4)
        assert score.average_dice == pytest.approx(test, abs=1e-4)
        assert head.best_epoch == epoch


@pytest.mark.parametrize("pixels_per_pass", [1, 10**9])
def test_together_and_alone_give_the_same_scores(data, monkeypatch, pixels_per_pass):
    """Stated tolerance: 1e-6 on the CPU, whatever is held in memory at once."""
    monkeypatch.setitem(linear_probe._PIXELS_PER_PASS, "cpu", pixels_per_pass)
    other = ProbeData(make_split(18, 5), make_split(7, 6), make_split(9, 7))
    candidates = [Candidate(rate, seed, own) for seed, rate in enumerate(RATES) for own in (data, other)]
    together = train(candidates)
    for index, candidate in enumerate(candidates):
        heads, scores = train([candidate])
        assert scores[0].average_dice == pytest.approx(together[1][index].average_dice, abs=1e-6)
        assert heads[0].best_epoch == together[0][index].best_epoch
        torch.testing.assert_close(heads[0].weight, together[0][index].weight, rtol=0, atol=1e-5)


def test_seed_decides_and_candidates_with_one_seed_are_equal(data):
    heads, _ = train([Candidate(1e-2, seed, data) for seed in (4, 4, 5)])
    assert torch.equal(heads[0].weight, heads[1].weight)
    assert not torch.equal(heads[0].weight, heads[2].weight)


def test_last_incomplete_batch_is_dropped_and_every_epoch_has_its_own_order(data, monkeypatch):
    orders, num_steps = [], []
    draw, step = CandidateState.draw_order, CandidateState.step

    def noting_draw(state):
        orders.append(draw(state))
        return orders[-1]

    monkeypatch.setattr(CandidateState, "draw_order", noting_draw)
    monkeypatch.setattr(CandidateState, "step", lambda state: (num_steps.append(1), step(state)))
    train([Candidate(1e-2, 3, data)], replace(SETTINGS, max_epochs=2))
    assert sum(num_steps) == 2 * (18 // 4)
    assert sorted(orders[0].tolist()) == list(range(18))
    assert not torch.equal(*orders)


def test_ends_after_patience_epochs_without_a_better_metric(data):
    settings = ProbeSettings(batch_size=4, max_epochs=100, patience=5)
    candidates = [Candidate(3e-2, 1, data), Candidate(1e-4, 1, data)]
    probe = LinearProbe(candidates, settings)
    values = list(probe.train())
    heads = {value.index: value for value in values if isinstance(value, TrainedHead)}
    assert heads[0].num_epochs < 100
    assert heads[0].best_epoch <= heads[0].num_epochs - 5
    epochs = [value for value in values if isinstance(value, EpochDone)]
    assert epochs[-1].num_running == 0
    assert len(epochs) == max(head.num_epochs for head in heads.values())


def state_with(data, metrics, losses=None, patience=3):
    state = CandidateState(Candidate(1.0, 0, data), patience)
    weight, bias = nn.Parameter(torch.zeros(1, 6)), nn.Parameter(torch.zeros(1))
    state.attach((weight, bias))
    is_over = []
    for epoch, metric in enumerate(metrics, start=1):
        with torch.no_grad():
            weight.fill_(epoch)
        is_over.append(state.after_epoch(epoch, 1.0 if losses is None else losses[epoch - 1], metric))
    return state, is_over


def test_best_epoch_is_the_earlier_of_equals_even_where_the_gain_is_below_the_patience_threshold(data):
    state, is_over = state_with(data, [0.5, 0.6, 0.600005, 0.600005, 0.1])
    head = state.finish(0, 5)
    assert (head.best_epoch, head.validation) == (3, 0.600005)
    assert (head.weight == 3).all()
    assert is_over == [False, False, False, False, True]


def test_learning_rate_halves_after_four_epochs_without_a_lower_validation_loss(data):
    state, _ = state_with(data, [0.1] * 9, losses=[1.0, 0.9, *[0.95] * 7], patience=100)
    assert state._optimiser.param_groups[0]["lr"] == 0.5
