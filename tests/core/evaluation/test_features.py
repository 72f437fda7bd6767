"""Features of a frozen encoder and fitted batch norms."""

import numpy as np
import pytest
import torch
from torch import nn

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.errors import InputError
from lovt_core.evaluation.features import compute_probe_data, fit_batch_norm, split_evenly
from lovt_core.evaluation.protocol import build_protocol
from lovt_core.evaluation.task_data import open_task_data
from lovt_core.models.image_encoder import build_image_encoder
from lovt_core.tasks import find_task
from tests.core.evaluation.factories import BACKBONE, make_experiment


def finish(generator):
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def open_tiny(prepared_root, **settings):
    experiment = make_experiment(settings=settings)
    return open_task_data(build_protocol(find_task("covid-linear"), experiment.settings), "patient:0", prepared_root)


@pytest.fixture
def data(prepared_root):
    return open_tiny(prepared_root)


def build(seed=0, stride=16):
    torch.manual_seed(seed)
    return build_image_encoder(ImageEncoderConfig(backbone=BACKBONE, weights="random", stride=stride))


def test_features_are_those_of_each_image_in_evaluation_mode(data):
    encoder = build().train()
    probe_data = finish(compute_probe_data(encoder, data, 16, "cpu"))
    assert not encoder.training
    for part, rows in ((probe_data.training, data.split.train), (probe_data.test, data.split.test)):
        assert part.num_images == len(rows)
        assert part.mask_size == (64, 64)
        with torch.no_grad():
            last = encoder.forward_features(data.images(rows[-1:], "cpu"))[16]
        torch.testing.assert_close(part.features[-1:], last, rtol=1e-4, atol=1e-5)
        image_row = data.prepared.samples[rows[-1]].images[0]
        assert np.array_equal(part.masks[-1].numpy(), data.prepared.mask(image_row).astype(bool))
    assert not probe_data.training.features.requires_grad


def test_any_stride_of_the_encoder_can_be_read_and_others_are_refused(data):
    encoder = build(stride=16)
    assert finish(compute_probe_data(encoder, data, 8, "cpu")).training.features.shape[-2:] == (8, 8)
    with pytest.raises(InputError, match=r"no features of stride 32, only of .*16: set settings.stride"):
        finish(compute_probe_data(encoder, data, 32, "cpu"))


def test_broken_weights_are_refused(data):
    encoder = build()
    next(encoder.parameters()).data.fill_(float("nan"))
    with pytest.raises(InputError, match="not finite"):
        finish(compute_probe_data(encoder, data, 16, "cpu"))


def test_normalisation_of_the_data_set_and_of_each_image(prepared_root):
    data = open_tiny(prepared_root)
    images = data.images(data.split.train, "cpu")
    mean, deviation = data.statistics
    pixels = data.prepared.image(data.prepared.samples[data.split.train[0]].images[0])
    np.testing.assert_allclose(images[0, 0].numpy(), (pixels / 255 - mean) / deviation, rtol=1e-5, atol=1e-5)
    assert abs(images.mean()) < 0.1
    own = open_tiny(prepared_root, normalisation="image").images(data.split.train, "cpu")
    torch.testing.assert_close(own.mean((1, 2, 3)), torch.zeros(len(own)), atol=1e-5, rtol=0)
    torch.testing.assert_close(own.std((1, 2, 3), correction=0), torch.ones(len(own)))


def test_fitted_batch_norms_have_the_statistics_of_the_training_images(data):
    encoder, inputs = build(), []
    first = next(module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d))
    first.register_forward_hook(lambda module, args, output: inputs.append(args[0]))
    momentum = first.momentum
    finish(fit_batch_norm(encoder, data, "cpu"))
    seen = torch.cat(inputs)
    assert len(seen) == len(data.split.train)
    torch.testing.assert_close(first.running_mean, seen.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(first.running_var, seen.var((0, 2, 3)), rtol=0.05, atol=1e-3)
    assert first.momentum == momentum
    assert not any(module.training for module in encoder.modules())


def test_fitting_twice_gives_the_same_encoder(data):
    one, other = build(), build()
    for encoder in (one, other):
        finish(fit_batch_norm(encoder, data, "cpu"))
    finish(fit_batch_norm(other, data, "cpu"))
    assert one.fingerprint() == other.fingerprint() != build().fingerprint()


@pytest.mark.parametrize("count", [1, 31, 32, 33, 100])
def test_parts_differ_by_one_image_at_most(count):
    parts = split_evenly(range(count))
    assert [row for part in parts for row in part] == list(range(count))
    lengths = {len(part) for part in parts}
    assert max(lengths) <= 32
    assert max(lengths) - min(lengths) <= 1
