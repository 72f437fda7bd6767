"""Inputs of trainings that need no files: features, images and masks straight from tensors."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import torch
from torch.nn import functional

from lovt_core.evaluation.protocol import Protocol
from lovt_core.evaluation.task_data import Boxes
from lovt_core.evaluation.training.batches import Batch
from lovt_core.tasks import Task

NUM_TRAINING, NUM_VALIDATION, NUM_TEST = 18, 7, 9
TRAINING = tuple(range(NUM_TRAINING))
VALIDATION = tuple(range(NUM_TRAINING, NUM_TRAINING + NUM_VALIDATION))
TEST = tuple(range(NUM_TRAINING + NUM_VALIDATION, NUM_TRAINING + NUM_VALIDATION + NUM_TEST))


@dataclass(eq=False)
class TensorInputs:
    """Looks like `TaskInputs`; notes which samples were opened."""

    features: dict
    images: torch.Tensor | None
    targets: object
    device: str = "cpu"
    opened: list = field(default_factory=list)

    @property
    def data(self):
        return SimpleNamespace(split=SimpleNamespace(train=TRAINING, validation=VALIDATION, test=TEST))

    def open(self, samples):
        self.opened.append(list(samples))
        return Opened(self, torch.tensor(list(samples)))


@dataclass(eq=False)
class Opened:
    """Looks like `Chunk`."""

    inputs: TensorInputs
    samples: torch.Tensor

    def take(self, positions):
        rows = self.samples[torch.from_numpy(positions)]
        features = {stride: maps[rows] for stride, maps in self.inputs.features.items()}
        images = None if self.inputs.images is None else self.inputs.images[rows]
        targets = self.inputs.targets
        if isinstance(targets, Boxes):
            chosen = rows.tolist()
            boxes = tuple(targets.boxes[row] for row in chosen)
            return Batch(features, images, Boxes(boxes, tuple(targets.classes[row] for row in chosen)))
        return Batch(features, images, targets[rows])


def finish(generator):
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def make_segmentation(seed=0, num_classes=1, depth=6):
    """Features of stride 4 on a 4 x 4 grid and 24 x 24 masks that a linear head can learn."""
    generator = torch.Generator().manual_seed(seed)
    count = NUM_TRAINING + NUM_VALIDATION + NUM_TEST
    features = torch.randn(count, depth, 4, 4, generator=generator)
    direction = torch.randn(num_classes, depth, generator=torch.Generator().manual_seed(99))
    grid = torch.einsum("cd,ndhw->nchw", direction, features) + torch.randn(count, 1, 4, 4, generator=generator)
    masks = functional.interpolate(grid, size=(24, 24), mode="bilinear") > 1
    return TensorInputs({4: features}, None, masks)


def make_task(**changes) -> Task:
    """A linear task of 4 images a batch."""
    values = {
        "id": "tiny",
        "number": 99,
        "title": "tiny",
        "data": "none",
        "head": "linear",
        "encoder": "frozen",
        "classes": ("spot",),
        "batch_size": 4,
        "learning_rates": (3e-2, 1e-2),
        "max_epochs": 12,
        "patience": 20,
        "metric": "dice",
    }
    return Task(**(values | changes))


def make_protocol(**changes) -> Protocol:
    """Its protocol."""
    task = make_task(**changes)
    return Protocol(task, image_size=24, stride=4, normalisation="image", num_replicates=2, original=task)
