"""Tiny image-only methods, and batches for them without any data set."""

import torch

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.methods.building import build_image_method
from lovt_core.methods.labelled_batches import LabelledBatch
from lovt_core.methods.view_batches import ViewBatch
from lovt_core.objectives.pixel_propagation import ViewPlacement

SIZE = 64
ENCODER = {"backbone": "test_resnet", "weights": "random", "stride": 16}
TINY = {
    "simclr": {"name": "simclr", "image_encoder": ENCODER, "hidden": 32, "size": 16},
    "byol": {"name": "byol", "image_encoder": ENCODER, "hidden": 32, "size": 16},
    "pixelpro": {"name": "pixelpro", "image_encoder": ENCODER, "hidden": 32, "size": 16},
    "supervised": {"name": "supervised", "image_encoder": ENCODER},
}
FOLLOWED = {
    "byol": {"target_encoder": "image_encoder", "target_projector": "projector"},
    "pixelpro": {
        "target_encoder": "image_encoder",
        "target_cell_projector": "cell_projector",
        "target_image_projector": "image_projector",
    },
}
"""Copy -> what it follows."""


def make_experiment(name, **changes):
    document = {
        "name": "tiny",
        "data": {"name": "mimic-cxr", "image_size": SIZE},
        "method": TINY[name],
        "training": {
            "batch_size": 8,
            "accumulate": 2,
            "max_epochs": 2,
            "precision": "fp32",
            "optimiser": {"name": "adam", "learning_rate": 1e-3},
            "schedule": {"name": "constant"},
        },
    }
    for key, value in changes.items():
        document[key] = {**document.get(key, {}), **value} if isinstance(value, dict) else value
    return PretrainExperiment.model_validate(document)


def make_method(name, **changes):
    torch.manual_seed(0)
    return build_image_method(make_experiment(name, method=changes).method)


def make_batch(method, num_images=8):
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(num_images, 1, SIZE, SIZE, generator=generator)
    if method == "supervised":
        return LabelledBatch(images, torch.randint(-2, 2, (num_images, 5), generator=generator, dtype=torch.int8))
    views = tuple(images + 0.3 * torch.randn(images.shape, generator=generator) for _ in range(2))
    boxes = torch.tensor([[0.0, 0.0, 64.0, 64.0]]).expand(num_images, 4)
    straight = torch.zeros(num_images, dtype=torch.bool)
    return ViewBatch(views, (ViewPlacement(boxes, straight), ViewPlacement(boxes + 4, ~straight)))
