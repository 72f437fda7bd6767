"""The training loop: a generator of values that knows nothing of methods, runs or logging."""

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import torch

from lovt_core.config.training import TrainingConfig
from lovt_core.monitoring.collapse import judge_collapse
from lovt_core.training.loop_state import LoopState, initial_state
from lovt_core.training.optimiser_step import OptimiserStep, StepOutcome
from lovt_core.training.prefetch import prefetch
from lovt_core.training.random_state import seed_generators
from lovt_core.training.saver import CheckpointSaver
from lovt_core.training.schedule import Horizon, compute_learning_rate
from lovt_core.training.sharing import build_share
from lovt_core.training.trainable import Trainable
from lovt_core.training.validation import validate
from lovt_core.values import Alarm, CheckpointSaved, Ended, EndReason, Metrics, Progress, Value, Workplace

UntilStopped = Generator[Value, None, EndReason | None]


def train(trainable: Trainable, config: TrainingConfig, place: Workplace) -> Iterator[Value]:
    """Train to the end of `config`, or until `place` asks to stop; goes on from `place.last_checkpoint` if given.

    Yields Metrics after each optimiser step and validation and CheckpointSaved after each save. On the CPU a resumed
    training computes what an unbroken one would, to the bit. Raises TrainingError for a loss that is not finite,
    LovtError when a checkpoint cannot be written, RecordError when none is whole.
    """
    return _Loop(trainable, config, place).run()


