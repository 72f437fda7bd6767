"""Time of a training step, and how much of it was spent outside model, backward and optimiser."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StepClock:
    """Splits wall time between computing and everything else (batches, augmentation, bookkeeping, the consumer)."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._computing_seconds = 0.0

    def restart(self) -> None:
        """Leave out what has passed since the last step (validation, a checkpoint)."""
        self._started = time.perf_counter()
        self._computing_seconds = 0.0

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Model, backward and optimiser."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._computing_seconds += time.perf_counter() - began

    def lap(self) -> dict[str, float]:
        """Metrics of the step that ends now; the next one begins."""
        seconds = time.perf_counter() - self._started
        other = max(0.0, seconds - self._computing_seconds)
        self.restart()
        return {"time/step_seconds": seconds, "time/other_share": other / seconds if seconds else 0.0}
