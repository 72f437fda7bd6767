"""Compiled encoders: names stay, results stay, micro-batches repeat what they did, a missing compiler is told."""

import copy

import pytest
import torch

from lovt_core.errors import ConfigError
from lovt_core.models.compilation import compile_encoders
from lovt_core.models.encoder import set_micro_batch
from lovt_core.models.momentum import MomentumCopy
from tests.core.models.test_encoder import Small, contrast, gradients, make_images


@pytest.fixture
def traced(monkeypatch):
    """Compiling traces forward and backward, but makes no machine code: no compiler is needed."""
    compile_module = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compile_module(self, backend="aot_eager"))
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)


def test_names_of_parameters_and_buffers_stay(traced):
    model = Small()
    names = list(model.state_dict())
    compile_encoders(model)
    model(make_images())
    assert list(model.state_dict()) == names
    assert [name for name, _ in model.named_parameters()] == [name for name in names if "running" not in name][:4]


def test_copies_that_follow_are_compiled_too(traced):
    model = MomentumCopy(Small())
    compile_encoders(model)
    assert model.target.layers._compiled_call_impl is not None


@pytest.mark.parametrize("size", [None, 4])
def test_gradients_and_running_statistics_are_those_of_the_plain_model(traced, size):
    plain = Small()
    compiled = copy.deepcopy(plain)
    compile_encoders(compiled)
    results = []
    for model in (plain, compiled):
        set_micro_batch(model, size)
        results.append(gradients(model, contrast(model(make_images()))))
    torch.testing.assert_close(results[1], results[0])
    torch.testing.assert_close(compiled.state_dict(), plain.state_dict())


def test_a_missing_compiler_is_told_before_the_training(monkeypatch):
    def fail(function, **options):
        raise RuntimeError("No working C++ compiler found\nmany more lines")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(ConfigError, match=r"\(No working C\+\+ compiler found\): set it to false"):
        compile_encoders(Small())