class _Loop:
    def __init__(self, trainable: Trainable, config: TrainingConfig, place: Workplace) -> None:
        self.trainable = trainable
        self.config = config
        self.place = place
        self.step = OptimiserStep(trainable, config, build_share(config, place.rank, place.num_ranks))
        self.ranks = self.step.ranks
        is_on_gpu = next(trainable.model.parameters()).is_cuda
        self.is_prefetching = is_on_gpu if config.prefetch is None else config.prefetch
        self.saver = CheckpointSaver(trainable, self.step, place, config)
        self.saved_at = time.monotonic()
        self.state: LoopState = initial_state(config, trainable.monitored.mode)
        steps_per_epoch = math.ceil(trainable.batches_per_epoch / config.accumulate)
        total_steps = config.max_epochs * steps_per_epoch
        self.horizon = Horizon(steps_per_epoch, min(total_steps, config.max_steps or total_steps))

    def run(self) -> Iterator[Value]:
        if self.saver.has_kept_encoder():
            return  # an earlier attempt did everything but say so
        yield from self._start()
        self.trainable.model.train()
        while not self._is_over():
            reason = yield from self._train_epoch()
            if reason is None:
                reason = yield from self._close_epoch()
            if reason is not None:
                yield from self._save(is_best=False)
                yield Ended(reason)
                return
        self.saver.discard_superseded(self.state.best_checkpoint, keep_states=self.config.keep_state)
        if self.config.keep == "encoder":
            yield from self.saver.keep_encoder(self.state.best_checkpoint)

    def _start(self) -> Iterator[Value]:
        seed_generators(self.trainable.seed, self.place.rank)
        if self.place.last_checkpoint is None:
            return
        point, self.state = self.saver.restore(self.place.last_checkpoint)
        if self.state.micro_batch is not None:
            self.step.micro_batches.limit(self.state.micro_batch)
        name = point.checkpoint.folder.name
        if point.damages:
            yield Alarm(f"{'; '.join(point.damages)}; going on from {name} instead")
            yield CheckpointSaved(name, self.state.step, is_last=True, is_best=self.state.best_checkpoint == name)
        yield Progress(self.state.step, self.horizon.total_steps, "step", note=f"resumed from {name}")

    def _is_over(self) -> bool:
        ran_out = self.state.epoch >= self.config.max_epochs or self._has_all_steps()
        return self.state.validated_step == self.state.step and (ran_out or self.state.early_stopping.is_over)

    def _has_all_steps(self) -> bool:
        return self.config.max_steps is not None and self.state.step >= self.config.max_steps

    # Steps of one epoch

    def _train_epoch(self) -> UntilStopped:
        while True:
            try:
                return (yield from self._train_batches())
            except torch.OutOfMemoryError as error:
                note = self._shrink(self.state.step + 1, error)
            yield self._announce(note)

    def _train_batches(self) -> UntilStopped:
        """From the next batch of the epoch to its end."""
        self.step.clock.restart()
        with closing(self._open_batches()) as batches:
            while self.state.batch < self.trainable.batches_per_epoch and not self._has_all_steps():
                yield self._train_step(batches)
                reason, is_save_due = self.ranks.decide((self.place.stop_requested(), self._is_save_due()))
                if reason is not None:
                    return reason
                if is_save_due:
                    yield from self._save(is_best=False)
                    self.step.clock.restart()
        return None

    def _open_batches(self) -> Generator[Any, None, None]:
        batches = self.trainable.training_batches(self.state.epoch, self.state.batch)
        return prefetch(batches) if self.is_prefetching else batches

    def _train_step(self, batches: Iterator[Any]) -> Metrics:
        count = min(self.config.accumulate, self.trainable.batches_per_epoch - self.state.batch)
        rate = self._learning_rate()
        outcome = self.step.run(self.step.clock.fetching(batches), count, self.state.step + 1, rate)
        sums = {name: self.state.epoch_sums.get(name, 0.0) + loss * count for name, loss in outcome.losses.items()}
        self.state = replace(self.state, step=self.state.step + 1, batch=self.state.batch + count, epoch_sums=sums)
        return self._step_metrics(outcome, rate, count)

    def _learning_rate(self) -> float:
        schedule = self.config.schedule
        is_plateau = schedule.name == "plateau"
        base = self.state.plateau.learning_rate if is_plateau else self.config.optimiser.learning_rate
        return compute_learning_rate(schedule, base, self.state.step, self.horizon)

    def _step_metrics(self, outcome: StepOutcome, rate: float, count: int) -> Metrics:
        values = {f"train/{name}": loss for name, loss in outcome.losses.items()}
        values["train/learning_rate"] = rate
        values["train/gradient_norm"] = outcome.gradient_norm
        return self._metrics(values | self.step.clock.lap(count * self.config.batch_size))

    def _metrics(self, values: dict[str, float]) -> Metrics:
        epoch = self.state.epoch + self.state.batch / self.trainable.batches_per_epoch
        return Metrics(self.state.step, epoch, values, self.horizon.total_steps)

    # Validation at the end of an epoch

    def _close_epoch(self) -> UntilStopped:
        if not self._is_validation_due():
            self._begin_next_epoch()
            return None
        means = yield from self._validate()
        if means is None:
            return self.ranks.decide(self.place.stop_requested())
        epoch_means = {f"train/epoch_{name}": total / self.state.batch for name, total in self.state.epoch_sums.items()}
        yield self._metrics({f"val/{name}": value for name, value in means.items()} | epoch_means)
        monitored = self.trainable.monitored
        value = means[monitored.name]
        if not math.isfinite(value):
            yield Alarm(f"val/{monitored.name} is {value} after step {self.state.step}; it counts as no improvement")
        collapses, news = judge_collapse(monitored.watched, means, self.state.epoch + 1, self.state.collapses)
        self.state = replace(self.state, collapses=collapses)
        yield from news
        is_best = self._take_in(value) or monitored.uses_last
        self._begin_next_epoch()
        yield from self._save(is_best)
        return None

    def _validate(self) -> Generator[Value, None, dict[str, float] | None]:
        """Means and scores, computed by the first process; None when interrupted."""
        self.ranks.average_buffers()
        means = None
        if self.ranks.is_first:
            means = yield from self._validate_here()
        return self.ranks.decide(means)

    def _validate_here(self) -> Generator[Value, None, dict[str, float] | None]:
        while True:
            try:
                return validate(self.trainable, self.step.precision, self.state.epoch, self._is_stop_requested)
            except torch.OutOfMemoryError as error:
                note = self._shrink(self.state.step, error)
            yield self._announce(note)

    def _shrink(self, step: int, error: torch.OutOfMemoryError) -> str:
        """Take half as many samples at once from now on; raises TrainingError where that cannot be."""
        note = self.step.micro_batches.halve(step, error)
        self.state = replace(self.state, micro_batch=self.step.micro_batches.size)
        return note

    def _announce(self, note: str) -> Alarm:
        """Here the error is gone, and with it what held on to the memory of the step that failed."""
        self.step.micro_batches.release_memory()
        return Alarm(note)

    def _is_validation_due(self) -> bool:
        epoch = self.state.epoch + 1
        is_last = epoch >= self.config.max_epochs or self._has_all_steps()
        return is_last or epoch % self.config.validate_every_epochs == 0

    def _is_stop_requested(self) -> bool:
        return self.place.stop_requested() is not None

    def _take_in(self, value: float) -> bool:
        """Tell schedule and early stopping the monitored value; returns whether it is the best so far."""
        best = self.state.best_loss
        is_better = best is None or (value < best if self.trainable.monitored.mode == "min" else value > best)
        is_best = math.isfinite(value) and is_better
        self.state = replace(
            self.state,
            plateau=self.state.plateau.after(value),
            early_stopping=self.state.early_stopping.after(value),
            validated_step=self.state.step,
            best_loss=value if is_best else best,
        )
        return is_best

    def _begin_next_epoch(self) -> None:
        if self.state.batch >= self.trainable.batches_per_epoch:
            self.state = replace(self.state, epoch=self.state.epoch + 1, batch=0, epoch_sums={})

    # Checkpoints

    def _is_save_due(self) -> bool:
        at_epoch_end = self.state.batch >= self.trainable.batches_per_epoch or self._has_all_steps()
        if at_epoch_end and self._is_validation_due():
            return False  # the validation that follows saves under the same name
        every = self.config.checkpoint_every_steps
        if every is not None and self.state.step % every == 0:
            return True
        return time.monotonic() - self.saved_at >= 60 * self.config.checkpoint_every_minutes

    def _save(self, is_best: bool) -> Iterator[Value]:
        name = self.saver.name_of(self.state)
        if is_best:
            self.state = replace(self.state, best_checkpoint=name)
        self.ranks.average_buffers()
        self.saver.save(self.state)
        self.saved_at = time.monotonic()
        yield CheckpointSaved(name, self.state.step, is_last=True, is_best=is_best)
        self.saver.discard_superseded(self.state.best_checkpoint)
