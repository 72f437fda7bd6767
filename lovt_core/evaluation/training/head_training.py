"""The loop that trains heads side by side, each to its own end (PROTOCOL A.3)."""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from lovt_core.evaluation.protocol import Protocol
from lovt_core.evaluation.training.banks import HeadBank
from lovt_core.evaluation.training.batches import Batch, Chunk, TaskInputs
from lovt_core.evaluation.training.candidate import CandidateState, TrainedHead
from lovt_core.evaluation.training.criteria import ImagePrediction, Scores
from lovt_core.evaluation.training.order import EpochOrder

SECONDS_BETWEEN_TICKS: Final = 1.0


@dataclass(frozen=True)
class Tick:
    """The training has come this far; a safe point to end it."""

    epoch: int
    """In progress, counted from 1."""
    step: int
    """Batches of that epoch that are done."""
    num_running: int


class HeadTraining:
    """Candidates that share protocol and data set and nothing else: encoder, learning rate and seed are each one's own.

    A candidate's scores do not depend on the others.
    """

    def __init__(self, states: Sequence[CandidateState], bank: HeadBank, protocol: Protocol, order_seed: int) -> None:
        """`order_seed` draws the chunks of images that all candidates see together (`order.py`)."""
        self.states = states
        self.bank = bank
        self.protocol = protocol
        self._split = states[0].candidate.inputs.data.split
        self.order = EpochOrder(len(self._split.train), protocol.task.batch_size, order_seed)
        self._ticked_at = time.monotonic()

    def train(self) -> Iterator[Tick | TrainedHead]:
        """Train every head to its own end; yields each one, with its best epoch's weights, as it ends."""
        running = list(range(len(self.states)))
        max_epochs = self.protocol.task.max_epochs
        for epoch in range(1, max_epochs + 1):
            yield from self._train_epoch(epoch, running)
            losses, scores = yield from self._judge(running, self._split.validation, epoch)
            for index in list(running):
                state = self.states[index]
                if state.is_better(scores[index].value):
                    state.keep(epoch, scores[index].value, self.bank.copy_state(index))
                if state.after_epoch(losses[index], scores[index].value) or epoch == max_epochs:
                    running.remove(index)
                    yield state.finish(index, epoch)
            yield Tick(epoch, self.order.num_batches, len(running))
            if not running:
                return

    def judge(self, trained: TrainedHead, samples: Sequence[int]) -> Generator[Tick, None, Scores]:
        """Scores of a trained head's best epoch on these samples."""
        self.bank.load_state(trained.index, trained.state)
        _, scores = yield from self._judge([trained.index], samples, trained.num_epochs)
        return scores[trained.index]

    def predict(self, trained: TrainedHead, samples: Sequence[int]) -> Iterator[ImagePrediction]:
        """What the head says of each of these samples, in order."""
        self.bank.load_state(trained.index, trained.state)
        inputs = self.states[trained.index].candidate.inputs
        for part in self._split_into_batches(samples):
            batch = inputs.open(part).take(np.arange(len(part)))
            yield from self.bank.criterion.predict(self.bank.predict(trained.index, batch), batch.targets)

    def _train_epoch(self, epoch: int, running: Sequence[int]) -> Iterator[Tick]:
        step = 0
        for number, chunk in enumerate(self.order.divide(epoch)):
            samples = [self._split.train[position] for position in chunk.tolist()]
            opened = self._open(running, samples)
            seeds = {index: self.states[index].candidate.seed for index in running}
            orders = {index: self.order.shuffle(chunk, seeds[index], epoch, number) for index in running}
            for batch in range(len(chunk) // self.order.batch_size):
                self.bank.train_step({index: opened[index].take(orders[index][batch]) for index in running})
                step += 1
                yield from self._tick(epoch, step, len(running))
            del opened  # before the next chunk is encoded

    def _tick(self, epoch: int, step: int, num_running: int) -> Iterator[Tick]:
        """A tick, unless the last one was only just now."""
        if time.monotonic() - self._ticked_at >= SECONDS_BETWEEN_TICKS:
            self._ticked_at = time.monotonic()
            yield Tick(epoch, step, num_running)

    def _judge(
        self, indices: Sequence[int], samples: Sequence[int], epoch: int
    ) -> Generator[Tick, None, tuple[dict[int, float], dict[int, Scores]]]:
        """Mean of the batch losses and scores of all samples, in order, nothing dropped."""
        criterion = self.bank.criterion
        tallies = {index: criterion.new_tally(self.states[index].candidate.inputs.device) for index in indices}
        losses: dict[int, list[Tensor]] = {index: [] for index in indices}
        for part in self._split_into_batches(samples):
            for index, batch in self._take_whole(indices, part):
                with torch.no_grad():
                    output = self.bank.predict(index, batch)
                    losses[index].append(criterion.compute_loss(output, batch.targets))
                    tallies[index].add(output, batch.targets)
            yield from self._tick(epoch, self.order.num_batches, len(indices))
        means = {index: float(torch.stack(values).mean()) for index, values in losses.items()}
        return means, {index: tally.compute() for index, tally in tallies.items()}

    def _take_whole(self, indices: Sequence[int], samples: Sequence[int]) -> Iterator[tuple[int, Batch]]:
        """These samples as one batch for each candidate, read once for those with the same inputs."""
        batches: dict[Chunk, Batch] = {}
        for index, chunk in self._open(indices, samples).items():
            if chunk not in batches:
                batches[chunk] = chunk.take(np.arange(len(samples)))
            yield index, batches[chunk]

    def _split_into_batches(self, samples: Sequence[int]) -> Iterable[Sequence[int]]:
        size = self.protocol.task.batch_size
        return (samples[start : start + size] for start in range(0, len(samples), size))

    def _open(self, indices: Sequence[int], samples: Sequence[int]) -> dict[int, Chunk]:
        """The samples as each candidate's encoder sees them; candidates with the same inputs share the work."""
        opened: dict[TaskInputs, Chunk] = {}
        for index in indices:
            inputs = self.states[index].candidate.inputs
            if inputs not in opened:
                opened[inputs] = inputs.open(samples)
        return {index: opened[self.states[index].candidate.inputs] for index in indices}
