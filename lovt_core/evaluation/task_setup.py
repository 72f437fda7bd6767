"""From a learning rate and seeds to heads ready for training: inputs, models, and how many of them at once."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import torch

from lovt_core.evaluation.encoders import Subject, build_random_encoder
from lovt_core.evaluation.features.memory import free_bytes
from lovt_core.evaluation.features.stores import FeatureStores
from lovt_core.evaluation.protocol import Protocol
from lovt_core.evaluation.task_data import TaskData
from lovt_core.evaluation.training.banks import HeadBank
from lovt_core.evaluation.training.batches import TaskInputs, TaskTargets
from lovt_core.evaluation.training.candidate import Candidate, CandidateState
from lovt_core.evaluation.training.criteria import build_criterion
from lovt_core.evaluation.training.head_training import HeadTraining
from lovt_core.evaluation.training.linear_bank import LinearBank, check_linear_stride
from lovt_core.evaluation.training.model_bank import ModelBank
from lovt_core.evaluation.training.task_model import (
    HEAD_STRIDES,
    Channels,
    TaskModel,
    count_training_bytes,
    find_inputs,
)
from lovt_core.models.image_encoder import ImageEncoder
from lovt_core.training.precision import Precision, PrecisionName
from lovt_core.values import Alarm, Progress

MODEL_SHARE: Final = 4
"""Models that train side by side may fill one part in so many of the free memory."""


@dataclass(frozen=True)
class EvaluationResources:
    """What all tasks of an evaluation share."""

    device: str
    precision: PrecisionName
    stores: FeatureStores
    samples: Sequence[int]
    """Those of all its tasks on one data set: what is encoded for one serves the others."""


@dataclass(frozen=True)
class EncodedTask:
    """A task as one encoder sees it."""

    inputs: TaskInputs
    encoder: ImageEncoder
    fingerprint: str
    """Of the encoder's weights before any fine-tuning."""
    is_kept: bool
    """Whether its features are computed once only."""


class TaskSetup:
    """Builds everything that one task's trainings need."""

    def __init__(self, subject: Subject, protocol: Protocol, data: TaskData, resources: EvaluationResources) -> None:
        self.subject = subject
        self.protocol = protocol
        self.task = protocol.task
        self.data = data
        self.resources = resources
        self._shared: EncodedTask | None = None

    @cached_property
    def targets(self) -> TaskTargets:
        """Masks or boxes of the task's samples."""
        return TaskTargets(self.data, self.resources.device, are_boxes=self.task.is_detection)

    def encode(self, seed: int) -> Generator[Progress | Alarm, None, EncodedTask]:
        """The task as the encoder with that seed sees it; a given encoder has no seed."""
        if self.subject.given is None:
            encoder = yield from build_random_encoder(self.subject.source, seed, self.data, self.resources.device)
            return (yield from self._encode_with(encoder))
        if self._shared is None:
            self._shared = yield from self._encode_with(self.subject.given.encoder)
        return self._shared

    def count_together(self, encoded: EncodedTask) -> int:
        """How many trainings go side by side, at least one: as many as fit into memory where they share work.

        Models on features that are kept share nothing, nor do fine-tuned encoders.
        """
        if self.task.encoder == "finetuned" or (self.task.head != "linear" and encoded.is_kept):
            return 1
        fitting = 1000
        if self.subject.given is None:
            strides = self._find_inputs(encoded.encoder)
            num_samples = len(self.resources.samples)
            fitting = self.resources.stores.count_fitting(encoded.encoder, self.data, strides, num_samples)
        if self.task.head == "linear":
            return fitting
        with torch.device("meta"):
            model = TaskModel(self.task, encoded.encoder.channels, None)
        return max(1, min(fitting, free_bytes(self.resources.device) // MODEL_SHARE // count_training_bytes(model)))

    def build_training(self, candidates: Sequence[tuple[float, int, EncodedTask]], order_seed: int) -> HeadTraining:
        """Trainings of these (learning rate, seed, task as encoded), side by side."""
        states = [
            CandidateState(Candidate(rate, seed, encoded.inputs), self.protocol) for rate, seed, encoded in candidates
        ]
        bank = self._build_bank(states, [encoded.encoder for _, _, encoded in candidates])
        if self.task.encoder == "frozen":
            return HeadTraining(states, bank, self.protocol, order_seed)
        # Trained alone, it needs no order in common with others; some encoders drop paths at random in training.
        seed = states[0].candidate.seed
        torch.manual_seed(seed)
        return HeadTraining(states, bank, self.protocol, seed)

    def _encode_with(self, encoder: ImageEncoder) -> Generator[Progress | Alarm, None, EncodedTask]:
        resources = self.resources
        source = None
        if self.task.encoder == "frozen":
            source = yield from resources.stores.open(encoder, self.data, self._find_inputs(encoder), resources.samples)
            yield from source.fill(self.data.samples)
        inputs = TaskInputs(self.data, self.targets, source, resources.device, reads_images=self.task.head == "unet")
        return EncodedTask(inputs, encoder, encoder.fingerprint(), source is not None and source.is_kept)

    def _find_inputs(self, encoder: ImageEncoder) -> tuple[int, ...]:
        wanted = (self.protocol.stride,) if self.task.head == "linear" else HEAD_STRIDES[self.task.head]
        return find_inputs(wanted, encoder.channels)

    def _build_bank(self, states: Sequence[CandidateState], encoders: Sequence[ImageEncoder]) -> HeadBank:
        task, device = self.task, self.resources.device
        if task.head == "linear":
            return LinearBank(states, encoders[0].channels, self.protocol.stride, len(task.classes), device)
        models = []
        for state, encoder in zip(states, encoders, strict=True):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(state.candidate.seed)
                trained = encoder if task.encoder == "finetuned" else None
                models.append(TaskModel(task, encoder.channels, trained).to(device))
        precisions = [Precision(self.resources.precision, torch.device(device)) for _ in states]
        return ModelBank(states, models, build_criterion(task), precisions, task.warmup_steps)


def check_channels(channels: Channels, protocols: Iterable[Protocol]) -> None:
    """Raise ConfigError or InputError where an encoder with these features cannot serve one of the protocols."""
    for protocol in protocols:
        if protocol.task.head == "linear":
            check_linear_stride(channels, protocol.stride)
        else:
            find_inputs(HEAD_STRIDES[protocol.task.head], channels)
