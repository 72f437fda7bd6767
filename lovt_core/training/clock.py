"""Time of a training step, and how much of it was spent outside model, backward and optimiser, or waiting for data."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Batch = TypeVar("Batch")


class StepClock:
    """Splits wall time between computing and everything else (batches, augmentation, bookkeeping, the consumer)."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._computing_seconds = 0.0
        self._waiting_seconds = 0.0

    def restart(self) -> None:
        """Leave out what has passed since the last step (validation, a checkpoint)."""
        self._started = time.perf_counter()
        self._computing_seconds = 0.0
        self._waiting_seconds = 0.0

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Model, backward and optimiser."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._computing_seconds += time.perf_counter() - began

    def fetching(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; how long each is waited for counts as waiting for data."""
        while True:
            began = time.perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            finally:
                self._waiting_seconds += time.perf_counter() - began
            yield batch

    def lap(self, num_samples: int | None = None) -> dict[str, float]:
        """Metrics of the step that ends now, with `num_samples` also of their rate; the next one begins.

        `time/other_share` is what was spent outside model, backward and optimiser, `time/data_share` the part of it
        in which the next batch was not there yet.
        """
        seconds = time.perf_counter() - self._started
        other, waiting = max(0.0, seconds - self._computing_seconds), self._waiting_seconds
        self.restart()
        values = {"time/step_seconds": seconds}
        values["time/other_share"] = other / seconds if seconds else 0.0
        values["time/data_share"] = waiting / seconds if seconds else 0.0
        if num_samples is not None and seconds:
            values["time/samples_per_second"] = num_samples / seconds
        return values
