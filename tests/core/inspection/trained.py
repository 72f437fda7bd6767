"""A LoVT small enough for a test, trained for two steps on synthetic pairs."""

from dataclasses import replace
from pathlib import Path

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.pretrain import pretrain
from lovt_core.values import CheckpointSaved, Workplace
from tests.core.evaluation.factories import make_place

SIZE = 64
RUN = "the-run"


def prepare_synthetic(root: Path, scratch: Path, name: str, count: int) -> None:
    """A synthetic download, prepared in `root`."""
    synthesize(scratch / name, Synthesis(name, count, SIZE, workers=1), lambda progress: None)
    prepare(name, scratch / name, root, PrepareOptions(size=SIZE, workers=1), lambda progress: None)


def make_document(**method) -> dict:
    """An experiment as it stands in a file."""
    return {
        "kind": "pretrain",
        "name": "tiny",
        "data": {"name": "covid-chestxray", "image_size": SIZE},
        "augmentation": {"image": {"enabled": False}},
        "method": {
            "image_encoder": {"backbone": "test_resnet", "weights": "random", "stride": 16},
            "report_encoder": {
                "model": "tiny",
                "tiny": {"width": 32, "layers": 2, "vocabulary_size": 128},
                "freeze_embeddings": False,
                "frozen_layers": 0,
                "max_tokens": 32,
            },
            "projection": {"hidden": 32, "size": 16},
            **method,
        },
        "training": {
            "batch_size": 8,
            "accumulate": 1,
            "max_steps": 2,
            "precision": "fp32",
            "device": "cpu",
            "optimiser": {"learning_rate": 1e-3},
        },
    }


def make_experiment(**method) -> PretrainExperiment:
    """The same, validated."""
    return PretrainExperiment.model_validate(make_document(**method))


def train(prepared_root: Path, scratch: Path, experiment: PretrainExperiment | None = None) -> Workplace:
    """A workplace that finds the checkpoint of two steps under the name of `RUN`."""
    place = make_place(prepared_root, scratch)
    values = pretrain(experiment or make_experiment(), place)
    names = [value.name for value in values if isinstance(value, CheckpointSaved)]
    return replace(place, find_checkpoint=lambda run, which: place.checkpoints / names[-1])
