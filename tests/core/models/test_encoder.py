"""Encoders in micro-batches: the same gradients, running statistics, dropout; one part's activations at a time."""

import copy

import pytest
import torch
from torch import nn

from lovt_core.models.encoder import Encoder, divide, set_micro_batch
from tests.core.methods.test_lovt import build, make_batch


class Small(Encoder):
    """A convolution with batch norm and dropout; notes each run of it."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(dropout), nn.Tanh())
        self.runs = []

    @property
    def network(self):
        return self.layers

    def forward(self, images):
        return self.in_micro_batches(lambda rows: self.encode(images[rows]), len(images))

    def encode(self, images):
        self.runs.append(f"forward {len(images)}")
        features = self.layers(images)
        if features.requires_grad and torch.is_grad_enabled():
            features.register_hook(lambda _: self.runs.append(f"backward {len(images)}"))
        return features


def make_images(count=10):
    return torch.randn(count, 1, 6, 6, generator=torch.Generator().manual_seed(0))


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


def contrast(features):
    """A loss that compares each sample with all others."""
    rows = features.flatten(1)
    return (rows @ rows.T).softmax(dim=1).diagonal().log().mean()


@pytest.mark.parametrize(("count", "at_most", "sizes"), [(10, 4, [3, 3, 4]), (8, 4, [4, 4]), (3, 1, [1, 1, 1])])
def test_parts_are_even_and_hold_every_row_once(count, at_most, sizes):
    parts = divide(count, at_most)
    assert [part.stop - part.start for part in parts] == sizes
    assert [row for part in parts for row in range(count)[part]] == list(range(count))


@pytest.mark.parametrize("size", [1, 3, 4, 9])
def test_gradients_are_those_of_the_whole_batch_where_no_norm_mixes_samples(size):
    model, images = Small().eval(), make_images()
    whole = gradients(model, contrast(model(images)))
    set_micro_batch(model, size)
    torch.testing.assert_close(gradients(model, contrast(model(images))), whole)


@pytest.mark.parametrize("size", [None, 10, 64])
def test_a_micro_batch_as_large_as_the_batch_is_the_plain_run(size):
    model, images = Small(dropout=0.5), make_images()
    plain = copy.deepcopy(model)
    set_micro_batch(model, size)
    results = []
    for each in (plain, model):
        torch.manual_seed(3)
        results.append(gradients(each, contrast(each(images))))
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])
    assert model.runs == ["forward 10", "backward 10"]


def test_training_equals_parts_that_are_run_one_after_the_other():
    """Batch norms see a part at a time, dropout repeats in the recomputation, running statistics move once a part."""
    model, images = Small(dropout=0.5), make_images(8)
    reference = copy.deepcopy(model)
    set_micro_batch(model, 4)
    torch.manual_seed(3)
    features = model(images)
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    found = gradients(model, contrast(features))
    torch.manual_seed(3)
    expected = gradients(reference, contrast(torch.cat([reference(images[:4]), reference(images[4:])])))
    torch.testing.assert_close(found, expected)
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, buffers[name]), f"{name} changed in the backward"
        torch.testing.assert_close(buffer, reference.get_buffer(name))
    assert model.layers[1].num_batches_tracked == 2


def test_one_part_is_recomputed_and_done_with_before_the_next():
    model = Small()
    set_micro_batch(model, 4)
    contrast(model(make_images())).backward()
    assert model.runs[:3] == ["forward 3", "forward 3", "forward 4"]
    backward = [run for run in model.runs[3:] if run.startswith("forward")]
    assert backward == ["forward 4", "forward 3", "forward 3"]


def test_without_gradients_nothing_is_recomputed():
    model = Small().eval()
    set_micro_batch(model, 4)
    with torch.no_grad():
        together = model(make_images())
    assert model.runs == ["forward 3", "forward 3", "forward 4"]
    torch.testing.assert_close(together, model.encode(make_images()))


@pytest.mark.parametrize("size", [1, 3])
def test_lovts_losses_see_the_whole_batch(size):
    model, tokenizer, _ = build()
    model.image_encoder.eval()  # its batch norms would see parts
    model.report_encoder.eval()
    batch = make_batch(tokenizer)
    plain = model.compute_losses(batch)
    plain["loss"].backward()
    expected = {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}
    model.zero_grad()
    set_micro_batch(model, size)
    losses = model.compute_losses(batch)
    losses["loss"].backward()
    torch.testing.assert_close(losses, plain)
    found = {name: each.grad for name, each in model.named_parameters() if each.grad is not None}
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_mixed_precision_is_repeated():
    model, images = Small().eval(), make_images()
    results = []
    for size in (None, 5):
        set_micro_batch(model, size)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(images).float().square().mean()
        results.append(gradients(model, loss))
    torch.testing.assert_close(results[0], results[1], rtol=0.02, atol=0.02)
