"""A task's features: one encoding for a given encoder, one for each replicate of a random one."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from lovt_core.evaluation.encoders import Subject, build_random_encoder
from lovt_core.evaluation.features import compute_probe_data
from lovt_core.evaluation.probe_data import ProbeData
from lovt_core.evaluation.protocol import Stride
from lovt_core.evaluation.task_data import TaskData
from lovt_core.values import Progress

BUDGET_BYTES = 2**31
"""Features of several random encoders that are held at once."""


@dataclass(frozen=True)
class EncodedTask:
    """A task as one encoder sees it."""

    data: ProbeData
    fingerprint: str
    """Of the encoder."""


class TaskEncoder:
    """Encodes one task's images with the subject's encoder, or with a new one for each seed."""

    def __init__(self, subject: Subject, data: TaskData, stride: Stride, device: str) -> None:
        self.subject = subject
        self.data = data
        self.stride = stride
        self.device = device
        self._shared: EncodedTask | None = None

    def encode(self, seed: int) -> Generator[Progress, None, EncodedTask]:
        """The task as the encoder with that seed sees it; a given encoder has no seed and encodes once."""
        given = self.subject.given
        if given is None:
            encoder = yield from build_random_encoder(self.subject.source, self.stride, seed, self.data, self.device)
            data = yield from compute_probe_data(encoder, self.data, self.stride, self.device)
            return EncodedTask(data, encoder.fingerprint())
        if self._shared is None:
            data = yield from compute_probe_data(given.encoder, self.data, self.stride, self.device)
            self._shared = EncodedTask(data, given.encoder.fingerprint())
        return self._shared

    def encode_some(self, seeds: Sequence[int]) -> Generator[Progress, None, list[EncodedTask]]:
        """As many of the first encodings as fit into the budget, at least one."""
        encoded = [(yield from self.encode(seeds[0]))]
        fitting = len(seeds) if self.subject.given else max(1, BUDGET_BYTES // encoded[0].data.num_bytes)
        for seed in seeds[1:fitting]:
            encoded.append((yield from self.encode(seed)))
        return encoded
