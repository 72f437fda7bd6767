"""Heads trained side by side against a plain implementation of the protocol, one head at a time."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from lovt_core.evaluation.training import linear_bank
from lovt_core.evaluation.training.candidate import Candidate, CandidateState, TrainedHead
from lovt_core.evaluation.training.head_training import HeadTraining, Tick
from lovt_core.evaluation.training.linear_bank import LinearBank
from lovt_core.evaluation.training.order import EpochOrder
from tests.core.evaluation.training.inputs import TEST, TRAINING, VALIDATION, finish, make_protocol, make_segmentation

RATES = (3e-2, 1e-2, 3e-3)
ORDER_SEED = 11


@pytest.fixture(scope="module")
def inputs():
    return make_segmentation()


def build(candidates, protocol):
    """Linear heads of these (learning rate, seed, inputs)."""
    states = [CandidateState(Candidate(*candidate), protocol) for candidate in candidates]
    bank = LinearBank(states, {4: 6}, 4, 1, "cpu")
    return HeadTraining(states, bank, protocol, ORDER_SEED)


def train(candidates, protocol=None):
    """Trained heads and test scores."""
    training = build(candidates, protocol or make_protocol())
    heads = sorted((value for value in training.train() if isinstance(value, TrainedHead)), key=lambda head: head.index)
    return heads, [finish(training.judge(head, TEST)).value for head in heads]


def plain_dice_loss(logits, masks):
    probabilities, truth = logits.sigmoid(), masks.float()
    loss = 1 - 2 * (probabilities * truth).sum() / (probabilities.sum() + truth.sum()).clamp_min(1e-7)
    return loss if masks.any() else 0 * loss


def plain_dice(logits, masks):
    predicted = logits.sigmoid() >= 0.5
    return (2 * (predicted & masks).sum() / (predicted.sum() + masks.sum())).item()


def train_plainly(rate, seed, inputs, protocol):
    """The protocol with torch's own convolution, interpolation, optimiser and plateau rule: best head's test Dice."""
    generator = torch.Generator().manual_seed(seed)
    head = nn.Conv2d(6, 1, 1)
    with torch.no_grad():
        for parameter in (head.weight, head.bias):
            parameter.uniform_(-(6**-0.5), 6**-0.5, generator=generator)
    optimiser = torch.optim.Adam(head.parameters(), lr=rate, weight_decay=1e-6)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=3)
    features, masks = inputs.features[4], inputs.targets
    order = EpochOrder(len(TRAINING), 4, ORDER_SEED)

    def logits(rows):
        grid = head(features[list(rows)])
        return functional.interpolate(grid, size=(24, 24), mode="bilinear", align_corners=False)

    best, best_epoch, result = -1.0, 0, 0.0
    for epoch in range(1, protocol.task.max_epochs + 1):
        for number, chunk in enumerate(order.divide(epoch)):
            for positions in order.shuffle(chunk, seed, epoch, number):
                rows = chunk[positions].tolist()
                optimiser.zero_grad()
                plain_dice_loss(logits(rows), masks[rows]).backward()
                optimiser.step()
        with torch.no_grad():
            parts = [VALIDATION[:4], VALIDATION[4:]]
            losses = [plain_dice_loss(logits(rows), masks[list(rows)]) for rows in parts]
            plateau.step(torch.stack(losses).mean())
            score = plain_dice(logits(VALIDATION), masks[list(VALIDATION)])
            if score > best:
                best, best_epoch, result = score, epoch, plain_dice(logits(TEST), masks[list(TEST)])
    return best, best_epoch, result


def test_equals_a_plain_implementation(inputs):
    protocol = make_protocol(max_epochs=40, patience=100)
    candidates = [(3e-2, 1, inputs), (3e-3, 2, inputs)]
    heads, scores = train(candidates, protocol)
    for candidate, head, score in zip(candidates, heads, scores, strict=True):
        validation, epoch, test = train_plainly(*candidate, protocol)
        assert head.validation == pytest.approx(validation, abs=1e-4)
        assert score == pytest.approx(test, abs=1e-4)
        assert head.best_epoch == epoch


@pytest.mark.parametrize("pixels_per_pass", [1, 10**9])
def test_together_and_alone_give_the_same_scores(inputs, monkeypatch, pixels_per_pass):
    """Stated tolerance: 1e-6 on the CPU, whatever is held in memory at once."""
    monkeypatch.setitem(linear_bank._PIXELS_PER_PASS, "cpu", pixels_per_pass)
    other = make_segmentation(seed=5)
    candidates = [(rate, seed, own) for seed, rate in enumerate(RATES) for own in (inputs, other)]
    heads, scores = train(candidates)
    for index, candidate in enumerate(candidates):
        [head], [score] = train([candidate])
        assert score == pytest.approx(scores[index], abs=1e-6)
        assert head.best_epoch == heads[index].best_epoch
        torch.testing.assert_close(head.state["weight"], heads[index].state["weight"], rtol=0, atol=1e-5)


def test_seed_decides_and_candidates_with_one_seed_are_equal(inputs):
    heads, _ = train([(1e-2, seed, inputs) for seed in (4, 4, 5)])
    assert torch.equal(heads[0].state["weight"], heads[1].state["weight"])
    assert not torch.equal(heads[0].state["weight"], heads[2].state["weight"])


def test_a_chunk_is_opened_once_for_all_heads_with_the_same_inputs():
    inputs = make_segmentation()
    protocol = make_protocol(max_epochs=2)
    train([(rate, seed, inputs) for seed, rate in enumerate(RATES)], protocol)
    trained_on = [samples for samples in inputs.opened if set(samples) <= set(TRAINING)]
    assert [len(samples) for samples in trained_on] == [18, 18], "one chunk an epoch"
    assert sum(set(samples) <= set(VALIDATION) for samples in inputs.opened) == 2 * 2
    assert sum(set(samples) <= set(TEST) for samples in inputs.opened) == 3 * 3, "each head is tested when it ends"


def test_ends_after_patience_epochs_without_a_better_metric(inputs):
    training = build([(3e-2, 1, inputs), (1e-4, 1, inputs)], make_protocol(max_epochs=100, patience=5))
    values = list(training.train())
    heads = {value.index: value for value in values if isinstance(value, TrainedHead)}
    assert heads[0].num_epochs < 100
    assert heads[0].best_epoch <= heads[0].num_epochs - 5
    epochs = [value for value in values if isinstance(value, Tick) and value.step == 4]
    assert epochs[-1].num_running == 0
    assert {tick.epoch for tick in epochs} == set(range(1, max(head.num_epochs for head in heads.values()) + 1))


def state_with(inputs, metrics, losses=None, patience=3):
    state = CandidateState(Candidate(1.0, 0, inputs), make_protocol(patience=patience))
    weight = nn.Parameter(torch.zeros(1, 6))
    state.attach([weight])
    is_over = []
    for epoch, metric in enumerate(metrics, start=1):
        if state.is_better(metric):
            state.keep(epoch, metric, {"weight": torch.full((1,), float(epoch))})
        is_over.append(state.after_epoch(1.0 if losses is None else losses[epoch - 1], metric))
    return state, is_over


def test_best_epoch_is_the_earlier_of_equals_even_where_the_gain_is_below_the_patience_threshold(inputs):
    state, is_over = state_with(inputs, [0.5, 0.6, 0.600005, 0.600005, 0.1])
    head = state.finish(0, 5)
    assert (head.best_epoch, head.validation) == (3, 0.600005)
    assert head.state["weight"] == 3
    assert is_over == [False, False, False, False, True]


def test_learning_rate_halves_after_four_epochs_without_a_lower_validation_loss(inputs):
    state, _ = state_with(inputs, [0.1] * 9, losses=[1.0, 0.9, *[0.95] * 7], patience=100)
    assert state.optimiser.param_groups[0]["lr"] == 0.5
