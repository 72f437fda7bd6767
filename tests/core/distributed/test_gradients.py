"""Two processes and one have the same gradients: of the same batches, and of the same batch when it is gathered."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from lovt_core.config.experiment import PretrainExperiment
from tests.core.distributed.gradients import COUNTS, NUM_RANKS, compute_gradients

ENCODER = {"backbone": "test_resnet", "weights": "random", "stride": 16}
TINY = {"width": 32, "layers": 2, "dropout": 0.0, "vocabulary_size": 128}
REPORT = {"model": "tiny", "tiny": TINY, "freeze_embeddings": True, "frozen_layers": 1, "max_tokens": 128}
LOVT = {"image_encoder": ENCODER, "report_encoder": REPORT, "projection": {"hidden": 32, "size": 16}}
SIMCLR = {"name": "simclr", "image_encoder": ENCODER, "hidden": 32, "size": 16}
BYOL = SIMCLR | {"name": "byol"}
METHODS = {
    "lovt": LOVT,
    "lovt-published-padding": LOVT | {"padding": "published"},
    "lovt-uniform": LOVT | {"objective": {"local_weights": "uniform"}},
    "lovt-local": LOVT | {"objective": {"global": None}},
    "lovt-global": LOVT | {"objective": {"regions": None, "sentences": None}},
    "simclr": SIMCLR,
}
CASES = {f"{name}-step": method for name, method in (METHODS | {"byol": BYOL}).items()}
CASES |= {f"{name}-batch": method for name, method in METHODS.items()}


def build_case(name):
    """The experiment; `-batch` ones share each batch and gather its negatives."""
    training = {"batch_size": 8, "accumulate": 4, "precision": "fp32", "gather_negatives": name.endswith("-batch")}
    data = {"name": "covid-chestxray", "image_size": 64, "normalisation": "image"}
    return {"name": "tiny", "data": data, "method": CASES[name], "training": training}


@pytest.fixture(scope="module")
def of_two(synthetic):
    """Case -> gradients that each of two processes has."""
    (synthetic / "cases.json").write_text(json.dumps({name: build_case(name) for name in CASES}))
    command = [sys.executable, "-m", "tests.core.distributed.gradients", str(synthetic)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    processes = [subprocess.Popen([*command, str(rank)], env=environment) for rank in range(NUM_RANKS)]
    assert [process.wait(120) for process in processes] == [0, 0]
    return {name: [load_file(synthetic / f"{name}-{rank}") for rank in range(NUM_RANKS)] for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_one_process(of_two, synthetic, name):
    experiment = PretrainExperiment.model_validate(build_case(name))
    expected = compute_gradients(experiment, synthetic / "prepared")
    for found in of_two[name]:
        assert set(found) == set(expected)  # what is not trained has none in either
        for count in COUNTS:
            largest = max(value.abs().max() for key, value in expected.items() if key.startswith(f"{count}/"))
            for key in (key for key in expected if key.startswith(f"{count}/")):
                assert torch.allclose(found[key], expected[key], rtol=1e-4, atol=2e-6 * float(largest)), key


def test_gathering_is_not_the_default_in_other_words(of_two):
    """The loss over a gathered batch has other negatives than those over its parts."""
    gathered, shared = of_two["simclr-batch"][0], of_two["simclr-step"][0]
    assert gathered["4/loss"] != pytest.approx(float(shared["4/loss"]), rel=1e-3)
